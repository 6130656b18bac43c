/** The JSON object that a request brings. */
import { HttpRefusal } from './http-problem.ts'

/**
 * Nothing beyond `maxBytes` is kept.
 *
 * @param isOptional - no body at all is `{}`
 * @throws HttpRefusal for another media type, a body that is too large, and one that is no JSON object in UTF-8
 */
export async function jsonBody(
  request: Request,
  maxBytes: number,
  isOptional: boolean,
): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await bodyBytes(request, maxBytes).catch((error: unknown) => {
    // Of a body that cannot be read for another reason, one that a framework has read before, the log has to tell.
    if (!request.signal.aborted) throw error
    // Whoever sent it has left: nobody hears of it.
    throw new HttpRefusal('The body of the request did not arrive.', {
      code: 'ERR_HTTP_REQUEST_INVALID',
      cause: error,
    })
  })
  if (bytes.length === 0 && isOptional) return {}
  requireJson(request)
  const value = parse(bytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HttpRefusal('Expected the body to be a JSON object.', { code: 'ERR_HTTP_REQUEST_INVALID' })
  return value as Record<string, unknown>
}

/** What a page of another site may send without asking has no such type. */
function requireJson(request: Request): void {
  const type = request.headers.get('content-type') ?? ''
  if (/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) return
  throw new HttpRefusal(
    `Expected a body with content-type application/json, got ${type === '' ? 'none' : JSON.stringify(type)}.`,
    { code: 'ERR_HTTP_MEDIA_TYPE_REFUSED' },
  )
}

async function bodyBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = (): HttpRefusal =>
    // Servers of others do not read the rest, so the connection has no use for another request.
    new HttpRefusal(`Expected a body of at most ${maxBytes} bytes.`, {
      code: 'ERR_HTTP_BODY_TOO_LARGE',
      headers: { connection: 'close' },
    })
  const length = Number(request.headers.get('content-length') ?? Number.NaN)
  if (length > maxBytes) throw tooLarge()
  // A server reads no more than that; read at once, the bodies of many requests are there in one turn and share a commit.
  if (length >= 0 && !request.headers.has('transfer-encoding')) {
    const bytes = new Uint8Array(await request.arrayBuffer())
    if (bytes.length > maxBytes) throw tooLarge()
    return bytes
  }
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
    size += chunk.length
    // Leaving the loop cancels what is still to come.
    if (size > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new HttpRefusal(`Expected the body to be JSON: ${(error as Error).message}.`, {
      code: 'ERR_HTTP_REQUEST_INVALID',
      cause: error,
    })
  }
}
