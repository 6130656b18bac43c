/** One operation of the API: where it is, what it takes and answers, in the words of OpenAPI, and what it does. */
import type { AnyDefinition } from '../../actors/definition.ts'
import type { EventStreams } from './event-streams.ts'
import type { Links } from './links.ts'
import type { TaskService } from './task-service.ts'
import { TextResponse } from './text-response.ts'

/** A JSON schema, or a reference to one. */
export type Schema = Readonly<Record<string, unknown>>

export interface Parameter {
  readonly name: string
  readonly in: 'query' | 'path' | 'header'
  readonly description: string
  readonly schema: Schema
  readonly isRequired?: boolean
}

/** What an operation answers when it does as asked. */
export interface Answer {
  readonly description: string
  /** Without one it has no body. */
  readonly schema?: Schema
  /** @defaultValue 'application/json' */
  readonly type?: string
  /** Names of headers that only this answer has. */
  readonly headers?: readonly string[]
}

export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** With `{parameters}`. */
  readonly path: string
  readonly operationId: string
  readonly summary: string
  /** What the summary has no room for. */
  readonly description?: string
  readonly parameters?: readonly Parameter[]
  /** Of the JSON object that it brings. */
  readonly body?: Schema
  /** Without a body it is taken for `{}`. */
  readonly isBodyOptional?: true
  readonly answers: Readonly<Record<number, Answer>>
  /** Statuses of the problems that it has of its own. */
  readonly problems?: readonly number[]
  /** Also for those who do not know the token. */
  readonly isOpen?: true
  act(request: RouteRequest): Promise<Response>
}

/** A request that has passed the guard. */
export interface RouteRequest {
  readonly raw: Request
  readonly query: URLSearchParams
  /** Of the path. */
  param(name: string): string
  /** What it brings, for a route that takes something. */
  readonly body: Readonly<Record<string, unknown>>
}

/** What the operations work with. */
export interface Site {
  readonly service: TaskService
  /** What may be submitted, by name. */
  readonly definitions: ReadonlyMap<string, AnyDefinition>
  readonly streams: EventStreams
  readonly links: Links
  /** Bound of a look whether it is ready. */
  readonly readinessMs: number
}

/** An answer that nobody may keep: what it says is only true now. */
export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return jsonText(JSON.stringify(value), status, headers)
}

export function jsonText(
  text: string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new TextResponse(text, {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  })
}

export function empty(status: number): Response {
  return new Response(null, { status, headers: { 'cache-control': 'no-store' } })
}

export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })

export const ID_PARAMETER: Parameter = {
  name: 'id',
  in: 'path',
  description: 'Id of a task, percent-encoded',
  schema: { type: 'string', minLength: 1 },
  isRequired: true,
}

export const INCLUDE_PARAMETER: Parameter = {
  name: 'include',
  in: 'query',
  description: 'What is only shown to whoever asks: `input`, `stack`, or both with a comma',
  schema: { type: 'string', examples: ['input', 'input,stack'] },
}
