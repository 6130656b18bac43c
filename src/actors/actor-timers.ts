/**
 * Delayed events of the actors below a supervisor (`after`, `raise` and `sendTo` with a delay), kept by actor.
 *
 * XState keeps those of a whole system in one dictionary, and goes through all of it whenever an actor ends: with
 * 10,000 supervised actors that use `after`, stopping them took 8 s. Here an actor's end costs what the actor itself
 * had armed. They share the supervisor's timer queue, so delays beyond 2^31 ms work, too.
 *
 * Installed in place of `system.scheduler`, before the root starts. What it leans on is held by
 * test/actors/actor-timers.test.ts.
 */
import type { AnyActorRef, EventObject } from 'xstate'
import type { Timer, TimerOwner } from './armed-timers.ts'
import type { TimerQueue } from './timer-queue.ts'

/** The part of XState's `ActorSystem` that delivers; it is not in its public types. */
interface System {
  scheduler: unknown
  _relay(source: AnyActorRef, target: AnyActorRef, event: EventObject): void
}

/** One event on its way. */
class Delayed implements TimerOwner {
  readonly #timers: ActorTimers
  readonly source: AnyActorRef
  readonly #target: AnyActorRef
  readonly #event: EventObject
  readonly id: string
  timer: Timer | undefined = undefined

  constructor(timers: ActorTimers, source: AnyActorRef, target: AnyActorRef, event: EventObject, id: string) {
    this.#timers = timers
    this.source = source
    this.#target = target
    this.#event = event
    this.id = id
  }

  onTimer(): void {
    this.#timers.forget(this)
    this.#timers.deliver(this.source, this.#target, this.#event)
  }
}

export class ActorTimers {
  readonly #queue: TimerQueue
  readonly #system: System
  readonly #now: () => number
  readonly #bySource: Map<AnyActorRef, Map<string, Delayed>> = new Map()
  #ids = 0

  /** Takes the place of the scheduler of `root`'s system; to be called before `root` starts. */
  constructor(root: AnyActorRef, queue: TimerQueue, now: () => number) {
    this.#queue = queue
    this.#now = now
    this.#system = root.system as unknown as System
    this.#system.scheduler = this
  }

  schedule(source: AnyActorRef, target: AnyActorRef, event: EventObject, delay: number, id?: string): void {
    this.#ids += 1
    const delayed = new Delayed(this, source, target, event, id ?? `delayed:${this.#ids}`)
    this.cancel(source, delayed.id)
    const own = this.#bySource.get(source)
    if (own === undefined) this.#bySource.set(source, new Map([[delayed.id, delayed]]))
    else own.set(delayed.id, delayed)
    // One that never comes needs no timer, but may be cancelled.
    if (delay === Number.POSITIVE_INFINITY) return
    delayed.timer = this.#queue.arm(this.#now() + (delay > 0 ? delay : 0), delayed, 'delayed')
  }

  cancel(source: AnyActorRef, id: string): void {
    const delayed = this.#bySource.get(source)?.get(id)
    if (delayed === undefined) return
    this.forget(delayed)
    this.#disarm(delayed)
  }

  cancelAll(source: AnyActorRef): void {
    const own = this.#bySource.get(source)
    if (own === undefined) return
    this.#bySource.delete(source)
    for (const delayed of own.values()) this.#disarm(delayed)
  }

  forget({ source, id }: Delayed): void {
    const own = this.#bySource.get(source)
    own?.delete(id)
    if (own?.size === 0) this.#bySource.delete(source)
  }

  deliver(source: AnyActorRef, target: AnyActorRef, event: EventObject): void {
    this.#system._relay(source, target, event)
  }

  #disarm({ timer }: Delayed): void {
    if (timer !== undefined) this.#queue.cancel(timer)
  }
}
