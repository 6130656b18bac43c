/** Opens durable queues. */
import { hostname } from 'node:os'
import { type Clock, systemClock } from '../../actors/clock.ts'
import type { FaultPoint } from '../../actors/store/fault-point.ts'
import type { Store } from '../../actors/store/store.ts'
import { type Checks, check, checkOptions } from '../check.ts'
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
  /** Bring tables of an older version to the newest one. Stop their other users before. @defaultValue false */
  readonly migrate?: boolean
  /** Use a file on a network file system all the same, where SQLite may lose data. @defaultValue false */
  readonly allowNetworkFileSystem?: boolean
  /** Time. @defaultValue the machine's */
  readonly clock?: Clock
  /** For tests: told of every point between two statements, where it may throw; see `stateward/testing`. */
  readonly faults?: { reach(point: FaultPoint): void }
}

const CHECKS: Checks = {
  url: check.text,
  by: check.text,
  maxInputBytes: check.count(1),
  migrate: check.boolean,
  allowNetworkFileSystem: check.boolean,
  clock: check.having('a clock', 'now', 'monotonic', 'setTimeout', 'clearTimeout'),
  faults: check.having('fault points', 'reach'),
}

const MAX_INPUT_BYTES = 1_048_576

/**
 * Opens a durable queue; a database that does not exist yet is made.
 *
 * ```ts
 * await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
 * const { id } = await queue.enqueue(sendMail, { to: 'a@example.org' })
 * ```
 * @throws OptionError for bad options and URLs
 * @throws QueueError when the database cannot be used (`ERR_STORE_…`): its folder is missing, it cannot be written, it
 *   is damaged, on a network file system, or of another version
 */
export async function openQueue(options: QueueOptions): Promise<Queue> {
  checkOptions('openQueue()', options, CHECKS)
  const url = parseQueueUrl(options.url)
  const {
    by = `${hostname()}:${process.pid}`,
    maxInputBytes = MAX_INPUT_BYTES,
    clock = systemClock,
  } = options
  const store = await openStore(url, options).catch((error: unknown) => {
    throw toQueueError(error)
  })
  return new LiveQueue(new QueueStore({ store, clock, by, maxBytes: maxInputBytes }))
}

async function openStore(
  url: QueueUrl,
  { migrate, allowNetworkFileSystem, clock, faults }: QueueOptions,
): Promise<Store> {
  const fault = faults && ((point: FaultPoint) => faults.reach(point))
  if (url.engine === 'postgres') {
    const { openPostgresStore } = await import('../../actors/store/postgres-store.ts')
    return openPostgresStore({ url: url.url, clock, migrate, fault })
  }
  // Only whoever uses it loads it: Node 22 warns that node:sqlite is experimental.
  const { openSqliteStore } = await import('../../actors/store/sqlite-store.ts')
  return openSqliteStore({ file: url.file, clock, migrate, allowNetworkFileSystem, fault })
}
