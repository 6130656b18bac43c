/**
 * Everybody who waits for the end of a task, and the one look at the store that serves them all.
 *
 * - idle: nobody waits: no timer, and the process may exit. From the first wait on news are listened to until the end, since
 *   other processes need a while to find a new listener.
 * - watching: somebody waits. News of the store lead to a look, and so does every second without any. The process stays.
 * - looking, lookingAgain: one look is on its way; news that come meanwhile lead to another one.
 * - resting, restingAgain: a look at many tasks was taken; the next one has to wait a little, so that reading stays a small
 *   part of what this process does, however fast news come.
 * - closed: every wait has been rejected, and every new one is.
 *
 * The store is authoritative. While it cannot be asked the waits go on, up to a limit; then they reject with what it
 * said. Every wait settles.
 */
import type { Clock } from '../../actors/clock.ts'
import { MAX_DELAY_MS } from '../../actors/clock.ts'
import { KeepAlive } from '../../actors/keep-alive.ts'
import type { WakeTopic } from '../../actors/store/store.ts'
import { StoreError } from '../../actors/store/store-error.ts'
import type { TaskRecord } from '../../actors/store/task-record.ts'
import { WaitTimeoutError } from '../errors.ts'
import { toQueueError, unknownTask } from './queue-error.ts'
import { outcomeOf } from './stored-outcome.ts'

/** What waits need of a store. */
export interface WaitPorts {
  readonly clock: Clock
  get(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]>
  wake(topic: WakeTopic, listener: () => void): () => void
}

interface Waiter {
  readonly id: string
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly timeoutMs: number
  /** Takes its timer and its listener away. */
  readonly release: () => void
  /** `new`: no look has met it. `late`: its time is over, and the first look still decides. `known`: it has not ended. */
  stage: 'new' | 'late' | 'known'
}

/** Between looks when no news come. */
const POLL_MS = 1_000
/** How long the store may be away. */
const AWAY_LIMIT_MS = 60_000
/** Ids of one read: a longer one would hold the event loop. */
const IDS_PER_READ = 500

/** Tasks that are looked at for a millisecond of rest. */
const IDS_PER_REST_MS = 10

type Phase = 'idle' | 'watching' | 'looking' | 'lookingAgain' | 'resting' | 'restingAgain' | 'closed'

/** What news change, besides that they lead to a look. */
const ON_NEWS: Partial<Record<Phase, Phase>> = { looking: 'lookingAgain', resting: 'restingAgain' }

export class QueueWaits {
  readonly #ports: WaitPorts
  readonly #waiters = new Map<string, Set<Waiter>>()
  readonly #keepAlive = new KeepAlive()
  #phase: Phase = 'idle'
  #endWake: (() => void) | undefined
  #poll: unknown
  /** Since when the store cannot be asked, on the monotonic clock. */
  #awaySince: number | undefined

  constructor(ports: WaitPorts) {
    this.#ports = ports
  }

  /** @param timeoutMs - `Infinity` for no bound */
  wait(id: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.#phase === 'closed') return Promise.reject(closedError())
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const timer = this.#arm(timeoutMs, () => this.#onTime(waiter))
    const onAbort = (): void => this.#settle(waiter, () => reject(signal?.reason))
    signal?.addEventListener('abort', onAbort, { once: true })
    const release = (): void => {
      timer.clear()
      signal?.removeEventListener('abort', onAbort)
    }
    const waiter: Waiter = {
      id,
      resolve,
      reject,
      timeoutMs,
      release,
      stage: timeoutMs === 0 ? 'late' : 'new',
    }
    const those = this.#waiters.get(id) ?? new Set()
    this.#waiters.set(id, those.add(waiter))
    this.#watch()
    this.#look()
    return promise
  }

  /** Rejects all. */
  close(): void {
    const waiters = this.#all()
    for (const waiter of waiters) this.#settle(waiter, () => waiter.reject(closedError()))
    this.#end()
    this.#endWake?.()
    this.#phase = 'closed'
  }

  #watch(): void {
    if (this.#phase !== 'idle') return
    this.#phase = 'watching'
    this.#keepAlive.hold()
    this.#endWake ??= this.#ports.wake('news', () => this.#look())
  }

  /** Nobody waits any more. */
  #end(): void {
    this.#keepAlive.release()
    this.#disarmPoll()
    this.#awaySince = undefined
    this.#phase = 'idle'
  }

  #look(): void {
    this.#phase = ON_NEWS[this.#phase] ?? this.#phase
    if (this.#phase !== 'watching') return
    this.#phase = 'looking'
    this.#disarmPoll()
    void this.#ask()
  }

  async #ask(): Promise<void> {
    const ids = [...this.#waiters.keys()]
    try {
      for (let from = 0; from < ids.length; from += IDS_PER_READ) {
        const some = ids.slice(from, from + IDS_PER_READ)
        const found = await this.#ports.get(some)
        for (const [index, id] of some.entries()) this.#judge(id, found[index])
      }
      this.#awaySince = undefined
    } catch (error) {
      this.#giveUpWhenAwayTooLong(error)
    }
    this.#lookedUp(Math.min(POLL_MS, Math.floor(ids.length / IDS_PER_REST_MS)))
  }

  #lookedUp(restMs: number): void {
    // Closed meanwhile.
    if (this.#phase !== 'looking' && this.#phase !== 'lookingAgain') return
    // While the store is away no news are believed: the poll asks it in time.
    const again = this.#phase === 'lookingAgain' && this.#awaySince === undefined
    this.#phase = again ? 'restingAgain' : 'resting'
    if (this.#waiters.size === 0) return this.#end()
    if (restMs === 0) return this.#rested()
    this.#poll = this.#ports.clock.setTimeout(() => this.#rested(), restMs)
  }

  #rested(): void {
    const again = this.#phase === 'restingAgain'
    this.#phase = 'watching'
    if (again) this.#look()
    else this.#poll = this.#ports.clock.setTimeout(() => this.#look(), POLL_MS)
  }

  #judge(id: string, record: TaskRecord | undefined): void {
    const outcome = record === undefined ? undefined : outcomeOf(record)
    if (record !== undefined && outcome === undefined) return this.#goOn(id)
    for (const waiter of this.#waiters.get(id) ?? []) {
      this.#settle(waiter, () => {
        if (outcome === undefined) waiter.reject(unknownTask(id))
        else if (outcome.kind === 'finished') waiter.resolve(outcome.value)
        else waiter.reject(outcome.error)
      })
    }
  }

  /** It has not ended. */
  #goOn(id: string): void {
    for (const waiter of this.#waiters.get(id) ?? []) {
      if (waiter.stage === 'late') this.#timeOut(waiter)
      waiter.stage = 'known'
    }
  }

  #giveUpWhenAwayTooLong(error: unknown): void {
    for (const waiter of this.#all()) if (waiter.stage === 'late') this.#timeOut(waiter)
    const now = this.#ports.clock.monotonic()
    this.#awaySince ??= now
    if (now - this.#awaySince < AWAY_LIMIT_MS) return
    const queueError = toQueueError(error)
    for (const waiter of this.#all()) this.#settle(waiter, () => waiter.reject(queueError))
  }

  #onTime(waiter: Waiter): void {
    if (waiter.stage === 'known') this.#timeOut(waiter)
    else waiter.stage = 'late'
  }

  #timeOut(waiter: Waiter): void {
    const { id, timeoutMs, reject } = waiter
    this.#settle(waiter, () => {
      reject(
        new WaitTimeoutError(`Task "${id}" had not ended after ${timeoutMs} ms. It goes on.`, {
          code: 'ERR_WAIT_TIMED_OUT',
          runId: id,
        }),
      )
    })
  }

  #settle(waiter: Waiter, act: () => void): void {
    const those = this.#waiters.get(waiter.id)
    if (those?.delete(waiter) !== true) return
    waiter.release()
    if (those.size === 0) this.#waiters.delete(waiter.id)
    act()
    // A look that is on its way ends it by itself.
    const isLooking = this.#phase === 'looking' || this.#phase === 'lookingAgain'
    if (this.#waiters.size === 0 && !isLooking) this.#end()
  }

  #all(): Waiter[] {
    return [...this.#waiters.values()].flatMap((those) => [...those])
  }

  #disarmPoll(): void {
    this.#ports.clock.clearTimeout(this.#poll)
    this.#poll = undefined
  }

  /** Longer delays than a timer holds are armed in steps. */
  #arm(ms: number, onTime: () => void): { clear(): void } {
    const { clock } = this.#ports
    if (ms === 0 || ms === Number.POSITIVE_INFINITY) return { clear: () => {} }
    const end = clock.monotonic() + ms
    let timer: unknown
    const step = (): void => {
      const left = end - clock.monotonic()
      if (left <= 0) onTime()
      else timer = clock.setTimeout(step, Math.min(Math.ceil(left), MAX_DELAY_MS))
    }
    step()
    return { clear: () => clock.clearTimeout(timer) }
  }
}

function closedError(): Error {
  return toQueueError(new StoreError('ERR_STORE_CLOSED', 'The queue was closed while a task was waited for.'))
}
