/** A named event loop in a thread of its own, as its users see it. */
import type { Worker } from 'node:worker_threads'
import type { AnyActorRef } from 'xstate'
import type { AnyDefinition, TypedDefinition } from '../actors/definition.ts'
import type { LoopExecutor } from '../actors/loop-executor.ts'
import type { Run } from './run.ts'
import type { StopOptions } from './stop-options.ts'
import type { SubmitOptions } from './task-options.ts'

/**
 * `stopped`: it has no thread and is not wanted. `waiting`: its thread comes with the supervisor's start.
 * `starting`: its thread boots, also anew after a failure. `running`: it takes work. `blocked`: its event loop does
 * not turn. `stopping`: it takes no more work and comes down. `failed`: its thread has ended abnormally; its
 * supervisor starts it again, unless that happened more often than its `intensity` allows: then it takes no work until somebody does.
 */
export type LoopState = 'stopped' | 'waiting' | 'starting' | 'running' | 'blocked' | 'stopping' | 'failed'

/** A named event loop in a thread of its own: runs many async tasks at once. */
export interface Loop {
  readonly name: string
  readonly state: LoopState
  /** Its thread, for messages of your own (`parentPort` there is yours); `undefined` while it has none. */
  readonly thread: Worker | undefined
  readonly threadId: number | undefined
  /** Attempts in it now, those that were given up and still go on included. */
  readonly live: number
  /** Its statechart as an actor. */
  readonly actor: AnyActorRef
  /**
   * Submits a run that runs on this loop.
   *
   * @throws SupervisorStateError (`ERR_LOOP_STOPPED`) when it is stopped; what `submit` throws
   */
  spawn<Input, Output>(
    definition: TypedDefinition<Input, Output>,
    ...rest: undefined extends Input
      ? [input?: Input, options?: SubmitOptions]
      : [input: Input, options?: SubmitOptions]
  ): Run<Output>
  /** `spawn`, and its result. Rejects with what `spawn` throws. */
  run<Input, Output>(
    definition: TypedDefinition<Input, Output>,
    ...rest: undefined extends Input
      ? [input?: Input, options?: SubmitOptions]
      : [input: Input, options?: SubmitOptions]
  ): Promise<Output>
  /** Resolves when its thread is up; at once when it runs, or when the supervisor is not started yet. */
  start(): Promise<void>
  /** Takes no more work and ends within a bound; see {@link StopOptions}. The supervisor goes on. */
  stop(options?: StopOptions): Promise<void>
  /** Ends its thread now: what runs in it fails as `crashed`, and its supervisor starts it again. */
  kill(): void
}

/** What a loop needs of its supervisor. */
export interface LoopPort {
  state(): LoopState
  actor(): AnyActorRef
  submit(definition: AnyDefinition, input: unknown, options: SubmitOptions): Run
  start(): Promise<void>
  stop(options: StopOptions): Promise<void>
  kill(): void
}

export class LoopHandle implements Loop {
  readonly #executor: LoopExecutor
  readonly #port: LoopPort

  constructor(executor: LoopExecutor, port: LoopPort) {
    this.#executor = executor
    this.#port = port
  }

  get name(): string {
    return this.#executor.name
  }

  get state(): LoopState {
    return this.#port.state()
  }

  get thread(): Worker | undefined {
    return this.#executor.worker
  }

  get threadId(): number | undefined {
    return this.#executor.worker?.threadId
  }

  get live(): number {
    return this.#executor.live
  }

  get actor(): AnyActorRef {
    return this.#port.actor()
  }

  spawn<Output>(definition: AnyDefinition, input?: unknown, options: SubmitOptions = {}): Run<Output> {
    return this.#port.submit(definition, input, { ...options, loop: this.name }) as Run<Output>
  }

  async run<Output>(definition: AnyDefinition, input?: unknown, options?: SubmitOptions): Promise<Output> {
    return this.spawn<Output>(definition, input, options).result
  }

  start(): Promise<void> {
    return this.#port.start()
  }

  stop(options: StopOptions = {}): Promise<void> {
    return this.#port.stop(options)
  }

  kill(): void {
    this.#port.kill()
  }
}
