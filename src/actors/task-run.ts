/** One run as the pool keeps it: its compiled snapshot and what surrounds it. Plain fields, no decisions. */
import type { AnyActorRef, SnapshotFrom } from 'xstate'
import type { Backoff } from '../machines/backoff.ts'
import type { Condition } from '../machines/condition.ts'
import type { QueueClocks } from '../machines/deadlines.ts'
import type { Execution, Failure, Outcome, Priority, TaskState } from '../machines/model.ts'
import type { taskMachine } from '../machines/task.ts'
import type { Timer, TimerKind, TimerOwner } from './armed-timers.ts'
import type { AttemptHandle, Executor } from './attempt.ts'
import type { AnyDefinition } from './definition.ts'
import type { DefinitionEntry } from './definition-entry.ts'
import type { KeptRun } from './kept-run.ts'
import { NO_PARAMETERS, type ParameterValues } from './parameters.ts'
import type { RunList } from './ready-queue.ts'
import type { RunValues } from './run-scope.ts'
import type { SharedStep } from './shared-step.ts'
import type { TaskPool } from './task-pool.ts'

export type TaskSnapshot = SnapshotFrom<typeof taskMachine>

/** What a run was asked to obey: options of submission over definition over supervisor, all filled in. */
export interface RunPlan extends QueueClocks {
  readonly priority: Priority
  readonly execution: Execution
  /** The loop in a thread of its own that it runs on. */
  readonly loop: string | undefined
  readonly runTimeoutMs: number
  readonly deadlineMs: number
  readonly graceMs: number
  readonly attempts: number
  readonly backoff: Backoff
  readonly retryIf:
    | ((error: unknown, failure: { kind: Failure['kind']; attempt: number }) => boolean)
    | undefined
  readonly multilaunch: boolean
  readonly onConflict: 'queue' | 'skip' | 'reject' | 'replace'
  readonly detached: boolean
  /** Runs its attempts instead of the supervisor's own. */
  readonly executor?: Executor | undefined
  readonly endCondition: Condition | undefined
  /** Values, functions that make some, last results. */
  readonly parameters: ParameterValues | undefined
  /** What every attempt's context begins with. */
  readonly context: RunValues | undefined
}

export interface Progress {
  /** 0 to 100. */
  readonly percent: number
  readonly note: string | undefined
}

/** Who waits for the end of a run or for its progress. */
export interface RunWatcher {
  /** The handler of an attempt has begun. */
  onStarted?(): void
  onEnded?(outcome: Outcome): void
  onProgress?(progress: Progress): void
}

/**
 * Monotonic instants are in ms on the supervisor's clock; -1 = not yet. Small integers until
 * they are needed: a number with a fraction costs an object of its own, and 100,000 of these wait.
 */
export class TaskRun implements TimerOwner {
  readonly pool: TaskPool
  /** What all live runs of the definition share. A continuation moves to another one. */
  entry: DefinitionEntry
  input: unknown
  plan: RunPlan
  /** Those of the attempt that runs now. */
  parameters: ParameterValues = NO_PARAMETERS
  snapshot: TaskSnapshot
  /** The step that led to the snapshot, while that is one others share. */
  shared: SharedStep | undefined = undefined
  /** Position in the order of submissions. */
  readonly order: number

  /** Position in the order of queueings: FIFO inside a band across lanes. */
  seq = 0
  /** The list it waits in, and its neighbours there. */
  list: RunList | undefined = undefined
  prev: TaskRun | undefined = undefined
  next: TaskRun | undefined = undefined
  /** Its neighbours among the live runs. */
  older: TaskRun | undefined = undefined
  newer: TaskRun | undefined = undefined
  /** The one armed timer. */
  timer: Timer | undefined = undefined

  readonly submittedMono: number
  queuedMono = -1
  /** When it last moved up a band. */
  agedMono = -1
  startedMono = -1
  endedMono = -1
  /** How long the last attempt whose handler began has run. */
  ranMs = -1
  /** Sum of its waits in the queue so far. */
  queueMs = 0
  /** Instants that may lie before the clock's origin, or never come. */
  deadlineMono: number | undefined = undefined
  expiryMono: number | undefined = undefined

  /** When it may run, or run again, epoch ms; -1: at once. */
  runAt = -1

  /** The attempt that may speak for the run; a report of any other is late and dropped. */
  attempt: AttemptHandle | undefined = undefined
  progress: Progress | undefined = undefined
  watchers: RunWatcher[] | undefined = undefined

  /** Name of the worker that submitted it. */
  worker: string | undefined = undefined
  /** Somebody keeps it elsewhere. */
  kept: KeptRun | undefined = undefined
  readonly parent: TaskRun | undefined
  /** It belongs to the start or the end of the supervisor, when nothing else is admitted. */
  early = false
  children: Set<TaskRun> | undefined = undefined
  holdsSlot = false
  /** Whose slot it runs on. */
  lender: TaskRun | undefined = undefined
  /** Which child runs on its slot. */
  borrower: TaskRun | undefined = undefined

  /** The XState actor, once somebody looked. */
  actor: AnyActorRef | undefined = undefined
  /** The public handle; told first when the run ends. */
  handle: RunWatcher | undefined = undefined
  /** Whether `get(id)` still knows it. */
  place: 'live' | 'kept' | 'gone' = 'live'
  #id: string | undefined

  constructor(
    pool: TaskPool,
    id: string | undefined,
    entry: DefinitionEntry,
    input: unknown,
    plan: RunPlan,
    snapshot: TaskSnapshot,
    order: number,
    now: number,
    parent: TaskRun | undefined,
  ) {
    this.pool = pool
    this.entry = entry
    this.input = input
    this.plan = plan
    this.snapshot = snapshot
    this.order = order
    this.submittedMono = now
    this.parent = parent
    this.#id = id
  }

  /** Made when somebody asks: most runs are never called by their name. */
  get id(): string {
    this.#id ??= this.pool.registry.identify(this)
    return this.#id
  }

  /** The id, if the run has one already. */
  get knownId(): string | undefined {
    return this.#id
  }

  get definition(): AnyDefinition {
    return this.entry.definition
  }

  get state(): TaskState {
    const { value } = this.snapshot
    return typeof value === 'string' ? (value as TaskState) : 'running'
  }

  get live(): boolean {
    return this.snapshot.status === 'active'
  }

  get outcome(): Outcome | undefined {
    return this.snapshot.context.outcome
  }

  get execution(): Execution {
    return this.snapshot.context.execution
  }

  onTimer(kind: TimerKind): void {
    this.timer = undefined
    this.pool.timerFired(this, kind)
  }
}
