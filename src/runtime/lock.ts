/** Named locks of this thread: what has the same name excludes each other. */
import { followRuns } from '../actors/run-scope.ts'
import { type Checks, check, checkOptions } from './check.ts'
import { type LockHold, type LockHolder, type LockOptions, NamedLock } from './named-lock.ts'

/** A lock by its name. Who comes first is served first. */
export interface Lock {
  readonly name: string
  readonly state: 'free' | 'held'
  readonly holder: LockHolder | undefined
  /** How many wait for it. */
  readonly waiting: number
  /**
   * Runs `body` while nobody else holds the lock, and releases it whatever becomes of `body`. What `body` calls may take
   * the lock again; other calls, also of the same run, wait.
   *
   * @throws LockTimeoutError (`ERR_LOCK_TIMED_OUT`); the reason of the signal; `body` has not been called then
   */
  run<Output>(body: () => Output | Promise<Output>, options?: LockOptions): Promise<Output>
  /**
   * Resolves when the lock is held: until its release, best by `await using`. It belongs to the run: what the same run
   * takes meanwhile passes through, and when the handler has ended (each attempt is one) it is released. Outside of runs
   * it may not be taken again.
   *
   * @throws LockTimeoutError (`ERR_LOCK_TIMED_OUT`); the reason of the signal; OptionError (`ERR_RUN_ENDED`) when
   *   the run ends before it gets the lock
   */
  acquire(options?: LockOptions): Promise<LockHold>
}

const lockChecks: Checks = { timeoutMs: check.duration, onTimeout: check.fn, signal: check.signal }

/** Only those that are held: names may be many. */
const locks: Map<string, NamedLock> = new Map()

/**
 * The lock called `name`, of this thread or process: others have their own. Runs are followed from the first call on:
 * make locks at the top of a module, so that each run is known again.
 *
 * @throws OptionError (`ERR_OPTION_INVALID`)
 */
export function lock(name: string): Lock {
  check.text('lock(name)', name)
  followRuns()
  return {
    name,
    get state() {
      return locks.get(name)?.state ?? 'free'
    },
    get holder() {
      return locks.get(name)?.holder
    },
    get waiting() {
      return locks.get(name)?.waiting ?? 0
    },
    async run(body, options = {}) {
      check.fn('lock().run(body)', body)
      checkOptions('lock().run(…, options)', options, lockChecks)
      return lockOf(name).run(body, options)
    },
    acquire(options = {}) {
      const acquired = acquire(name, options)
      // Of a run that ends without having awaited it.
      acquired.catch(() => {})
      return acquired
    },
  }
}

async function acquire(name: string, options: LockOptions): Promise<LockHold> {
  checkOptions('lock().acquire()', options, lockChecks)
  return lockOf(name).acquire(options)
}

/** Kept while somebody has to do with it. */
function lockOf(name: string): NamedLock {
  const known = locks.get(name)
  if (known !== undefined) return known
  const made = new NamedLock(name, () => locks.delete(name))
  locks.set(name, made)
  return made
}
