/** A fetch handler as Node's servers and the frameworks on them take it. The one owner of the bridge between the two. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { problemOf } from './http-problem.ts'
import { carry } from './stream-connection.ts'
import { TextResponse } from './text-response.ts'

type FetchCallback = Parameters<typeof getRequestListener>[0]

/** What `http.createServer`, Express (`app.use`) and others call for each request. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/**
 * ```ts
 * app.use('/queue', toNodeListener(handler)) // Express, before anything that reads bodies
 * ```
 */
export function toNodeListener(handler: (request: Request) => Response | Promise<Response>): NodeListener {
  const answer: FetchCallback = async (request, { outgoing: given }) => {
    const outgoing = given as ServerResponse
    const response = await handler(request)
    if (!(response instanceof TextResponse)) {
      if (response.body !== null) carry(response.body, outgoing)
      return response
    }
    const { status, headers, content } = response
    outgoing.writeHead(status, {
      ...Object.fromEntries(headers),
      'content-length': Buffer.byteLength(content),
    })
    outgoing.end(content)
    return RESPONSE_ALREADY_SENT
  }
  return getRequestListener(answer, {
    // The program may have its own, or none to replace.
    overrideGlobalObjects: false,
    errorHandler: () => {
      const problem = problemOf(
        'ERR_HTTP_REQUEST_INVALID',
        'The target of the request, or its host, is none.',
      )
      return new Response(JSON.stringify(problem), {
        status: problem.status,
        headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
      })
    },
  })
}
