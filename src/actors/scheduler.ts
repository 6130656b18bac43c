/**
 * The user's own schedulers as supervised children. Each life is machines/scheduler.ts; here its loop is
 * called, its signal aborted, its `stop()` awaited.
 */
import type { AnyActorRef } from 'xstate'
import { compile } from '../machines/compile.ts'
import type { RestartType } from '../machines/restart.ts'
import { type SchedulerEvent, schedulerMachine } from '../machines/scheduler.ts'
import { type DriverEffects, MachineDriver } from './machine-driver.ts'
import type { ChildKind, ChildListener, ChildLook, ChildSpec, Incarnation } from './supervised.ts'
import type { Tracer } from './tracer.ts'

/** A scheduler of one's own: a loop that submits tasks whenever it sees fit. */
export interface Scheduler {
  /**
   * Runs for as long as the scheduler lives, on the supervisor's event loop. `signal` is aborted when it is to
   * end. One that returns has ended, one that throws has failed: its restart type says what follows.
   */
  loop(signal: AbortSignal): void | Promise<void>
  /** Called once when it is to end, after the signal was aborted. Awaited like the loop. */
  stop?(): void | Promise<void>
}

/** A scheduler that runs by itself elsewhere, from before it is registered, and only has to be told to stop. */
export interface SyncScheduler {
  /** Called once when it is to end, whether the supervisor was ever started or not. */
  stop(): void | Promise<void>
}

/** What schedulers need from outside. No method throws. */
export interface SchedulerPorts {
  readonly tracer: Tracer
  /** One that was told to stop did not end in time, or has ended after all. */
  abandoned(change: 1 | -1): void
  /** What a scheduler threw when that was no failure any more. */
  onError(name: string, error: unknown): void
}

export interface SchedulerChildOptions {
  readonly name: string
  readonly scheduler: Scheduler | SyncScheduler
  readonly restart: RestartType
  readonly shutdownMs: number
  readonly ports: SchedulerPorts
}

const logic = compile(schedulerMachine)

/** The listing of a scheduler: what a group starts again and again. */
export class SchedulerChild implements ChildSpec {
  readonly kind: ChildKind = 'scheduler'
  readonly id: string
  readonly scheduler: Scheduler | SyncScheduler
  readonly restart: RestartType
  readonly shutdownMs: number
  readonly ports: SchedulerPorts
  /** One without a loop runs by itself from the day it is registered. */
  readonly isOutside: boolean
  #life: SchedulerLife | undefined = undefined

  constructor({ name, scheduler, restart, shutdownMs, ports }: SchedulerChildOptions) {
    this.id = name
    this.scheduler = scheduler
    this.restart = restart
    this.shutdownMs = shutdownMs
    this.ports = ports
    this.isOutside = !('loop' in scheduler)
  }

  start(listener: ChildListener): Incarnation {
    const life = new SchedulerLife(this, listener)
    this.#life = life
    life.send({ type: 'scheduler.start' })
    return life
  }

  actor(parent: AnyActorRef): AnyActorRef | undefined {
    return this.#life?.driver.actorOf(parent, this.id, 'scheduler')
  }

  look(): ChildLook | undefined {
    return this.#life?.driver.look()
  }
}

class SchedulerLife implements Incarnation {
  readonly driver: MachineDriver<SchedulerLife, typeof schedulerMachine>
  readonly #child: SchedulerChild
  readonly #listener: ChildListener
  readonly #controller: AbortController = new AbortController()
  /** What has not settled yet: the loop, the call of `stop()`. */
  #open = 0
  #isAbandoned = false

  constructor(child: SchedulerChild, listener: ChildListener) {
    this.#child = child
    this.#listener = listener
    const onError = (error: unknown): void => child.ports.onError(child.id, error)
    this.driver = new MachineDriver<SchedulerLife, typeof schedulerMachine>(this, {
      logic,
      input: undefined,
      effects,
      onError,
      traced: { tracer: child.ports.tracer, machine: 'scheduler', idOf: () => child.id },
    })
  }

  send(event: SchedulerEvent): void {
    this.driver.send(event)
  }

  stop(): void {
    this.send({ type: 'scheduler.stop' })
  }

  /** It was told to go already; there is nothing it could give up. */
  hurry(): void {}

  kill(): void {
    this.send({ type: 'scheduler.kill' })
  }

  // From here on: what the machine asks for.

  startLoop(): void {
    const { scheduler } = this.#child
    if (!('loop' in scheduler)) return
    this.#open += 1
    settle(
      () => scheduler.loop(this.#controller.signal),
      (error) => this.#loopSettled(error),
    )
  }

  abortLoop(): void {
    this.#controller.abort()
  }

  callStop(): void {
    const { scheduler, ports, id } = this.#child
    this.#open += 1
    settle(
      () => scheduler.stop?.(),
      (error) => {
        if (error !== undefined) ports.onError(id, error.thrown)
        this.#settled()
      },
    )
  }

  ready(): void {
    this.#listener.ready()
  }

  exited(kind: 'done' | 'stopped'): void {
    this.#listener.exited(kind === 'done' ? { kind, output: undefined } : { kind })
  }

  failed(event: SchedulerEvent): void {
    if (event.type === 'loop.failed') this.#listener.exited({ kind: 'failed', error: event.error })
  }

  noteAbandoned(): void {
    if (this.#open === 0) return
    this.#isAbandoned = true
    this.#child.ports.abandoned(1)
  }

  #loopSettled(error: { readonly thrown: unknown } | undefined): void {
    const { signal } = this.#controller
    if (!signal.aborted) {
      this.send(error === undefined ? { type: 'loop.ended' } : { type: 'loop.failed', error: error.thrown })
    } else if (error !== undefined && !isAbort(error.thrown, signal)) {
      this.#child.ports.onError(this.#child.id, error.thrown)
    }
    this.#settled()
  }

  #settled(): void {
    this.#open -= 1
    if (this.#open > 0) return
    if (!this.#isAbandoned) return this.send({ type: 'scheduler.settled' })
    this.#isAbandoned = false
    this.#child.ports.abandoned(-1)
  }
}

/** Calls, and tells how it settled: in a later microtask, so that nothing happens inside the call that caused it. */
function settle(
  call: () => unknown,
  settled: (error: { readonly thrown: unknown } | undefined) => void,
): void {
  const called = (async () => call())()
  called.then(
    () => settled(undefined),
    (thrown: unknown) => settled({ thrown }),
  )
}

/** The usual way out of an aborted wait. */
function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (error === signal.reason) return true
  return error instanceof Error && error.name === 'AbortError'
}

const effects: DriverEffects<SchedulerLife, typeof schedulerMachine> = {
  startLoop: (life) => life.startLoop(),
  abortLoop: (life) => life.abortLoop(),
  callStop: (life) => life.callStop(),
  reportReady: (life) => life.ready(),
  reportDone: (life) => life.exited('done'),
  reportFailure: (life, _, event) => life.failed(event),
  reportStopped: (life) => life.exited('stopped'),
  noteAbandoned: (life) => life.noteAbandoned(),
}
