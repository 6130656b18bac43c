/** A loop as its supervisor's group sees it: each thread is an incarnation. */
import type { AnyActorRef } from 'xstate'
import type { RestartLimits, RestartType } from '../machines/restart.ts'
import type { LoopExecutor } from './loop-executor.ts'
import type { ChildListener, ChildLook, ChildSpec, Incarnation } from './supervised.ts'

export interface LoopChildOptions {
  readonly restart: RestartType
  readonly shutdownMs: number
  /** Each loop counts by itself. */
  readonly limits: RestartLimits
  gaveUp(error: Error): void
  removed(): void
}

export class LoopChild implements ChildSpec, Incarnation {
  readonly kind = 'loop'
  readonly restart: RestartType
  readonly shutdownMs: number
  readonly limits: RestartLimits
  readonly gaveUp: (error: Error) => void
  readonly removed: () => void
  /** Who hears of the thread that lives. */
  listener: ChildListener | undefined = undefined
  readonly #loop: LoopExecutor

  constructor(loop: LoopExecutor, options: LoopChildOptions) {
    const { restart, shutdownMs, limits, gaveUp, removed } = options
    this.#loop = loop
    this.restart = restart
    this.shutdownMs = shutdownMs
    this.limits = limits
    this.gaveUp = gaveUp
    this.removed = removed
  }

  get id(): string {
    return this.#loop.name
  }

  start(listener: ChildListener): Incarnation {
    this.listener = listener
    this.#loop.send({ type: 'loop.start' })
    return this
  }

  /** What is still in it when it is to go was given up, and would not leave by itself. */
  stop(): void {
    this.#loop.send({ type: this.#loop.live > 0 ? 'loop.terminate' : 'loop.stop' })
  }

  hurry(): void {
    this.#loop.send({ type: 'loop.terminate' })
  }

  kill(): void {
    this.#loop.send({ type: 'loop.terminate' })
  }

  actor(parent: AnyActorRef): AnyActorRef {
    return this.#loop.actorOf(parent)
  }

  look(): ChildLook {
    return this.#loop.look()
  }
}
