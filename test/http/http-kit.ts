/** What tests of the HTTP API begin with: a queue, a handler over it, and a client that holds every answer against the contract. */
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { object, number as whole } from 'valibot'
import { onTestFinished } from 'vitest'
import { defineTask } from '../../src/index.ts'
import type { Queue } from '../../src/runtime/durable/index.ts'
import { createHttpHandler, type HttpHandler, type HttpHandlerOptions } from '../../src/runtime/http/index.ts'
import { testQueue } from '../durable/queue-kit.ts'
import { type LogLine, memoryLogger } from '../support/harness.ts'
import { Contract } from './contract.ts'

export const mail = defineTask(
  { name: 'mail', description: (to: string) => `mail to ${to}` },
  (to: string) => to,
)
export const square = defineTask({ name: 'square', schema: object({ n: whole() }) }, ({ n }) => n * n)

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly body: any
}

export interface Ask {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Client {
  readonly contract: Contract
  ask(method: string, path: string, given?: Ask): Promise<Answer>
  follow(path: string, headers?: Readonly<Record<string, string>>): Promise<Following>
}

/** One event of a stream. */
export interface Told {
  readonly event: string | undefined
  readonly id: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly data: any
}

/** A stream that is being read. */
export interface Following {
  readonly status: number
  readonly headers: Headers
  /** Until it has ended. */
  next(): Promise<Told | undefined>
  /** Skips what does not hold. */
  until(holds: (told: Told) => boolean): Promise<Told>
  leave(): Promise<void>
}

type Fetch = (request: Request) => Promise<Response>

/** @param base - where the API is, as its client sees it */
export async function clientOf(fetch: Fetch, base = 'http://localhost', token?: string): Promise<Client> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const send = (path: string, init: RequestInit): Promise<Response> => {
    const headers = { ...authorization, ...(init.headers as object) }
    return fetch(new Request(base + path, { ...init, headers }))
  }
  const document = (await (await send('/openapi.json', {})).json()) as object
  const contract = new Contract(document)
  return {
    contract,
    async ask(method, path, { body, headers = {} } = {}) {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const response = await send(path, {
        method,
        ...(body === undefined ? {} : { body: text }),
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      })
      const said = await response.text()
      const [type = ''] = (response.headers.get('content-type') ?? '').split(';')
      const answer = said === '' ? undefined : JSON.parse(said)
      const names = [...response.headers.keys()]
      contract.check({ method, path, status: response.status, type, headers: names, body: answer })
      return { status: response.status, headers: response.headers, body: answer }
    },
    follow: async (path, headers = {}) => following(await send(path, { headers }), contract, path),
  }
}

function following(response: Response, contract: Contract, path: string): Following {
  const { status, headers } = response
  const [type = ''] = (headers.get('content-type') ?? '').split(';')
  if (status === 200)
    contract.check({ method: 'GET', path, status, type, headers: [...headers.keys()], body: undefined })
  const events = response.body
    ?.pipeThrough(new TextDecoderStream() as never)
    .pipeThrough(new EventSourceParserStream())
  const reader = events?.getReader() as ReadableStreamDefaultReader<{
    event?: string
    id?: string
    data: string
  }>
  const next = async (): Promise<Told | undefined> => {
    if (reader === undefined) return undefined
    const { done, value } = await reader.read()
    if (done) return undefined
    const data = JSON.parse(value.data)
    if (value.event === 'task') contract.hold('Task', data)
    if (value.event === 'counts') contract.hold('Counts', data)
    return { event: value.event, id: value.id, data }
  }
  return {
    status,
    headers,
    next,
    async until(holds) {
      for (let told = await next(); told !== undefined; told = await next()) if (holds(told)) return told
      throw new Error('The stream has ended before')
    },
    leave: () => reader?.cancel() ?? Promise.resolve(),
  }
}

export interface Api extends Client {
  readonly queue: Queue
  readonly handler: HttpHandler
  readonly lines: LogLine[]
}

/** A handler over a queue of its own. */
export async function openApi(options: Partial<HttpHandlerOptions> = {}): Promise<Api> {
  const queue = options.queue ?? (await testQueue())
  const lines: LogLine[] = []
  const handler = createHttpHandler({
    tasks: [mail, square],
    logger: memoryLogger(lines),
    ...options,
    queue,
  })
  onTestFinished(() => handler.close())
  const base = `http://localhost${options.basePath ?? ''}`
  const client = await clientOf(handler, base, options.token)
  return { ...client, queue, handler, lines }
}
