/** Options of the HTTP API: checked before anything is served. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import type { AnyDefinition } from '../../actors/definition.ts'
import { type Checks, check, checkOptions, refuse } from '../check.ts'
import type { Daemon } from '../durable/daemon.ts'
import type { Queue } from '../durable/queue.ts'
import { definitionTable, type TaskSource } from '../durable/task-table.ts'
import type { Supervisor } from '../supervisor.ts'

/** What answers requests below a path beside the API: metrics, a page. */
export interface HttpMount {
  /** Begins with a slash: `/metrics`. Requests for it, and for what is below it, are passed on as they are. */
  readonly path: string
  readonly fetch: (request: Request) => Response | Promise<Response>
  /** It looks after itself who may ask: the token is not asked for. @defaultValue false */
  readonly isOpen?: boolean
  /** Takes over a connection that asks to become a WebSocket, on a server of {@link serveHttp}; else it is refused. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Called when the server stops: ends what it still has open. */
  readonly close?: () => void
}

export interface HttpHandlerOptions {
  /** Whose tasks are served: a durable queue, which stays open, or a supervisor, which goes on. One of the two. */
  readonly queue?: Queue
  /** Its runs have no schedules, and can be neither moved, removed nor run once more. */
  readonly supervisor?: Supervisor
  /** What may be submitted, and nothing else: definitions, or modules that export some. @defaultValue none */
  readonly tasks?: readonly TaskSource[]
  /** The daemon of this process: while it does not work, the API is not ready. */
  readonly daemon?: Daemon
  /** Whoever asks has to know it (`Authorization: Bearer …`). At least 16 characters. @defaultValue none */
  readonly token?: string
  /** Path that the handler is mounted at, as its clients see it. @defaultValue the root */
  readonly basePath?: string
  /** Names, without a port, that requests may be sent to. @defaultValue any */
  readonly hosts?: readonly string[]
  /** Pages of other sites that may ask, as `https://app.example.org`. @defaultValue none */
  readonly origins?: readonly string[]
  /** Largest body, bytes. @defaultValue 2 MiB */
  readonly maxBodyBytes?: number
  /** How long an answer may take once its request has arrived, and how long the body of one may take, ms. @defaultValue 30000 */
  readonly timeoutMs?: number
  /** Event streams at a time. @defaultValue 1000 */
  readonly maxStreams?: number
  /** Silence on a stream, ms, before a comment is sent. @defaultValue 15000 */
  readonly heartbeatMs?: number
  /** How long the reader of a stream may take nothing, ms, before it ends. @defaultValue 30000 */
  readonly stallMs?: number
  /** What else is served: its paths go before those of the API. */
  readonly mounts?: readonly HttpMount[]
  /** Told of what goes wrong here. @defaultValue one that writes warnings to stderr */
  readonly logger?: Logger
}

const MIN_TOKEN = 16

/** A request below one of these could be meant with the path that it is mounted at, or without. */
const OWN_PATHS = ['tasks', 'schedules', 'events', 'counts', 'status', 'definitions']

const texts =
  (one: (where: string, value: unknown) => void) =>
  (where: string, value: unknown): void => {
    if (!Array.isArray(value)) refuse(where, 'an array', value)
    for (const [index, item] of value.entries()) one(`${where}[${index}]`, item)
  }

const origin = (where: string, value: unknown): void => {
  check.text(where, value)
  if (!URL.canParse(value as string) || new URL(value as string).origin !== value)
    refuse(where, "an origin: scheme, host and port, 'https://app.example.org'", value)
}

const path = (where: string, value: unknown): void => {
  if (typeof value !== 'string' || !/^(\/[\w.~-]+)+\/?$/.test(value))
    refuse(where, "a path that begins with a slash, '/queue'", value)
}

const mount = check.options({
  path,
  fetch: check.fn,
  isOpen: check.boolean,
  upgrade: check.fn,
  close: check.fn,
})

/** Never says what came. */
function checkToken(where: string, value: unknown): void {
  if (typeof value === 'string' && value.length >= MIN_TOKEN && /^[\w.~+/=-]+$/.test(value)) return
  refuse(where, `a text of at least ${MIN_TOKEN} letters, digits and the characters of a token`, typeof value)
}

export const HANDLER_CHECKS: Checks = {
  queue: check.anything,
  supervisor: check.anything,
  tasks: check.anything,
  daemon: check.having('a daemon', 'start', 'stop', 'info'),
  token: checkToken,
  basePath: (where, value) => {
    if (value === '' || value === '/') return
    path(where, value)
    const [, first = ''] = (value as string).split('/')
    if (OWN_PATHS.includes(first))
      refuse(where, 'no path of the API itself', value, "Mount it at '/queue', say.")
  },
  hosts: texts(check.text),
  origins: texts(origin),
  maxBodyBytes: check.count(1),
  timeoutMs: check.count(1),
  maxStreams: check.count(0),
  heartbeatMs: check.count(1),
  stallMs: check.count(1),
  mounts: texts(mount),
  logger: check.having('a pino logger', 'error', 'warn'),
}

/** @throws OptionError */
export function checkHandlerOptions(
  where: string,
  options: HttpHandlerOptions,
  checks: Checks = HANDLER_CHECKS,
): void {
  checkOptions(where, options, checks)
}

/** @throws OptionError for two of one name, and for what is no definition */
export function submittable(where: string, tasks: readonly TaskSource[]): ReadonlyMap<string, AnyDefinition> {
  return definitionTable(`${where}.tasks`, [], tasks)
}
