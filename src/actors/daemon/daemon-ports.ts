/** What a daemon needs from outside: wired by the runtime. No port throws unless it says so. */
import type { DaemonFact } from '../../machines/daemon.ts'
import type { Outcome } from '../../machines/model.ts'
import type { Clock } from '../clock.ts'
import type {
  AnswerTable,
  OccurOperation,
  OverdueTask,
  PruneOperation,
  SettleOperation,
  StoreOperation,
  Verdict,
} from '../store/operations.ts'
import type { ScheduleRecord } from '../store/records.ts'
import type { WakeTopic } from '../store/store.ts'
import type { ClaimedTask } from '../store/task-record.ts'
import type { TaskPool } from '../task-pool.ts'
import type { TaskRun } from '../task-run.ts'
import type { HeldTask } from './held-task.ts'

/** The store as a daemon uses it. */
export interface DaemonStore {
  /** It works beside this process, while the tasks here run. */
  readonly isServer: boolean
  /** Resolves when it is durable; see `GroupCommit`. */
  submit<Operation extends StoreOperation>(operation: Operation): Promise<AnswerTable[Operation['type']]>
  /** The same for what was answered `locked`: it keeps nothing else waiting. */
  submitLocked(operation: SettleOperation): Promise<AnswerTable['settle']>
  /** Schedules that somebody has to look at by `now`, epoch ms. */
  dueSchedules(now: number): Promise<readonly ScheduleRecord[]>
  /** Whether a word was left for this daemon, which its next sign of life would bring. */
  isTold(id: string): Promise<boolean>
  /** Whether it was closed for good by whoever opened it. */
  isClosed(): boolean
  wake(topic: WakeTopic, listener: () => void): () => void
}

/** Who it is, for the store. */
export interface DaemonIdentity {
  /** Unique for each life: it is the holder of leases. */
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly startedAt: number
}

export interface DaemonSettings {
  readonly leaseMs: number
  /** Most tasks claimed beyond the free places. */
  readonly prefetch: number
  /** A task that loses more leases is terminated. */
  readonly lostLimit: number
  readonly keep: PruneOperation['keep']
  /** Of the definitions that it knows: those that run in processes, and the others. */
  readonly processNames: readonly string[]
  readonly names: readonly string[]
  /** What becomes of tasks with other names. */
  readonly unknownTasks: 'fail' | 'leave'
}

/**
 * How long a task may run here on a lease of `leaseMs`, counted from before the store was asked: it has to be over when
 * somebody else may begin it.
 */
export function safeLeaseMs(leaseMs: number): number {
  return leaseMs * 0.95
}

export interface DaemonPorts {
  readonly settings: DaemonSettings
  readonly store: DaemonStore
  readonly pool: TaskPool
  readonly clock: Clock
  /** Whole epoch ms, as stores keep them. */
  now(): number
  /** 0 ≤ r < 1. */
  random(): number
  /** A new life begins. */
  identify(): DaemonIdentity
  /** Has the supervisor run one attempt. @returns what becomes of a task that cannot be run */
  begin(held: HeldTask): TaskRun | Verdict
  /** What the store is told of an attempt; `undefined`: nothing, its lease says it by running out. */
  verdictOf(held: HeldTask, outcome: Outcome): Verdict | undefined
  /** What a task ends as whose end the store refused with `error`. */
  unstorable(error: unknown): Verdict
  /** What a look at a schedule leads to, to be stored in this order. */
  occurrences(schedule: ScheduleRecord, now: number, by: string): readonly OccurOperation[]
  /** The schedule of this occurrence, or child of one, does not come again. Resolves when that is stored, with false when there is none; rejects when it cannot be. */
  endSchedule(identity: DaemonIdentity, task: ClaimedTask): Promise<boolean>
  /** No occurrence of it is left. */
  scheduleExhausted(identity: DaemonIdentity, name: string): void
  /** How far a task is, 0 to 100, when its step has reported so much, or begins. */
  percentOf(held: HeldTask, reported: number | undefined): number | undefined
  /** @param error - what the store failed with */
  announce(identity: DaemonIdentity, fact: Exclude<DaemonFact, 'stopped'>, error: unknown): void
  /** Tasks that still run, and ends that are not stored, when the bound of a stop has come. */
  stopped(identity: DaemonIdentity, held: number, untold: number): void
  /** Somebody else has the task by now, or nobody could be asked in time. */
  leaseLost(identity: DaemonIdentity, held: HeldTask): void
  /** The leases of what it holds could not be renewed, and are tried again; told once until `renewalWorks`. */
  renewalFailed(identity: DaemonIdentity, held: number, error: unknown): void
  renewalWorks(identity: DaemonIdentity, held: number): void
  /** Its settlement changed nothing: somebody else had the task. */
  fenced(identity: DaemonIdentity, runId: string): void
  /** A task that waited for longer than it may was ended. */
  overdue(identity: DaemonIdentity, task: OverdueTask): void
  /** Left for it in the store by whoever wants something of it. */
  told(identity: DaemonIdentity, message: string): void
  onError(error: unknown, what: string): void
}
