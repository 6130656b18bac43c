/** `serveInspector`: an inspector that is up, and its end. */
import { randomBytes } from 'node:crypto'
import { type Checks, check, checkOptions, refuse } from '../check.ts'
import type { Queue } from '../durable/queue.ts'
import { storeOf } from '../durable/queue-access.ts'
import { StatewardError } from '../errors.ts'
import { isLoopback } from '../http/server-options.ts'
import type { LiveSupervisor } from '../live-supervisor.ts'
import { say } from '../logger.ts'
import { type AccessOptions, isToken } from './access.ts'
import { Charts } from './charts.ts'
import { Feed } from './feed.ts'
import type { Inspector, InspectorOptions } from './inspector.ts'
import { InspectorServer } from './inspector-server.ts'
import type { Goodbye } from './messages.ts'
import { pageFolder, readPage } from './page-files.ts'
import { QueueSource } from './queue-source.ts'
import type { Source } from './source.ts'
import { StatelyFeed } from './stately-feed.ts'
import { SupervisorSource } from './supervisor-source.ts'
import { checkToken } from './token.ts'

const checks: Checks = {
  port: check.number(0, 65_535),
  host: check.text,
  token: checkToken,
  names: (where, value) => {
    if (!Array.isArray(value) || value.some((name) => typeof name !== 'string' || name === ''))
      refuse(where, 'an array of host names', value)
  },
  queue: (where, value) => void storeOf(value as object, where),
}

/** @throws OptionError */
export function checkInspectorOptions(where: string, options: InspectorOptions): void {
  checkOptions(where, options, checks)
  const { port = 0, host = '127.0.0.1', token } = options
  if (!Number.isInteger(port)) refuse(`${where}.port`, 'a whole number', port)
  if (!isLoopback(host) && token === undefined)
    refuse(`${where}.token`, 'given', token, `Others can reach ${host}: they see nothing without the token.`)
}

export interface InspectorParts {
  sources(charts: Charts): readonly Source[]
  /** For Stately's inspectors. */
  stately?(charts: Charts): StatelyFeed
  /** Why pages have to go, when they do. */
  farewell(): Goodbye['reason']
  onError(error: unknown): void
  readonly holds: boolean
}

/** The options have been checked. @throws StatewardError (`ERR_LISTEN_FAILED`) */
async function openInspector(options: InspectorOptions, parts: InspectorParts): Promise<Inspector> {
  const { port = 0, host = '127.0.0.1', token = randomBytes(24).toString('base64url'), names = [] } = options
  const access: AccessOptions = { host, token, names: names.map((name) => name.toLowerCase()) }
  const charts = new Charts()
  const feed = new Feed({
    sources: parts.sources(charts),
    charts,
    isToken: (given) => isToken(given, access),
    farewell: () => parts.farewell(),
    onError: parts.onError,
  })
  const files = await readPage(pageFolder())
  const stately = parts.stately?.(charts)
  const server = new InspectorServer({ access, port, files, feed, stately, holds: parts.holds })
  let bound: number
  try {
    bound = await server.listen()
  } catch (error) {
    throw new StatewardError(
      `The inspector cannot listen on ${host}, port ${port}: ${(error as Error).message}`,
      {
        code: 'ERR_LISTEN_FAILED',
        cause: error,
      },
    )
  }
  const address = `http://${host.includes(':') ? `[${host}]` : host}:${bound}/`
  const close = (): Promise<void> => server.close()
  return {
    address,
    url: `${address}#token=${token}`,
    port: bound,
    token,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** For a supervisor of this process. The options have been checked. @throws StatewardError (`ERR_LISTEN_FAILED`) */
export function inspectSupervisor(supervisor: LiveSupervisor, options: InspectorOptions): Promise<Inspector> {
  const { queue } = options
  const { parts } = supervisor
  return openInspector(options, {
    sources: (charts) => [
      new SupervisorSource(supervisor, charts),
      ...(queue === undefined ? [] : [new QueueSource(queue, charts, () => daemonOf(parts))]),
    ],
    stately: (charts) => new StatelyFeed(supervisor, charts),
    farewell: () => farewellOf(supervisor),
    onError: (error) => say(parts.ports.logger, 'error', { err: error }, 'the inspector failed'),
    holds: false,
  })
}

/** For a durable queue alone. The options have been checked. @throws StatewardError (`ERR_LISTEN_FAILED`) */
export function inspectQueue(queue: Queue, options: InspectorOptions): Promise<Inspector> {
  return openInspector(options, {
    sources: (charts) => [new QueueSource(queue, charts, () => null)],
    farewell: () => 'closed',
    onError: () => {},
    holds: true,
  })
}

function farewellOf({ state }: LiveSupervisor): Goodbye['reason'] {
  return state === 'stopped' || state === 'failed' ? state : 'closed'
}

/** Name of the daemon of this supervisor. */
function daemonOf({ children }: LiveSupervisor['parts']): string | null {
  for (const { id, spec } of children.children.values())
    if (spec.kind === 'daemon') return id.replace('daemon:', '')
  return null
}
