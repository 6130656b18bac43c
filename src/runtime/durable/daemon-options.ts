/** Options of a daemon: checked before it exists. */
import type { PruneOperation } from '../../actors/store/operations.ts'
import { ENDED_STATES, type EndedState } from '../../machines/stored-task.ts'
import { type Checks, check, checkOptions, refuse } from '../check.ts'
import { checkReach, type HttpServerOptions, SERVER_CHECKS } from '../http/server-options.ts'
import type { Supervisor } from '../supervisor.ts'
import type { Queue } from './queue.ts'
import type { TaskSource } from './task-table.ts'

/** How long, and how many, ended tasks of one state are kept. What is given must both hold. */
export interface Retention {
  /** Since their end, ms. @defaultValue Infinity */
  readonly ageMs?: number
  /** The ones that ended last. @defaultValue Infinity */
  readonly count?: number
}

export interface DaemonOptions {
  /** Whose tasks it runs. It stays open when the daemon stops. */
  readonly queue: Queue
  /** Runs them. The daemon is a child of it, listed by `which()`, and stopped with it. */
  readonly supervisor: Supervisor
  /** What it can run: definitions, or modules that export some. */
  readonly tasks: readonly TaskSource[]
  /** For people, and unique among the daemons of a supervisor. @defaultValue 'default' */
  readonly name?: string
  /**
   * How long a task is this daemon's without a word of it: after a `kill -9` it runs again elsewhere when that is over. A
   * daemon that cannot reach the database for so long ends its tasks. At least what the engine says. While the database takes so
   * long to answer that leases would end on the way, they are longer, up to 32 times. @defaultValue 10000
   */
  readonly leaseMs?: number
  /** A task that loses its lease more often than this is terminated (`awol`). @defaultValue 3 */
  readonly lostLimit?: number
  /** Most tasks claimed ahead of free places, for tasks that take no time. @defaultValue 2000 */
  readonly prefetch?: number
  /**
   * What becomes of stored tasks whose name it does not know: they fail as `unknownTask`, or are left for other
   * daemons. @defaultValue 'fail'
   */
  readonly unknownTasks?: 'fail' | 'leave'
  /**
   * What is kept of ended tasks, by state. What is older, or beyond the count, is forgotten in small batches.
   * @defaultValue a week of finished and cancelled ones, a month of failed and terminated ones
   */
  readonly keep?: Readonly<Partial<Record<EndedState, Retention>>>
  /**
   * Serves the queue over HTTP while the daemon lives, on this machine only unless it says otherwise: options of `serveHttp`.
   * Its own tasks may be submitted, if it does not say which. @defaultValue none
   */
  readonly http?: Omit<HttpServerOptions, 'queue' | 'daemon'>
}

/** Smallest `leaseMs`. */
export const MIN_LEASE_MS = 100

const DAY_MS = 86_400_000

const KEEP: Readonly<Record<EndedState, Retention>> = {
  finished: { ageMs: 7 * DAY_MS },
  cancelled: { ageMs: 7 * DAY_MS },
  failed: { ageMs: 30 * DAY_MS },
  terminated: { ageMs: 30 * DAY_MS },
}

const never = check.either('a whole number from 0 on, or Infinity', check.count(0), (_, value) => {
  if (value !== Number.POSITIVE_INFINITY) throw new TypeError()
})
const retention = check.options({ ageMs: check.duration, count: never })

const checks: Checks = {
  queue: check.anything,
  supervisor: check.anything,
  tasks: check.anything,
  name: check.text,
  leaseMs: check.count(MIN_LEASE_MS),
  lostLimit: check.count(0),
  prefetch: check.count(0),
  unknownTasks: check.oneOf('fail', 'leave'),
  http: checkDaemonHttp,
  keep: check.options(Object.fromEntries(ENDED_STATES.map((state) => [state, retention]))),
}

/** @throws OptionError */
function checkDaemonHttp(where: string, value: unknown): void {
  check.options({ ...SERVER_CHECKS, queue: refused, daemon: refused })(where, value)
  checkReach(where, value as DaemonOptions['http'] & {})
}

function refused(where: string, value: unknown): void {
  refuse(where, 'left out: it is the one of the daemon', value)
}

/** @throws OptionError */
export function checkDaemonOptions(options: DaemonOptions): void {
  checkOptions('createDaemon()', options, checks)
  const { name = '' } = options
  if (name.includes('/')) refuse('createDaemon().name', 'free of "/"', name)
}

/** The options have been checked. */
export function pruneRules(keep: DaemonOptions['keep'] = {}): PruneOperation['keep'] {
  return ENDED_STATES.flatMap((state) => {
    const { ageMs = Number.POSITIVE_INFINITY, count = Number.POSITIVE_INFINITY } = keep[state] ?? KEEP[state]
    const isBounded = Number.isFinite(ageMs) || Number.isFinite(count)
    if (!isBounded) return []
    return {
      state,
      ...(Number.isFinite(ageMs) ? { ms: Math.ceil(ageMs) } : {}),
      ...(Number.isFinite(count) ? { count } : {}),
    }
  })
}
