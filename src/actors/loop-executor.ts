/**
 * One named event loop: runs many attempts at once in a thread of its own.
 *
 * Its life is machines/loop.ts; this class carries out what that asks for and keeps the attempts: those that wait
 * for the thread to come up, and those that are in it. A thread that ends takes all its attempts with it,
 * as crashed. It holds no timer while no attempt is in it.
 */
import type { ResourceLimits, Worker } from 'node:worker_threads'
import type { AnyActorRef } from 'xstate'
import { compile } from '../machines/compile.ts'
import { type LoopEvent, loopMachine } from '../machines/loop.ts'
import type { Timer, TimerKind, TimerOwner } from './armed-timers.ts'
import type { AttemptListener, Job } from './attempt.ts'
import type { Clock } from './clock.ts'
import { LoopAttempt, type LoopOfAttempt } from './loop-attempt.ts'
import { LOOP_EFFECTS, type LoopTimer } from './loop-effects.ts'
import { LoopLink } from './loop-link.ts'
import { MachineDriver } from './machine-driver.ts'
import type { LoopCommand, LoopMessage } from './remote/loop-wire.ts'
import { TaskRefs } from './remote/task-refs.ts'
import type { ChildLook } from './supervised.ts'
import type { TimerQueue } from './timer-queue.ts'
import type { Tracer } from './tracer.ts'

const logic = compile(loopMachine)

/** How long a thread may take to be gone, once asked and once ended. */
const EXIT_BOUND_MS = 500

/** What the owner of a loop hears. No method throws. */
export interface LoopListener {
  ready(): void
  blocked(sinceMs: number): void
  unblocked(blockedMs: number): void
  /** End the thread and put another one in its place. */
  replace(): void
  /**
   * The thread has ended, with so many attempts in it: because it was told to (`stopped`) or by itself; `error` says
   * why if it was wanted.
   */
  ended(how: 'stopped' | 'failed', error: Error | undefined, attempts: number): void
}

export interface LoopExecutorOptions {
  readonly name: string
  readonly threadName: string
  readonly resourceLimits: ResourceLimits | undefined
  /** How long it may be blocked before its thread is ended; infinite = it is only reported. */
  readonly killAfterMs: number
  /** pino's level for `ctx.log`. */
  readonly logLevel: string
  readonly timers: TimerQueue
  readonly clock: Clock
  readonly tracer: Tracer
  readonly listener: LoopListener
  /** Told of what was thrown where nothing may throw. */
  onError(error: unknown): void
}

export class LoopExecutor implements LoopOfAttempt, TimerOwner {
  readonly options: LoopExecutorOptions
  readonly #driver: MachineDriver<LoopExecutor, typeof loopMachine>
  readonly #refs = new TaskRefs()
  /** Definitions that the thread has loaded. */
  readonly #loaded = new Set<number>()
  readonly #waiting = new Set<LoopAttempt>()
  readonly #live = new Map<number, LoopAttempt>()
  /** Who waits for an answer, and for the answer to which ping. */
  readonly #probing = new Map<LoopAttempt, number>()
  #link: LoopLink | undefined = undefined
  #timer: Timer | undefined = undefined
  #exitTimer: NodeJS.Timeout | undefined = undefined
  #pings = 0
  #pingedMono = 0
  /** Why it ended, or will. */
  #error: Error | undefined = undefined
  /** Why its thread is being replaced. */
  #killed: Error | undefined = undefined
  /** Why no thread will come up for what waits. */
  #gone: Error | undefined = undefined

  constructor(options: LoopExecutorOptions) {
    this.options = options
    this.#driver = new MachineDriver<LoopExecutor, typeof loopMachine>(this, {
      logic,
      input: undefined,
      effects: LOOP_EFFECTS,
      onError: options.onError,
      traced: { tracer: options.tracer, machine: 'loop', idOf: ({ name }) => name },
    })
    this.#gone = this.#failure('STOPPED', 'has no thread: it is stopped')
  }

  get name(): string {
    return this.options.name
  }

  /** State of its machine, as a dotted path. */
  get state(): string {
    return this.#driver.state
  }

  get worker(): Worker | undefined {
    return this.#link?.worker
  }

  /** Attempts in it, those that were given up included, and those that wait for its thread. */
  get live(): number {
    return this.#live.size + this.#waiting.size
  }

  /** Ids of the runs in its thread. */
  get runIds(): string[] {
    return [...this.#live.values()].map(({ job }) => job.runId)
  }

  look(): ChildLook {
    return this.#driver.look()
  }

  actorOf(parent: AnyActorRef): AnyActorRef {
    return this.#driver.actorOf(parent, `loop:${this.name}`, 'loop')
  }

  send(event: LoopEvent): void {
    this.#driver.send(event)
  }

  /** Starts one attempt; what comes while the thread starts waits for it. */
  start(job: Job, listener: AttemptListener): LoopAttempt {
    const attempt = new LoopAttempt(job, this.#refs.of(job), listener, this)
    if (this.#gone !== undefined) {
      const error = this.#gone
      // Never inside `start`: the caller has no handle yet.
      queueMicrotask(() => attempt.settle({ type: 'crashed', error }))
    } else if (this.state.startsWith('running')) this.#handOver(attempt)
    else this.#waiting.add(attempt)
    return attempt
  }

  /** No thread will come up any more: what waits for one fails, by the first reason that is given. */
  giveUp(error: Error): void {
    this.#gone ??= error
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const attempt of waiting) attempt.settle({ type: 'crashed', error: this.#gone })
  }

  /** A thread is to come up: jobs may wait for it. */
  expect(): void {
    this.#gone = undefined
  }

  // What attempts ask for.

  withdraw(attempt: LoopAttempt): void {
    // Its handler never began: whatever it settles as only says that it has ended.
    if (this.#waiting.delete(attempt)) attempt.settle({ type: 'returned', value: undefined })
  }

  signal(attempt: LoopAttempt): void {
    const { stopMessage } = attempt
    if (stopMessage !== undefined && this.#live.has(attempt.token)) this.#link?.post(stopMessage)
  }

  probe(attempt: LoopAttempt): void {
    const before = this.#pings
    this.send({ type: 'loop.probe' })
    if (this.#pings > before) this.#probing.set(attempt, this.#pings)
  }

  read(): void {
    this.#link?.drain()
  }

  kill(attempt: LoopAttempt): void {
    if (!this.#live.has(attempt.token)) return
    this.killThread(
      this.#failure('BLOCKED', `was blocked and had to be ended to end task "${attempt.job.name}"`),
    )
  }

  /** Has the thread ended although it is wanted, and another one in its place. */
  killThread(error: Error): void {
    if (this.#link === undefined) return
    this.#killed ??= error
    this.#error ??= error
    this.options.listener.replace()
  }

  // What the machine asks for.

  startThread(): void {
    this.#error = this.#killed = undefined
    this.#gone = undefined
    try {
      this.#link = this.#openLink()
    } catch (error) {
      this.#error = this.#failure('START_FAILED', 'could not start', error)
      this.send({ type: 'thread.exited' })
    }
  }

  handOverWaiting(): void {
    this.options.listener.ready()
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const attempt of waiting) this.#handOver(attempt)
  }

  askToExit(): void {
    this.#link?.post({ type: 'exit' })
  }

  endThread(): void {
    void this.#link?.worker.terminate()
  }

  forsakeThread(): void {
    this.#link?.forsake()
    this.#dropThread(-1)
  }

  ping(): void {
    this.#pings += 1
    // While it is silent, later pings do not make it younger.
    if (this.state !== 'running.blocked') this.#pingedMono = this.options.clock.monotonic()
    this.#link?.post({ type: 'ping', number: this.#pings })
    this.#link?.flush()
  }

  replaceBlocked(): void {
    this.killThread(this.#failure('BLOCKED', 'was blocked for too long'))
  }

  reportBlocked(): void {
    this.options.listener.blocked(this.#silentMs)
  }

  reportUnblocked(): void {
    this.options.listener.unblocked(this.#silentMs)
  }

  get #silentMs(): number {
    return this.options.clock.monotonic() - this.#pingedMono
  }

  /** What is left of the time that it may be blocked. */
  get killLeftMs(): number {
    return Math.max(0, this.options.killAfterMs - this.#silentMs)
  }

  arm(kind: LoopTimer, inMs: number): void {
    this.disarm()
    const { timers, clock } = this.options
    if (inMs !== Number.POSITIVE_INFINITY) this.#timer = timers.arm(clock.monotonic() + inMs, this, kind)
  }

  /** Physical: by real time, whatever clock the supervisor has. */
  armExitBound(): void {
    this.#exitTimer = setTimeout(() => this.send({ type: 'timer.exitBound' }), EXIT_BOUND_MS).unref()
  }

  disarm(): void {
    clearTimeout(this.#exitTimer)
    if (this.#timer !== undefined) this.options.timers.cancel(this.#timer)
    this.#timer = undefined
  }

  onTimer(kind: TimerKind): void {
    this.#timer = undefined
    // Our own loop may have been blocked: then the answer waits to be read, and moves the machine on.
    if (kind !== 'timer.ping') this.read()
    this.send({ type: kind as LoopTimer })
  }

  reportStopped(): void {
    const error = this.#killed
    if (error !== undefined) return this.#reportEnd('stopped', error, error)
    const stopped = this.#failure('STOPPED', 'was stopped')
    this.#reportEnd('stopped', undefined, stopped)
  }

  reportFailed(): void {
    const error = this.#error ?? this.#failure('EXITED', 'ended')
    this.#reportEnd('failed', error, error)
  }

  #reportEnd(how: 'stopped' | 'failed', error: Error | undefined, crash: Error): void {
    const ended = [...this.#live.values()]
    this.#live.clear()
    // One that is to be replaced, or has failed, may come up again: what waits waits on.
    if (error === undefined) this.giveUp(crash)
    for (const attempt of ended) attempt.settle({ type: 'crashed', error: crash })
    this.options.listener.ended(how, error, ended.length)
  }

  #openLink(): LoopLink {
    const { threadName, resourceLimits } = this.options
    const link: LoopLink = new LoopLink({
      name: threadName,
      resourceLimits,
      onMessage: (message) => this.#onMessage(message),
      onRefused: (command, error) => this.#onRefused(command, error),
      onError: (error) => {
        this.#error ??= this.#failure('EXITED', 'ended by an error that escaped in it', error)
        this.send({ type: 'thread.failed' })
      },
      onExit: (exitCode) => {
        if (this.#link === link) this.#dropThread(exitCode)
        this.send({ type: 'thread.exited' })
      },
    })
    return link
  }

  #dropThread(exitCode: number): void {
    this.#error ??= this.#failure('EXITED', `ended: it exited with code ${exitCode}`)
    this.#link = undefined
    this.#loaded.clear()
    this.#probing.clear()
  }

  #handOver(attempt: LoopAttempt): void {
    const isFirst = this.#live.size === 0
    this.#live.set(attempt.token, attempt)
    const isWarm = this.#loaded.has(attempt.ref)
    this.#link?.post(isWarm ? attempt.dispatchReported() : attempt.dispatchCold(this.options.logLevel))
    if (isFirst) this.send({ type: 'work.began' })
  }

  #onMessage(message: LoopMessage): void {
    if (!('type' in message)) {
      const attempt = this.#live.get(message[0])
      if (attempt === undefined) return
      if (message.length === 2) return attempt.begin(message[1])
      this.#remove(attempt)
      return attempt.settleRemote(message[1])
    }
    if (message.type === 'hello') this.send({ type: 'thread.ready' })
    else if (message.type === 'pong') this.#onAnswer(message.number)
    else {
      const attempt = this.#live.get(message.token)
      if (attempt === undefined) return
      if (message.type === 'started') this.#loaded.add(attempt.ref)
      attempt.receive(message, (reply) => this.#answer(reply))
    }
  }

  /** Throws if the reply cannot be cloned: whoever calls it sends a refusal then. */
  #answer(reply: LoopCommand): void {
    if ('type' in reply && reply.type === 'reply') structuredClone(reply)
    this.#link?.post(reply)
  }

  #onAnswer(number: number): void {
    for (const [attempt, asked] of this.#probing) {
      if (asked > number) continue
      this.#probing.delete(attempt)
      attempt.answered()
    }
    if (number === this.#pings) this.send({ type: 'loop.answered' })
  }

  #onRefused(command: LoopCommand, error: unknown): void {
    const token = 'token' in command ? command.token : Array.isArray(command) ? command[0] : undefined
    const attempt = token === undefined ? undefined : this.#live.get(token)
    if (attempt === undefined) return
    this.#remove(attempt)
    attempt.settle({ type: 'unserializable', error })
  }

  #remove(attempt: LoopAttempt): void {
    this.#live.delete(attempt.token)
    if (this.#probing.size > 0) this.#probing.delete(attempt)
    if (this.#live.size === 0) this.send({ type: 'work.ended' })
  }

  #failure(code: 'STOPPED' | 'EXITED' | 'BLOCKED' | 'START_FAILED', what: string, cause?: unknown): Error {
    const why = cause === undefined ? '' : `: ${cause instanceof Error ? cause.message : String(cause)}`
    const error = new Error(
      `Loop "${this.options.name}" ${what}${why}.`,
      cause === undefined ? {} : { cause },
    )
    return Object.assign(error, { code: `ERR_LOOP_${code}`, loop: this.options.name })
  }
}
