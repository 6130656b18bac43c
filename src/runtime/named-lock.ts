/**
 * One named lock of this thread.
 *
 * - `free`: nobody holds it and nobody waits.
 * - `held`: one holder; others wait in the order in which they came. A release hands it to the first of them.
 *
 * A waiter is told once: it gets the lock, or its time is over, or its signal is aborted, or the run that acquires has ended;
 * in all but the first case it has left the line when it is told. The lock is authoritative for who holds it; a hold that has
 * been released, or taken twice by the same holder, counts itself. What a run acquired is released at the latest when
 * its handler has ended; what code of an ended run takes later is taken outside of runs.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Timer, TimerOwner } from '../actors/armed-timers.ts'
import { type Clock, systemClock } from '../actors/clock.ts'
import { type CurrentRun, type RunScope, scopes } from '../actors/run-scope.ts'
import { TimerQueue } from '../actors/timer-queue.ts'
import { LockTimeoutError, OptionError } from './errors.ts'

/** Who holds a lock. */
export interface LockHolder {
  /** The run that holds it; `undefined` outside of runs, or when runs are not followed yet. */
  readonly run: CurrentRun | undefined
  readonly heldMs: number
}

/** Told to `onTimeout`. */
export interface LockTimeout {
  readonly lock: string
  readonly timeoutMs: number
  readonly holder: LockHolder | undefined
  /** How many others still wait. */
  readonly waiting: number
}

export interface LockOptions {
  /** How long to wait for it at most. @defaultValue Infinity */
  readonly timeoutMs?: number
  /**
   * Called when that is over, before the wait rejects with a {@link LockTimeoutError}. A promise of it is not awaited. What
   * it throws becomes the cause of that error, and so does what it rejects with, as soon as it does.
   *
   * @defaultValue none
   */
  readonly onTimeout?: (info: LockTimeout) => unknown
  /** Ends the wait when it is aborted, with its reason. */
  readonly signal?: AbortSignal
}

/** A lock that is held. `await using` releases it; so does `release`, which may be called again. */
export interface LockHold extends Disposable, AsyncDisposable {
  readonly lock: string
  release(): void
}

/** How the same holder is known again: by its run, or by the call that it is in. */
type Owner =
  | { readonly by: 'run'; readonly scope: RunScope | undefined }
  | { readonly by: 'call'; readonly scope: RunScope | undefined }

interface Holding {
  readonly owner: Owner
  readonly since: number
  /** Holds that are not released: nested ones count. */
  depth: number
}

/** The `run` calls that the code on the stack is in, the innermost first. */
interface Calls {
  readonly holding: Holding
  readonly outer: Calls | undefined
}

let calls: AsyncLocalStorage<Calls> | undefined

// A wait with a bound keeps the process alive: something is going to happen.
const timers = new TimerQueue({ ...systemClock, setTimeout: (fn, ms) => setTimeout(fn, ms) })

class Waiter implements TimerOwner {
  readonly owner: Owner
  readonly options: LockOptions
  readonly #wait = Promise.withResolvers<Holding>()
  readonly #leave: (waiter: Waiter) => void
  readonly #timedOut: (waiter: Waiter) => unknown
  #timer: Timer | undefined
  readonly #abort = (): void => this.#end(() => this.#wait.reject(this.options.signal?.reason))
  readonly #stay: (() => void) | undefined

  constructor(
    owner: Owner,
    options: LockOptions,
    queue: TimerQueue,
    now: number,
    leave: (waiter: Waiter) => void,
    timedOut: (waiter: Waiter) => unknown,
  ) {
    this.owner = owner
    this.options = options
    this.#leave = leave
    this.#timedOut = timedOut
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options
    if (timeoutMs !== Number.POSITIVE_INFINITY) this.#timer = queue.arm(now + timeoutMs, this, 'lock')
    signal?.addEventListener('abort', this.#abort, { once: true })
    this.#queue = queue
    // Nobody would release what it got then. A call releases by itself.
    if (owner.by === 'run')
      this.#stay = owner.scope?.atEnd(() => this.#end(() => this.#wait.reject(ended(owner))))
  }

  readonly #queue: TimerQueue

  get holding(): Promise<Holding> {
    return this.#wait.promise
  }

  give(holding: Holding): void {
    this.#end(() => this.#wait.resolve(holding))
  }

  onTimer(): void {
    this.#timer = undefined
    this.#end(() => this.#wait.reject(this.#timedOut(this)))
  }

  #end(tell: () => void): void {
    if (this.#timer !== undefined) this.#queue.cancel(this.#timer)
    this.options.signal?.removeEventListener('abort', this.#abort)
    this.#stay?.()
    this.#leave(this)
    tell()
  }
}

export class NamedLock {
  readonly name: string
  readonly #timers: TimerQueue
  readonly #now: () => number
  readonly #onFree: () => void
  #holding: Holding | undefined
  /** In the order in which they came. */
  readonly #waiting: Set<Waiter> = new Set()
  readonly #leave = (waiter: Waiter): void => void this.#waiting.delete(waiter)
  readonly #timedOut = (waiter: Waiter): unknown => this.#toError(waiter.options)

  /** `onFree` is told when nobody has to do with it any more. */
  constructor(name: string, onFree: () => void, clock: Clock = systemClock, queue: TimerQueue = timers) {
    this.name = name
    this.#onFree = onFree
    this.#timers = queue
    this.#now = () => clock.monotonic()
  }

  get state(): 'free' | 'held' {
    return this.#holding === undefined ? 'free' : 'held'
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get holder(): LockHolder | undefined {
    if (this.#holding === undefined) return undefined
    const { owner, since } = this.#holding
    return { run: owner.scope?.run, heldMs: this.#now() - since }
  }

  /** Known again by its run: what the same run acquires meanwhile passes through. */
  async acquire(options: LockOptions): Promise<LockHold> {
    const scope = currentScope()
    return this.#holdOf(await this.#take({ by: 'run', scope }, options), scope)
  }

  /** Known again by the call: only what `body` calls passes through. */
  async run<Output>(body: () => Output | Promise<Output>, options: LockOptions): Promise<Output> {
    const holding = await this.#take({ by: 'call', scope: currentScope() }, options)
    try {
      calls ??= new AsyncLocalStorage<Calls>()
      return await calls.run({ holding, outer: calls.getStore() }, body)
    } finally {
      this.#release(holding)
    }
  }

  async #take(owner: Owner, options: LockOptions): Promise<Holding> {
    const holding = this.#holding
    if (options.signal?.aborted === true) {
      if (holding === undefined) this.#onFree()
      throw options.signal.reason
    }
    if (holding === undefined) return this.#give(owner)
    if (isSame(holding, owner)) {
      holding.depth += 1
      return holding
    }
    const waiter = new Waiter(owner, options, this.#timers, this.#now(), this.#leave, this.#timedOut)
    this.#waiting.add(waiter)
    return waiter.holding
  }

  #give(owner: Owner): Holding {
    const holding: Holding = { owner, since: this.#now(), depth: 1 }
    this.#holding = holding
    return holding
  }

  #release(holding: Holding): void {
    holding.depth -= 1
    if (holding.depth > 0) return
    this.#holding = undefined
    const [next] = this.#waiting
    // Handed over at once: nobody who comes now gets in before.
    if (next === undefined) this.#onFree()
    else next.give(this.#give(next.owner))
  }

  #holdOf(holding: Holding, scope: RunScope | undefined): LockHold {
    let held: Holding | undefined = holding
    const release = (): void => {
      const mine = held
      held = undefined
      stay?.()
      if (mine !== undefined) this.#release(mine)
    }
    const stay = scope?.atEnd(release)
    // It got the lock, and ended before it was told.
    if (scope?.hasEnded === true) release()
    return {
      lock: this.name,
      release,
      [Symbol.dispose]: release,
      [Symbol.asyncDispose]: async () => release(),
    }
  }

  /** The hook has its say first; whatever it does, the wait rejects. */
  #toError({ timeoutMs = 0, onTimeout }: LockOptions): LockTimeoutError {
    const { name, holder, waiting } = this
    const run = holder?.run
    const by = run === undefined ? 'somebody outside of runs' : `task "${run.name}" (run ${run.runId})`
    const held = holder === undefined ? '' : `: ${by} has held it for ${Math.round(holder.heldMs)} ms`
    const message = `Lock "${name}" was not free within ${timeoutMs} ms${held}`
    const facts = { code: 'ERR_LOCK_TIMED_OUT', lock: name, timeoutMs }
    const error = new LockTimeoutError(message, facts)
    const fail = (cause: unknown): void => {
      Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true })
    }
    try {
      const told = onTimeout?.({ lock: name, timeoutMs, holder, waiting })
      // The wait must not hang on it, and what it rejects with must reach somebody.
      if (told instanceof Promise) told.catch(fail)
    } catch (cause) {
      fail(cause)
    }
    return error
  }
}

/** The run that the calling code belongs to, unless it has ended. */
function currentScope(): RunScope | undefined {
  const scope = scopes()?.getStore()
  return scope?.hasEnded === true ? undefined : scope
}

function ended({ scope }: Owner): OptionError {
  const { runId, name } = scope?.run ?? {}
  return new OptionError(`Run ${runId} has ended while it waited for a lock: nobody would release it.`, {
    code: 'ERR_RUN_ENDED',
    runId,
    taskName: name,
  })
}

/** Whether `owner` asks from inside of what holds the lock. */
function isSame(holding: Holding, owner: Owner): boolean {
  // What one run began is not inside of it when another run does it.
  if (holding.owner.scope !== owner.scope) return false
  if (holding.owner.by === 'run') return owner.scope !== undefined
  for (let call = calls?.getStore(); call !== undefined; call = call.outer) {
    if (call.holding === holding) return true
  }
  return false
}
