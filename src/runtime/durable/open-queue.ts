/** Opens durable queues. */
import { hostname } from 'node:os'
import { type Clock, systemClock } from '../../actors/clock.ts'
import type { FaultPoint } from '../../actors/store/fault-point.ts'
import type { Store } from '../../actors/store/store.ts'
import { type OpenStore, UnmadeStore } from '../../actors/store/unmade-store.ts'
import { type Checks, check, checkOptions } from '../check.ts'
import { tracingOf } from '../tracing/tracing-access.ts'
import type { Tracing } from '../tracing-option.ts'
import { LiveQueue } from './live-queue.ts'
import type { Queue } from './queue.ts'
import { toQueueError } from './queue-error.ts'
import { QueueStore } from './queue-store.ts'
import { parseQueueUrl, type QueueUrl } from './queue-url.ts'

export interface QueueOptions {
  /**
   * The database: `'sqlite:./tasks.db'`, a file of which many processes of one machine may have a queue open, or
   * `'postgres://user@host/database'`, shared by any number of machines.
   */
  readonly url: string
  /** Who acts, in the operations log. @defaultValue `host:pid` */
  readonly by?: string
  /** Largest input, result or metadata, in bytes as JSON. @defaultValue 1048576 */
  readonly maxInputBytes?: number
  /** Make the file or the tables if there are none; false: refuse then (`ERR_STORE_MISSING`). @defaultValue true */
  readonly create?: boolean
  /** Bring tables of an older version to the newest one. Stop their other users before. @defaultValue false */
  readonly migrate?: boolean
  /** Use a file on a network file system all the same, where SQLite may lose data. @defaultValue false */
  readonly allowNetworkFileSystem?: boolean
  /** Traces what is enqueued: `createTracing()` of `stateward/tracing`. @defaultValue nobody */
  readonly tracing?: Tracing
  /** Time. @defaultValue the machine's */
  readonly clock?: Clock
  /** For tests: told of every point between two statements, where it may throw; see `stateward/testing`. */
  readonly faults?: { reach(point: FaultPoint): void }
}

const CHECKS: Checks = {
  url: check.text,
  by: check.wellFormed,
  maxInputBytes: check.count(1),
  create: check.boolean,
  migrate: check.boolean,
  allowNetworkFileSystem: check.boolean,
  tracing: (where, value) => void tracingOf(value, where),
  clock: check.having('a clock', 'now', 'monotonic', 'setTimeout', 'clearTimeout'),
  faults: check.having('fault points', 'reach'),
}

const MAX_INPUT_BYTES = 1_048_576

/**
 * Opens a durable queue; a file, or tables, that do not exist yet are made.
 *
 * ```ts
 * await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
 * const { id } = await queue.enqueue(sendMail, { to: 'a@example.org' })
 * ```
 * @throws OptionError for bad options and URLs
 * @throws QueueError when the database cannot be used (`ERR_STORE_…`): its folder is missing, it cannot be written, it
 *   is damaged, on a network file system, of another version, or not there with `create: false`
 */
export function openQueue(options: QueueOptions): Promise<Queue> {
  return openWith(options, (open) => open(options.create ?? true))
}

/** Like `openQueue`, for who may still find a mistake: what is not there is made by what is stored first. */
export function openQueueToMake(options: QueueOptions): Promise<Queue> {
  return openWith(options, async (open, { engine }) => {
    const capabilities = await (engine === 'postgres'
      ? import('../../actors/store/postgres-store.ts').then((module) => module.POSTGRES_CAPABILITIES)
      : import('../../actors/store/sqlite-store.ts').then((module) => module.SQLITE_CAPABILITIES))
    return open(false).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'ERR_STORE_MISSING') throw error
      return new UnmadeStore(capabilities, open)
    })
  })
}

async function openWith(
  options: QueueOptions,
  begin: (open: OpenStore, url: QueueUrl) => Promise<Store>,
): Promise<Queue> {
  checkOptions('openQueue()', options, CHECKS)
  const url = parseQueueUrl(options.url)
  const {
    by = `${hostname()}:${process.pid}`,
    maxInputBytes = MAX_INPUT_BYTES,
    clock = systemClock,
    tracing,
  } = options
  const open: OpenStore = (create) => openStore(url, { ...options, create })
  const store = await begin(open, url).catch((error: unknown) => {
    throw toQueueError(error)
  })
  const access = new QueueStore({ store, clock, by, maxBytes: maxInputBytes })
  return new LiveQueue(access, tracing && tracingOf(tracing).queue)
}

async function openStore(
  url: QueueUrl,
  { create, migrate, allowNetworkFileSystem, clock, faults }: QueueOptions,
): Promise<Store> {
  const fault = faults && ((point: FaultPoint) => faults.reach(point))
  if (url.engine === 'postgres') {
    const { openPostgresStore } = await import('../../actors/store/postgres-store.ts')
    return openPostgresStore({ url: url.url, clock, create, migrate, fault })
  }
  // Only whoever uses it loads it: Node 22 warns that node:sqlite is experimental.
  const { openSqliteStore } = await import('../../actors/store/sqlite-store.ts')
  return openSqliteStore({ file: url.file, clock, create, migrate, allowNetworkFileSystem, fault })
}
