/** From a call of `submit` to a run in the pool: everything is checked before anything changes. */
import type { RemoteCall } from '../actors/attempt.ts'
import type { Clock } from '../actors/clock.ts'
import { type AnyDefinition, isDefinition, type TaskCall } from '../actors/definition.ts'
import type { DefinitionEntry } from '../actors/definition-entry.ts'
import type { ChildRun } from '../actors/handler-context.ts'
import type { KeptRun } from '../actors/kept-run.ts'
import type { Continuation } from '../actors/pool-ports.ts'
import type { RunValues } from '../actors/run-scope.ts'
import type { SubmissionFacts, TaskPool } from '../actors/task-pool.ts'
import type { RunPlan, RunWatcher, TaskRun } from '../actors/task-run.ts'
import type { Priority } from '../machines/model.ts'
import { check } from './check.ts'
import { requireModule, type TaskDefinition } from './define-task.ts'
import type { Definitions } from './definitions.ts'
import { OptionError, SupervisorStateError } from './errors.ts'
import { checkGivenInput } from './input-check.ts'
import type { Loops } from './loops.ts'
import { REFUSES_OWN } from './refusing.ts'
import type { RunHandle } from './run.ts'
import { checkSubmitOptions, overridePlan, type SubmitOptions } from './task-options.ts'

export interface SubmissionsOptions {
  readonly clock: Clock
  readonly definitions: Definitions
  readonly defaultRunId: ((definition: AnyDefinition, input: unknown) => string) | undefined
  readonly pool: TaskPool
  readonly loops: Loops
  handleOf(run: TaskRun): RunHandle
  /** The supervisor's state. */
  state(): string
}

/** What is known of a run that is kept elsewhere. */
export interface KeptFacts {
  readonly id: string
  /** Attempts that it has had. */
  readonly attempt: number
  readonly priority: Priority
  /** Since it was made: its deadline counts from then. */
  readonly ageMs: number
  /** Since it was due: its queue timeout counts from then. */
  readonly waitedMs: number
  /** It fails as `expired` when its handler has not begun by then. */
  readonly expiresInMs: number
  readonly run: KeptRun
}

const NO_OPTIONS: SubmitOptions = {}
const PLAIN: SubmissionFacts = { id: undefined, expiresInMs: Number.POSITIVE_INFINITY, parent: undefined }

export class Submissions {
  readonly #options: SubmissionsOptions

  constructor(options: SubmissionsOptions) {
    this.#options = options
  }

  /** @throws OptionError for whatever is wrong with the call */
  submit(
    definition: AnyDefinition,
    input: unknown,
    given: SubmitOptions | undefined,
    parent?: TaskRun,
  ): TaskRun {
    const { definitions } = this.#options
    const entry = definitions.entryOf(definition)
    if (given !== undefined) checkSubmitOptions(given)
    return this.submitEntry(entry, input, given ?? NO_OPTIONS, parent)
  }

  /** Like `submit`, for options that have been checked. */
  submitEntry(
    entry: DefinitionEntry,
    input: unknown,
    options: SubmitOptions,
    parent?: TaskRun,
    early = false,
  ): TaskRun {
    const { pool, definitions } = this.#options
    const asked = options === NO_OPTIONS ? entry.plan : overridePlan(entry.plan, options)
    const { definition } = entry
    requireModule(definition, asked.execution, asked.loop)
    const plan = this.#options.loops.place(asked, parent)
    checkGivenInput(definition, input)
    const skipped = plan.multilaunch || entry.live === 0 ? undefined : this.#conflict(entry, plan, parent)
    if (skipped !== undefined) return skipped
    const { signal } = options
    const facts = this.#factsOf(definition as TaskDefinition, input, options, parent)
    const met = definitions.meet(entry)
    const run = pool.create(met, input, plan, early ? { ...facts, early } : facts)
    // A listener of `task.created` may have ended it.
    if (!run.live) return run
    if (signal?.aborted) {
      pool.deliver(run, { type: 'task.cancel', reason: signal.reason })
      return run
    }
    if (signal !== undefined) this.#follow(run, signal)
    if (!plan.multilaunch && plan.onConflict === 'replace') this.#replace(met, run)
    pool.submit(run, this.#delayOf(options))
    if (options.runAt !== undefined) run.runAt = Math.floor(Number(options.runAt))
    return run
  }

  /**
   * A run that belongs to the start or the end of the supervisor. Whoever holds it up, where one run is allowed at a time,
   * goes with it.
   */
  submitEarly({ definition, input, options }: TaskCall): TaskRun {
    const { pool, definitions } = this.#options
    const entry = definitions.entryOf(definition)
    if (options !== undefined) checkSubmitOptions(options)
    const run = this.submitEntry(entry, input, options ?? NO_OPTIONS, undefined, true)
    if (!run.plan.multilaunch) {
      for (const other of pool.registry.live()) if (other.entry === run.entry) pool.hasten(other)
      pool.settleDown()
    }
    return run
  }

  /** The band that a call is for. */
  priorityOf({ definition, options }: TaskCall): Priority {
    const { plan } = this.#options.definitions.entryOf(definition)
    return (options as SubmitOptions | undefined)?.priority ?? plan.priority
  }

  /**
   * A run of a worker. Accepted also while the supervisor drains: a worker ends by doing what it still has to do.
   *
   * @returns `undefined` when another live run stands for it (`multilaunch: false`)
   * @throws OptionError for an input that its schema refuses; SupervisorStateError (`ERR_SUPERVISOR_STOPPED`)
   */
  submitWork(
    entry: DefinitionEntry,
    input: unknown,
    asked: RunPlan,
    facts: SubmissionFacts,
  ): TaskRun | undefined {
    const { pool, state, defaultRunId, loops } = this.#options
    if (REFUSES_OWN.includes(state())) {
      throw new SupervisorStateError(
        `The supervisor is ${state()}: worker "${facts.worker}" can run no more.`,
        {
          code: 'ERR_SUPERVISOR_STOPPED',
          taskName: entry.definition.name,
        },
      )
    }
    const definition = entry.definition as TaskDefinition
    const plan = loops.place(asked, undefined)
    checkGivenInput(definition, input)
    if (!plan.multilaunch && entry.live > 0 && this.#conflict(entry, plan, undefined) !== undefined)
      return undefined
    const make = definition.options.runId ?? defaultRunId
    const id = make === undefined ? undefined : this.#checkId(definition, make(definition as never, input))
    const run = pool.create(entry, input, plan, id === undefined ? facts : { ...facts, id })
    if (!run.live) return run
    if (!plan.multilaunch && plan.onConflict === 'replace') this.#replace(entry, run)
    pool.submit(run, 0)
    return run
  }

  /**
   * One attempt of a run that somebody keeps elsewhere, with options that have been checked. Where one run is allowed
   * at a time it waits for the others, whatever `onConflict` says.
   *
   * @throws OptionError (`ERR_RUN_ID_TAKEN`, `ERR_INPUT_INVALID`, `ERR_TASK_MODULE_MISSING`, `ERR_LOOP_UNKNOWN`)
   */
  submitKept(
    { definition, input, options }: TaskCall,
    { id, attempt, priority, ageMs, waitedMs, expiresInMs, run: kept }: KeptFacts,
  ): TaskRun {
    const { pool, definitions, loops } = this.#options
    const entry = definitions.entryOf(definition)
    // The definition's own plan, as long as nobody wants another: such runs share their first steps.
    const isPlain = options === undefined && priority === entry.plan.priority
    const asked = isPlain ? entry.plan : overridePlan(entry.plan, { ...options, priority })
    requireModule(definition, asked.execution, asked.loop)
    const plan = agedPlan(loops.place(asked, undefined), ageMs, waitedMs)
    checkGivenInput(definition, input)
    const run = pool.create(definitions.meet(entry), input, plan, {
      id: this.#checkId(definition as TaskDefinition, id),
      expiresInMs,
      parent: undefined,
      kept: { run: kept, attempt },
    })
    // What is over before it came here never begins: a short handler would be through before any timer.
    if (plan.deadlineMs === 0) pool.deliver(run, { type: 'task.terminate', reason: 'deadline' })
    else if (plan.queueTimeoutMs === 0) pool.deliver(run, { type: 'task.terminate', reason: 'queueTimeout' })
    else if (run.live) pool.submit(run, 0)
    return run
  }

  /** `ctx.submit` on this loop. */
  submitChild(
    parent: TaskRun,
    definition: AnyDefinition | TaskCall,
    input?: unknown,
    options?: SubmitOptions,
    inherited?: RunValues,
  ): ChildRun {
    if (!parent.live) {
      throw new OptionError(`Run ${parent.id} has ended: it cannot submit a child any more.`, {
        code: 'ERR_RUN_ENDED',
        runId: parent.id,
        taskName: parent.definition.name,
      })
    }
    const { pool, handleOf } = this.#options
    // A shutdown task does its work while all else has ended.
    if (!parent.early || parent.snapshot.context.stop !== undefined) {
      this.requireNotSignalled(`child of run ${parent.id}`, {
        runId: parent.id,
        taskName: parent.definition.name,
      })
    }
    const call = isDefinition(definition) ? { definition, input, options } : (definition as TaskCall)
    const child = this.submit(
      call.definition,
      call.input,
      inherit(inherited, call.options as object | undefined),
      parent,
    )
    const handle = handleOf(child)
    return {
      id: child.id,
      get result() {
        pool.lending.await(parent, child)
        return handle.result
      },
      cancel: (reason) => void handle.cancel(reason),
    }
  }

  /**
   * For whoever belongs to the supervisor (runs, workers, children): while it drains, what was accepted may still do
   * its work; once it is told to end, no more begins.
   *
   * @throws SupervisorStateError (`ERR_SUPERVISOR_STOPPED`)
   */
  requireNotSignalled(
    what: string,
    facts: { readonly runId?: string; readonly taskName?: string } = {},
  ): void {
    const state = this.#options.state()
    if (!REFUSES_OWN.includes(state)) return
    throw new SupervisorStateError(`The supervisor is ${state}: it accepts no ${what}.`, {
      code: 'ERR_SUPERVISOR_STOPPED',
      ...facts,
    })
  }

  /** What a `ctx.next` goes on with: the same run, another definition and input. */
  async continuation(call: RemoteCall | TaskCall, inherited?: RunValues): Promise<Continuation> {
    const options = (inherit(inherited, call.options as object | undefined) ?? NO_OPTIONS) as SubmitOptions
    checkSubmitOptions(options)
    const entry = await this.#options.definitions.entryOfCall(call)
    const asked = overridePlan(entry.plan, options)
    requireModule(entry.definition, asked.execution, asked.loop)
    const plan = this.#options.loops.place(asked, undefined)
    const input = await this.#options.definitions.inputOfCall(call)
    checkGivenInput(entry.definition, input)
    return { entry: this.#options.definitions.meet(entry), input, plan }
  }

  /** @returns the live run that stands for the new one */
  #conflict(entry: DefinitionEntry, plan: RunPlan, parent: TaskRun | undefined): TaskRun | undefined {
    const { name } = entry.definition
    if (plan.onConflict === 'skip' || plan.onConflict === 'reject') {
      const live = this.#options.pool.registry.live().find((run) => run.entry === entry)
      if (plan.onConflict === 'reject') {
        throw new OptionError(
          `Task "${name}" is live already (run ${live?.id}) and allows one run at a time.`,
          {
            code: 'ERR_TASK_ALREADY_LIVE',
            runId: live?.id,
            taskName: name,
          },
        )
      }
      if (live !== undefined && !isAncestor(live, parent)) return live
    }
    if (plan.detached) return undefined
    for (let ancestor = parent; ancestor !== undefined; ancestor = ancestor.parent) {
      if (ancestor.entry !== entry) continue
      throw new OptionError(
        `Task "${name}" allows one run at a time: a child of the live one would wait for itself.`,
        {
          code: 'ERR_TASK_ALREADY_LIVE',
          runId: ancestor.id,
          taskName: name,
        },
      )
    }
    return undefined
  }

  #replace(entry: DefinitionEntry, newer: TaskRun): void {
    const { pool } = this.#options
    for (const run of pool.registry.live()) {
      if (run.entry !== entry || run === newer) continue
      pool.deliver(run, { type: 'task.terminate', reason: 'replaced' })
    }
  }

  #factsOf(
    definition: TaskDefinition,
    input: unknown,
    options: SubmitOptions,
    parent: TaskRun | undefined,
  ): SubmissionFacts {
    const { clock, defaultRunId } = this.#options
    const make = definition.options.runId ?? defaultRunId
    if (options === NO_OPTIONS && make === undefined && parent === undefined) return PLAIN
    const { runId, expiresAt } = options
    const given = runId ?? make?.(definition as never, input)
    return {
      id: given === undefined && make === undefined ? undefined : this.#checkId(definition, given),
      expiresInMs: expiresAt === undefined ? Number.POSITIVE_INFINITY : Number(expiresAt) - clock.now(),
      parent,
    }
  }

  #checkId(definition: TaskDefinition, id: unknown): string {
    check.wellFormed(`runId of task "${definition.name}"`, id)
    const checked = id as string
    if (!this.#options.pool.registry.isLive(checked)) return checked
    throw new OptionError(
      `Run id "${checked}" is live already: a run id may be used again when its run has ended.`,
      {
        code: 'ERR_RUN_ID_TAKEN',
        runId: checked,
        taskName: definition.name,
      },
    )
  }

  #delayOf({ delayMs, runAt }: SubmitOptions): number {
    if (runAt === undefined) return delayMs ?? 0
    return Math.max(0, Number(runAt) - this.#options.clock.now())
  }

  #follow(run: TaskRun, signal: AbortSignal): void {
    const follower = new Follower(run, signal)
    signal.addEventListener('abort', follower)
    run.watchers ??= []
    run.watchers.push(follower)
  }
}

/** Cancels a run with a signal, as long as the run is live. */
class Follower implements RunWatcher {
  readonly #run: TaskRun
  readonly #signal: AbortSignal

  constructor(run: TaskRun, signal: AbortSignal) {
    this.#run = run
    this.#signal = signal
  }

  handleEvent(): void {
    this.#run.pool.deliver(this.#run, { type: 'task.cancel', reason: this.#signal.reason })
  }

  onEnded(): void {
    this.#signal.removeEventListener('abort', this)
  }
}

/** Own values over those of the parent, or of the step before. */
function inherit(values: RunValues | undefined, options: object | undefined): object | undefined {
  if (values === undefined) return options
  const { context } = (options ?? NO_OPTIONS) as SubmitOptions
  if (context !== undefined) checkSubmitOptions({ context })
  return { ...options, context: { ...values, ...context } }
}

function isAncestor(run: TaskRun, of: TaskRun | undefined): boolean {
  for (let ancestor = of; ancestor !== undefined; ancestor = ancestor.parent)
    if (ancestor === run) return true
  return false
}

/** What is left of the times that count from before the run came here. */
function agedPlan(plan: RunPlan, ageMs: number, waitedMs: number): RunPlan {
  const { deadlineMs, queueTimeoutMs } = plan
  if (deadlineMs === Number.POSITIVE_INFINITY && queueTimeoutMs === Number.POSITIVE_INFINITY) return plan
  return Object.freeze({
    ...plan,
    deadlineMs: Math.max(0, deadlineMs - ageMs),
    queueTimeoutMs: Math.max(0, queueTimeoutMs - waitedMs),
  })
}
