/**
 * What threads and processes have in common: a bench of slots, one attempt in each.
 *
 * A job goes to an idle slot, one that has its definition loaded if possible, else the one that worked
 * last. Without an idle slot it waits for one that starts, or for the next that becomes idle. Slots beyond
 * `min` are retired when idle for too long. A slot that dies takes at most one job with it and is replaced
 * when needed; one that cannot start fails the job that waits longest, so that nothing is tried without
 * end.
 *
 * Authority: the slot machines say what a slot may be used for, this class says for what.
 */
import type { AttemptHandle, AttemptListener, Executor, Job } from '../attempt.ts'
import type { HostAttempt } from './host-attempt.ts'
import { IdleReaper, type IdleSlot } from './idle-reaper.ts'
import { TaskRefs } from './task-refs.ts'
import type { RemoteMessage, WireResult } from './wire.ts'

export interface Sizes {
  /** How many are kept warm. */
  readonly min: number
  /** Most at any time. */
  readonly max: number
}

export interface SlotExecutorOptions extends Sizes {
  /** How long a slot beyond `min` may be idle. */
  readonly idleTimeoutMs: number
  /** pino's level for `ctx.log`. */
  readonly logLevel: string
}

export type SlotCommand =
  | { readonly type: 'job.assigned' }
  | { readonly type: 'job.settled'; readonly keep: boolean }
  | { readonly type: 'slot.retire' }
  | { readonly type: 'slot.kill' }

export interface Slot<Attempt> extends IdleSlot {
  readonly id: number
  /** State of its machine. */
  readonly state: string
  /** The job in it, until its result or the slot's end is seen. */
  attempt: Attempt | undefined
  /** The definitions that it has loaded. */
  readonly loaded: Set<number>
  send(command: SlotCommand): void
}

/** What a slot tells its executor. */
export interface SlotOwner<S> {
  /** It takes jobs. */
  onIdle(slot: S): void
  /** It does not take jobs any more. */
  onTaken(slot: S): void
  onStartFailure(error: Error): void
  /** It has exited. */
  onGone(slot: S): void
}

export type SlotAttempt<S> = HostAttempt & AttemptHandle & { slot: S | undefined }

const STANDING = new Set(['starting', 'idle', 'busy'])

export abstract class SlotExecutor<S extends Slot<A>, A extends SlotAttempt<S>>
  implements Executor, SlotOwner<S>
{
  protected readonly options: SlotExecutorOptions
  readonly #slots = new Map<number, S>()
  /** The one that worked last is on top. */
  readonly #idle: S[] = []
  readonly #waiting: A[] = []
  readonly #refs = new TaskRefs()
  readonly #reaper: IdleReaper<S>
  #sizes: Sizes
  #warming: PromiseWithResolvers<void> | undefined
  #closing: { readonly done: Promise<void>; readonly empty: PromiseWithResolvers<void> } | undefined

  constructor(options: SlotExecutorOptions) {
    this.options = options
    this.#sizes = options
    this.#reaper = new IdleReaper(
      options.idleTimeoutMs,
      () => this.#idle.slice(0, Math.max(0, this.#standing() - this.#sizes.min)),
      (slot) => slot.send({ type: 'slot.retire' }),
    )
  }

  /** Makes the attempt; `withdraw` takes it back while no slot has it. */
  protected abstract attemptFor(
    job: Job,
    ref: number,
    listener: AttemptListener,
    withdraw: (it: A) => void,
  ): A
  /** Begins to start one slot; `undefined` if there cannot be one more just now. */
  protected abstract spawn(): S | undefined
  /** Sends the job to the slot that it is in. */
  protected abstract handOver(attempt: A, slot: S, isWarm: boolean): void
  /** The bound has changed. */
  protected onResize(_max: number): void {}
  /** Every slot is told to end; resolves when what is under the slots has ended too. */
  protected onClose(): Promise<void> | undefined {
    return undefined
  }

  get live(): number {
    return this.#slots.size
  }

  get idle(): number {
    return this.#idle.length
  }

  start(job: Job, listener: AttemptListener): AttemptHandle {
    const attempt = this.attemptFor(job, this.#refs.of(job), listener, this.#withdraw)
    if (this.#closing !== undefined) {
      this.#refuse(attempt, closedError())
      return attempt
    }
    const slot = this.#idleFor(attempt.ref)
    if (slot !== undefined) this.#dispatch(attempt, slot)
    else {
      this.#waiting.push(attempt)
      this.#spawnAsNeeded()
    }
    return attempt
  }

  resize(size: Sizes): void {
    this.#sizes = size
    this.onResize(size.max)
    for (let surplus = this.#standing() - size.max; surplus > 0 && this.#idle.length > 0; surplus--) {
      this.#idle[0]?.send({ type: 'slot.retire' })
    }
    if (this.#closing === undefined) this.#spawnAsNeeded()
    if (this.#idle.length > 0) this.#reaper.watch()
  }

  warm(): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError())
    this.#warming ??= Promise.withResolvers<void>()
    const { promise } = this.#warming
    promise.catch(() => {})
    this.#spawnAsNeeded()
    this.#checkWarm()
    return promise
  }

  close(): Promise<void> {
    this.#closing ??= this.#beginClose()
    return this.#closing.done
  }

  onIdle(slot: S): void {
    const next = this.#waiting.shift()
    if (next !== undefined) return this.#dispatch(next, slot)
    this.#idle.push(slot)
    // The bound was lowered while it started.
    if (this.#slots.size > this.#sizes.max && this.#standing() > this.#sizes.max) {
      return slot.send({ type: 'slot.retire' })
    }
    this.#checkWarm()
    if (this.#slots.size > this.#sizes.min) this.#reaper.watch()
  }

  onTaken(slot: S): void {
    if (this.#idle.at(-1) === slot) this.#idle.pop()
    else if (this.#idle.includes(slot)) this.#idle.splice(this.#idle.indexOf(slot), 1)
  }

  onStartFailure(error: Error): void {
    this.#warming?.reject(error)
    this.#warming = undefined
    if (this.#waiting.length > this.#starting()) this.#waiting.shift()?.settle({ type: 'crashed', error })
  }

  onGone(slot: S): void {
    this.#slots.delete(slot.id)
    if (this.#closing !== undefined) {
      if (this.#slots.size === 0) this.#closing.empty.resolve()
      return
    }
    // One that could not start is not replaced, only what jobs wait for.
    this.#spawnAsNeeded(slot.idleSince === undefined ? 0 : this.#sizes.min)
  }

  /** The slot's job has a result, or could not be handed over. Frees the slot, then tells the listener. */
  protected finish(attempt: A, slot: S, result: WireResult | { readonly refused: unknown }): void {
    slot.attempt = undefined
    const { max } = this.#sizes
    slot.send({ type: 'job.settled', keep: this.#slots.size <= max || this.#standing() <= max })
    if ('refused' in result) attempt.settle({ type: 'unserializable', error: result.refused })
    else attempt.settleRemote(result)
  }

  /** A message about the slot's job; late ones about an earlier job are dropped. */
  protected deliver(slot: S, message: RemoteMessage, answer: Parameters<A['receive']>[1]): void {
    const { attempt } = slot
    if (attempt?.token !== message.token) return
    if (message.type === 'started') slot.loaded.add(attempt.ref)
    attempt.receive(message, answer)
  }

  protected slotOf(id: number): S | undefined {
    return this.#slots.get(id)
  }

  #idleFor(ref: number): S | undefined {
    if (this.#idle.length < 2) return this.#idle[0]
    return this.#idle.findLast((it) => it.loaded.has(ref)) ?? this.#idle.at(-1)
  }

  #dispatch(attempt: A, slot: S): void {
    attempt.slot = slot
    slot.attempt = attempt
    slot.send({ type: 'job.assigned' })
    this.handOver(attempt, slot, slot.loaded.has(attempt.ref) && !attempt.isStopped)
  }

  readonly #withdraw = (attempt: A): void => {
    const index = this.#waiting.indexOf(attempt)
    if (index >= 0) this.#waiting.splice(index, 1)
    this.#refuse(
      attempt,
      errorOf('ERR_ATTEMPT_WITHDRAWN', 'The attempt was killed before it was handed over.'),
    )
  }

  /** Not at once: the caller of `start` has no handle yet. */
  #refuse(attempt: A, error: Error): void {
    queueMicrotask(() => attempt.settle({ type: 'crashed', error }))
  }

  #spawnAsNeeded(min = this.#sizes.min): void {
    const standing = this.#standing()
    const room = this.#sizes.max - this.#slots.size
    const missing = Math.max(
      this.#waiting.length - this.#starting(),
      Math.min(min, this.#sizes.max) - standing,
    )
    for (let count = Math.min(missing, room); count > 0; count--) {
      const slot = this.spawn()
      if (slot === undefined) break
      this.#slots.set(slot.id, slot)
    }
  }

  #checkWarm(): void {
    if (this.#warming === undefined || this.#standing() - this.#starting() < this.#sizes.min) return
    this.#warming.resolve()
    this.#warming = undefined
  }

  #starting(): number {
    let count = 0
    for (const slot of this.#slots.values()) if (slot.state === 'starting') count += 1
    return count
  }

  /** Those that are not coming down. */
  #standing(): number {
    let count = 0
    for (const slot of this.#slots.values()) if (STANDING.has(slot.state)) count += 1
    return count
  }

  #beginClose(): { readonly done: Promise<void>; readonly empty: PromiseWithResolvers<void> } {
    const empty = Promise.withResolvers<void>()
    if (this.#slots.size === 0) empty.resolve()
    this.#reaper.stop()
    this.#warming?.reject(closedError())
    this.#warming = undefined
    for (const attempt of this.#waiting.splice(0)) this.#refuse(attempt, closedError())
    for (const slot of [...this.#slots.values()]) {
      if (slot.state === 'idle') slot.send({ type: 'slot.retire' })
      else if (slot.state !== 'retiring') slot.send({ type: 'slot.kill' })
    }
    const done = Promise.all([this.onClose(), empty.promise]).then(() => {
      this.#closing = undefined
    })
    return { done, empty }
  }
}

function closedError(): Error {
  return errorOf('ERR_EXECUTOR_CLOSED', 'The threads or processes are being closed.')
}

function errorOf(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
