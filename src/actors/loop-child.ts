/** A loop as its supervisor's group sees it: each thread is an incarnation. */
import type { AnyActorRef } from 'xstate'
import type { RestartType } from '../machines/restart.ts'
import type { LoopExecutor } from './loop-executor.ts'
import type { ChildListener, ChildSpec, Incarnation } from './supervised.ts'

export interface LoopChildOptions {
  readonly restart: RestartType
  readonly shutdownMs: number
}

export class LoopChild implements ChildSpec, Incarnation {
  readonly kind = 'loop'
  readonly restart: RestartType
  readonly shutdownMs: number
  /** Who hears of the thread that lives. */
  listener: ChildListener | undefined = undefined
  readonly #loop: LoopExecutor

  constructor(loop: LoopExecutor, { restart, shutdownMs }: LoopChildOptions) {
    this.#loop = loop
    this.restart = restart
    this.shutdownMs = shutdownMs
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
}
