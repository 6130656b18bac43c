/** The named event loops of a supervisor: made, found, started, stopped, and kept up. */
import type { ChildGroup } from '../actors/child-group.ts'
import type { AnyDefinition } from '../actors/definition.ts'
import { LoopChild } from '../actors/loop-child.ts'
import { LoopExecutor } from '../actors/loop-executor.ts'
import type { SupervisedChild } from '../actors/supervised-child.ts'
import type { TaskPool } from '../actors/task-pool.ts'
import type { RunPlan, TaskRun } from '../actors/task-run.ts'
import type { RestartLimits } from '../machines/restart.ts'
import { check } from './check.ts'
import { OptionError, SupervisorStateError } from './errors.ts'
import { type Loop, LoopHandle, type LoopState } from './loop.ts'
import { checkLoopOptions, type LoopOptions, loopLimits } from './loop-options.ts'
import { LoopStop } from './loop-stop.ts'
import type { Reporter } from './reporter.ts'
import type { Run } from './run.ts'
import { checkStopOptions, planStop, type StopOptions } from './stop-options.ts'
import { DEFAULT_LOOP, type SubmitOptions } from './task-options.ts'

/** One loop in `info()`. */
export interface LoopInfo {
  readonly name: string
  readonly state: LoopState
  /** Attempts in it, those that were given up included. */
  readonly live: number
  readonly blocked: boolean
  readonly default: boolean
}

export interface LoopsOptions {
  readonly supervisorId: string
  readonly pool: TaskPool
  readonly reporter: Reporter
  readonly logLevel: string
  readonly defaultGraceMs: number
  /** What a loop is allowed that says nothing else. */
  readonly limits: RestartLimits
  /** The supervisor's state. */
  state(): string
  /** Whether the bound of the supervisor's stop has come. */
  isOverdue(): boolean
  onError(error: unknown): void
  submit(definition: AnyDefinition, input: unknown, options: SubmitOptions): Run
  /** What starts their threads, again if need be, and ends them. */
  group(): ChildGroup
}

interface Entry {
  readonly executor: LoopExecutor
  readonly spec: LoopChild
  /** Its place in the group. */
  child: SupervisedChild | undefined
  readonly handle: Loop
  /** Whether it is to run whenever the supervisor does. */
  intent: 'up' | 'down'
  stop: LoopStop | undefined
  /** Resolves when the last stop is over. */
  stopped: Promise<void>
  /** Restarts that were told of. */
  restarts: number
}

export class Loops {
  readonly #options: LoopsOptions
  readonly #entries = new Map<string, Entry>()
  #default: string | undefined = undefined
  /** How many are being stopped while the supervisor goes on. */
  #stopping = 0
  /** Plans that name the default loop, with its name in it. */
  readonly #placed = new WeakMap<RunPlan, RunPlan>()

  constructor(options: LoopsOptions) {
    this.#options = options
  }

  /** @throws OptionError (`ERR_LOOP_NAME_TAKEN`, `ERR_OPTION_INVALID`), SupervisorStateError while it stops */
  create(name: string, options: LoopOptions = {}): Loop {
    checkLoopOptions(name, options)
    if (this.#entries.has(name)) {
      throw new OptionError(`Loop "${name}" exists already: take another name, or getLoop("${name}").`, {
        code: 'ERR_LOOP_NAME_TAKEN',
      })
    }
    this.#requireStaying(`createLoop("${name}")`)
    const entry = this.#make(name, options)
    this.#entries.set(name, entry)
    try {
      entry.child = this.#options.group().add(entry.spec, entry.intent === 'up')
    } catch (error) {
      this.#forget(entry)
      throw error
    }
    if (options.default === true) this.#default = name
    return entry.handle
  }

  /** @throws OptionError (`ERR_LOOP_UNKNOWN`) */
  get(name: string | undefined): Loop {
    return this.#entryOf(name ?? DEFAULT_LOOP).handle
  }

  /** @throws OptionError (`ERR_LOOP_UNKNOWN`) */
  setDefault(name: string): void {
    this.#default = this.#entryOf(name).executor.name
  }

  /** @throws OptionError (`ERR_LOOP_UNKNOWN`), SupervisorStateError (`ERR_SUPERVISOR_STOPPED`) */
  async start(name: string): Promise<void> {
    const entry = this.#entryOf(name)
    this.#requireStaying(`startLoop("${name}")`)
    // One that is being stopped has to be gone first.
    while (entry.stop !== undefined) await entry.stopped
    // It may have been forgotten meanwhile.
    const child = this.#entryOf(name).child as SupervisedChild
    entry.intent = 'up'
    if (child.state === 'running') return
    entry.executor.expect()
    if (this.#options.group().rests) child.isWanted = true
    else await child.start()
  }

  /** @throws OptionError (`ERR_LOOP_UNKNOWN`, `ERR_OPTION_INVALID`) */
  async stop(name: string, options: StopOptions = {}): Promise<void> {
    checkStopOptions(options)
    const entry = this.#entryOf(name)
    const { pool, defaultGraceMs } = this.#options
    const plan = planStop(options, pool.ports.clock.monotonic(), defaultGraceMs)
    entry.intent = 'down'
    if (entry.stop !== undefined) entry.stop.escalate(plan)
    else entry.stopped = this.#stop(entry, plan)
    await entry.stopped
  }

  /** Stops it and forgets it. @throws OptionError (`ERR_LOOP_UNKNOWN`, `ERR_OPTION_INVALID`) */
  async remove(name: string, options: StopOptions = {}): Promise<void> {
    const entry = this.#entryOf(name)
    await this.stop(name, options)
    if (this.#entries.get(name) !== entry || entry.intent === 'up') return
    await entry.child?.remove()
  }

  /** What runs attempts on the loop of `run`. */
  executorOf(run: TaskRun): LoopExecutor | undefined {
    return run.plan.loop === undefined ? undefined : this.#entries.get(run.plan.loop)?.executor
  }

  /**
   * The plan with the loop that it means. `parent` is the run that submits.
   *
   * @throws OptionError (`ERR_LOOP_UNKNOWN`), SupervisorStateError (`ERR_LOOP_STOPPED`)
   */
  place(plan: RunPlan, parent: TaskRun | undefined): RunPlan {
    if (plan.loop === undefined) return plan
    const entry = this.#entryOf(plan.loop)
    const { name } = entry.executor
    // The child of a run on a loop that is being stopped is let in: its parent could not end without it.
    const isHeir = entry.stop !== undefined && parent?.plan.loop === name
    if ((entry.intent === 'down' || this.#hasGivenUp(entry)) && !isHeir) {
      throw new SupervisorStateError(
        `Loop "${name}" is ${entry.handle.state}: it takes no run. startLoop("${name}") starts it.`,
        { code: 'ERR_LOOP_STOPPED' },
      )
    }
    if (plan.loop === name) return plan
    let placed = this.#placed.get(plan)
    if (placed?.loop !== name) {
      placed = Object.freeze({ ...plan, loop: name })
      this.#placed.set(plan, placed)
    }
    return placed
  }

  created(run: TaskRun): void {
    if (this.#stopping > 0) this.#stopOf(run)?.add(run)
  }

  /** It has ended, or goes on elsewhere. */
  moved(): void {
    if (this.#stopping === 0) return
    for (const { stop } of this.#entries.values()) stop?.look()
  }

  info(): LoopInfo[] {
    return [...this.#entries.values()].map(({ handle }) => ({
      name: handle.name,
      state: handle.state,
      live: handle.live,
      blocked: handle.state === 'blocked',
      default: handle.name === this.#default,
    }))
  }

  /** It failed too often: only somebody's hand, or the next start of the supervisor, starts it. */
  #hasGivenUp({ child }: Entry): boolean {
    return child?.state === 'failed' && this.#options.group().state === 'running'
  }

  #forget(entry: Entry): void {
    const { name } = entry.executor
    entry.intent = 'down'
    this.#entries.delete(name)
    if (this.#default === name) this.#default = undefined
  }

  #stopOf(run: TaskRun): LoopStop | undefined {
    return run.plan.loop === undefined ? undefined : this.#entries.get(run.plan.loop)?.stop
  }

  async #stop(entry: Entry, plan: ReturnType<typeof planStop>): Promise<void> {
    const { name } = entry.executor
    const error = Object.assign(new Error(`Loop "${name}" was stopped.`), { code: 'ERR_LOOP_STOPPED' })
    this.#stopping += 1
    const stop = new LoopStop(name, this.#options.pool, plan, error)
    entry.stop = stop
    stop.look()
    await stop.ended
    await entry.child?.stop()
    // Between two threads there is nothing to end, only a failure to be forgotten.
    if (entry.executor.state === 'failed') entry.executor.send({ type: 'loop.stop' })
    entry.executor.giveUp(error)
    entry.stop = undefined
    this.#stopping -= 1
  }

  #requireStaying(call: string): void {
    const state = this.#options.state()
    if (state !== 'stopping' && state !== 'draining') return
    throw new SupervisorStateError(`${call} is not possible while the supervisor is ${state}.`, {
      code: 'ERR_SUPERVISOR_STOPPED',
    })
  }

  #entryOf(name: string): Entry {
    check.text('the name of a loop', name)
    const found = this.#entries.get(name === DEFAULT_LOOP ? (this.#default ?? '') : name)
    if (found !== undefined) return found
    const known = [...this.#entries.keys()].map((one) => `"${one}"`).join(', ')
    const there = known === '' ? 'There is none yet' : `There are ${known}`
    const what =
      name === DEFAULT_LOOP
        ? 'There is no default loop: createLoop(name, { default: true }) or setDefaultLoop(name) sets it'
        : `There is no loop called "${name}". ${there}; createLoop("${name}") makes one`
    throw new OptionError(`${what}.`, { code: 'ERR_LOOP_UNKNOWN' })
  }

  #make(name: string, options: LoopOptions): Entry {
    const { pool, supervisorId, logLevel, onError, submit, group } = this.#options
    const { clock } = pool.ports
    const executor: LoopExecutor = new LoopExecutor({
      name,
      threadName: `${supervisorId}:loop:${name}`,
      resourceLimits: options.resourceLimits,
      killAfterMs: options.onBlocked === 'kill' ? (options.killAfterMs ?? 5_000) : Number.POSITIVE_INFINITY,
      logLevel,
      timers: pool.timers,
      clock,
      tracer: pool.tracer,
      onError,
      listener: {
        ready: () => {
          this.#reportReady(entry)
          spec.listener?.ready()
        },
        blocked: (blockedMs) =>
          this.#report('loop.blocked', { loop: name, blockedMs, runs: executor.runIds }),
        unblocked: (blockedMs) => this.#report('loop.unblocked', { loop: name, blockedMs }),
        replace: () => this.#replace(entry),
        ended: (how, error, attempts) => {
          if (error === undefined) this.#report('loop.stopped', { loop: name })
          else this.#report('loop.failed', { loop: name, error, attempts })
          spec.listener?.exited(how === 'stopped' ? { kind: 'stopped' } : { kind: 'failed', error })
          if (error !== undefined) this.#lookAfter(entry, error)
        },
      },
    })
    const { restart = 'permanent', shutdownMs = 500 } = options
    const spec = new LoopChild(executor, {
      restart,
      shutdownMs,
      limits: loopLimits(options, this.#options.limits),
      gaveUp: (error) => {
        this.#report('loop.gaveUp', { loop: name, error })
        executor.giveUp(error)
      },
      removed: () => this.#forget(entry),
    })
    const handle = new LoopHandle(executor, {
      state: () => stateOf(entry),
      actor: () => executor.actorOf(group().actor),
      submit,
      start: () => this.start(name),
      stop: (stopOptions) => this.stop(name, stopOptions),
      kill: () => executor.killThread(killed(name)),
    })
    const intent = options.start === false ? ('down' as const) : ('up' as const)
    const entry: Entry = {
      executor,
      spec,
      child: undefined,
      handle,
      intent,
      stop: undefined,
      stopped: Promise.resolve(),
      restarts: 0,
    }
    if (intent === 'up') executor.expect()
    return entry
  }

  /** Ended on purpose, it counts towards no intensity; only what ends by itself does. */
  #replace({ child, spec, executor, intent }: Entry): void {
    if (child === undefined || spec.restart === 'temporary') {
      executor.send({ type: 'loop.kill' })
      return
    }
    try {
      // Nothing will run on another thread: it ends with the one that is killed.
      if (this.#options.isOverdue()) child.send({ type: 'child.kill' })
      else if (intent === 'down') void child.stop()
      else void child.restart().catch(() => {})
    } catch {
      // Its supervisor stops: it is not replaced.
    }
    executor.send({ type: 'loop.terminate' })
  }

  /** Nobody starts it again: what waits for it would wait for ever. */
  #lookAfter(entry: Entry, error: Error): void {
    if (entry.child?.rests === true) entry.executor.giveUp(error)
  }

  #reportReady(entry: Entry): void {
    const { name, worker } = entry.executor
    const facts = { loop: name, threadId: worker?.threadId ?? -1 }
    const restarts = entry.child?.restarts ?? 0
    if (restarts === entry.restarts) this.#report('loop.started', facts)
    else this.#report('loop.restarted', { ...facts, restarts })
    entry.restarts = restarts
  }

  readonly #report: Reporter['emit'] = (name, facts) => this.#options.reporter.emit(name, facts)
}

function killed(name: string): Error {
  return Object.assign(new Error(`Loop "${name}" was killed.`), { code: 'ERR_LOOP_KILLED', loop: name })
}

const STATES: Readonly<Record<string, LoopState>> = {
  starting: 'starting',
  'running.blocked': 'blocked',
  stopping: 'stopping',
  terminating: 'stopping',
  killing: 'failed',
  failed: 'failed',
}

function stateOf({ executor, intent, stop }: Entry): LoopState {
  if (stop !== undefined) return 'stopping'
  const { state } = executor
  if (state === 'stopped') return intent === 'up' ? 'waiting' : 'stopped'
  return STATES[state] ?? 'running'
}
