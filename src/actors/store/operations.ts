/**
 * The writes of a store: batches that one `commit` carries out together. Instants come in as `at` (whole epoch ms, of
 * the caller's clock), limits are finite, `by` says who acts. Each answers per item and in order; an item that merely
 * conflicts is an answer, never an error.
 */
import type { FailureKind, Priority, TerminationReason } from '../../machines/model.ts'
import type { OverdueReason } from '../../machines/overdue.ts'
import type { EndedState, StoredState } from '../../machines/stored-task.ts'
import type { SchedulePlan, ScheduleRecord } from './records.ts'
import type { ClaimedTask, EndRequest, Lease, NewTask, StepCall } from './task-record.ts'

interface Act {
  readonly at: number
}

interface ActBy extends Act {
  readonly by: string
}

export interface EnqueueOperation extends ActBy {
  readonly type: 'enqueue'
  readonly tasks: readonly NewTask[]
}

/** Takes what is due: the highest band first, first come first served by `runAt` inside of it. */
export interface ClaimOperation extends Act {
  readonly type: 'claim'
  readonly holder: string
  readonly leaseUntil: number
  /** How many may be taken in all while one of this band is still among them; see `placesFor`. */
  readonly room: Readonly<Record<Priority, number>>
  /** At most so many in all; finite, whatever the room. */
  readonly limit: number
  /** Only these tasks, as far as they are due and the rest holds. */
  readonly ids?: readonly string[]
  /** Only tasks of these definitions. Without it, all. */
  readonly names?: readonly string[]
  /** All but tasks of these definitions. One behind a long backlog of theirs may have to wait for that to shrink. */
  readonly except?: readonly string[]
}

export interface RenewOperation extends Act {
  readonly type: 'renew'
  readonly leaseUntil: number
  readonly leases: readonly Lease[]
}

/** After which the task may run once more, as the call that it is. */
interface Repeatable {
  /** JSON text: its options from now on. Default: those that it has. */
  readonly options?: string
}

/** What became of an attempt. Each needs the fence; a holder that was asked to end it never makes it wait again. */
export type Verdict =
  | { readonly kind: 'finished'; readonly result: string | null; readonly reason: string | null }
  | (Repeatable & { readonly kind: 'failed'; readonly error: string | null; readonly reason: FailureKind })
  | (Repeatable & {
      readonly kind: 'cancelled'
      readonly error: string | null
      readonly reason: string | null
    })
  | (Repeatable & {
      readonly kind: 'terminated'
      readonly error: string | null
      readonly reason: TerminationReason
    })
  /** It failed and is tried again. */
  | (Repeatable & { readonly kind: 'retry'; readonly runAt: number; readonly error: string | null })
  | (Repeatable & { readonly kind: 'snooze'; readonly runAt: number })
  /** The next step of a trampoline, under the same id. `percent`: how far it is then. */
  | {
      readonly kind: 'step'
      readonly runAt: number
      readonly call: StepCall
      /** It is the call that stood after the task, which does no more. Default: it is another one. */
      readonly isNext?: boolean
      readonly percent?: number | null
    }
  /**
   * It has made tasks of its own, and its next step is due once none of its children is live any more, these and earlier ones;
   * at once, if none is. `percent` of the whole: when none of these has begun, and when all have ended.
   */
  | {
      readonly kind: 'fork'
      readonly runAt: number
      readonly call: StepCall
      /** Their ids are free, or the operation fails; they have no key and no schedule. */
      readonly children: readonly NewTask[]
      readonly percent: { readonly from: number; readonly to: number }
    }
  /** Handed back before it had begun, or because its holder stops. */
  | (Repeatable & { readonly kind: 'returned' })

export interface Settlement extends Lease {
  readonly verdict: Verdict
}

export interface SettleOperation extends ActBy {
  readonly type: 'settle'
  readonly settlements: readonly Settlement[]
}

export interface ProgressOperation extends Act {
  readonly type: 'progress'
  readonly reports: readonly (Lease & { readonly percent: number | null; readonly note: string | null })[]
}

/** The children of a task that waits for them are cancelled with it, and theirs. */
export interface CancelOperation extends ActBy {
  readonly type: 'cancel'
  readonly ids: readonly string[]
  readonly reason: string | null
}

/**
 * Once more, from the first attempt, of the step that ended it. Not for finished ones. Those of its children that have not
 * finished are retried with it, and theirs; then it waits for them.
 */
export interface RetryOperation extends ActBy {
  readonly type: 'retry'
  readonly ids: readonly string[]
  readonly runAt: number
}

export interface MoveOperation extends ActBy {
  readonly type: 'move'
  readonly ids: readonly string[]
  readonly runAt: number
}

/** Forgets tasks that neither run nor wait for children, with their log. */
export interface RemoveOperation extends Act {
  readonly type: 'remove'
  readonly ids: readonly string[]
}

/** Takes tasks back whose lease is over. */
export interface ReclaimOperation extends ActBy {
  readonly type: 'reclaim'
  /** A task that lost more leases than this is terminated (`awol`). */
  readonly lostLimit: number
  readonly limit: number
  /** This one alone. Default: all whose leases are over. */
  readonly id?: string
}

/** Ends tasks that have waited for longer than they may, the longest overdue first: without a claim, whatever their names. */
export interface OverdueOperation extends ActBy {
  readonly type: 'overdue'
  readonly limit: number
}

/**
 * Makes or changes a schedule. The run that it has goes on. One with the same rule goes on as it was planned, so that
 * saying it again, at every start of a program, loses no occurrence.
 */
export interface ScheduleOperation extends ActBy {
  readonly type: 'schedule'
  readonly schedules: readonly Pick<ScheduleRecord, 'name' | 'rule' | 'call' | 'nextAt'>[]
}

export interface UnscheduleOperation {
  readonly type: 'unschedule'
  readonly names: readonly string[]
}

/**
 * What a look at a schedule has led to: stores the task of an occurrence, if there is one, and what is planned from now on,
 * unless somebody else was first. When that task has ended or is removed, the store itself notes it (`runId`, `endedAt`),
 * and has it looked at (`lookAt`) if occurrences are owed or no next one is known.
 */
export interface OccurOperation extends ActBy {
  readonly type: 'occur'
  readonly name: string
  /** As it was read, or as the `occur` before it in the same commit made it. */
  readonly seen: Pick<ScheduleRecord, 'nextAt' | 'owed' | 'runId'>
  readonly task: NewTask | null
  readonly plan: SchedulePlan
}

/** Forgets tasks that have ended, but no children of a task that has not. */
export interface PruneOperation extends Act {
  readonly type: 'prune'
  readonly keep: readonly {
    readonly state: EndedState
    /** Keep for so long after its end. */
    readonly ms?: number
    /** Keep so many, the last ended ones. */
    readonly count?: number
  }[]
  /** Delete at most so many: small batches let others write in between. */
  readonly limit: number
}

/** A daemon says that it lives. */
export interface BeatOperation extends Act {
  readonly type: 'beat'
  readonly daemon: {
    readonly id: string
    readonly name: string
    readonly host: string
    readonly pid: number
    readonly startedAt: number
    readonly state: string
    /** JSON text. */
    readonly counts: string | null
  }
}

/** Daemons that are gone. */
export interface LeaveOperation {
  readonly type: 'leave'
  readonly ids: readonly string[]
}

/** Leaves a message for daemons; the answer to their next beat brings it. */
export interface TellOperation {
  readonly type: 'tell'
  /** Without it, all. */
  readonly ids?: readonly string[]
  readonly message: string
}

export type StoreOperation =
  | EnqueueOperation
  | ClaimOperation
  | RenewOperation
  | SettleOperation
  | ProgressOperation
  | CancelOperation
  | RetryOperation
  | MoveOperation
  | RemoveOperation
  | ReclaimOperation
  | OverdueOperation
  | ScheduleOperation
  | UnscheduleOperation
  | OccurOperation
  | PruneOperation
  | BeatOperation
  | LeaveOperation
  | TellOperation

/** Why an item was not done. */
export type Refusal =
  | { readonly kind: 'refused'; readonly code: 'ERR_RUN_UNKNOWN' }
  | { readonly kind: 'refused'; readonly code: 'ERR_RUN_ID_TAKEN' }
  /** `id`: who holds the key. */
  | { readonly kind: 'refused'; readonly code: 'ERR_TASK_KEY_TAKEN'; readonly id: string }
  | { readonly kind: 'refused'; readonly code: 'ERR_RUN_STATE'; readonly state: StoredState }

/** Nobody holds this fence any more: another has it, or the task is gone. Nothing was changed. */
export interface Lost {
  readonly kind: 'lost'
}

/**
 * An open transaction of somebody else has its row locked. Nothing was changed; it may be asked again.
 */
export interface Locked {
  readonly kind: 'locked'
}

interface Done {
  readonly kind: 'done'
}

export type EnqueueAnswer =
  | { readonly kind: 'stored'; readonly replaced: string | null }
  /** A live one with its key is there already. */
  | { readonly kind: 'kept'; readonly id: string }
  | Refusal

export interface AskedTask extends Lease {
  readonly request: EndRequest
}

export interface ClaimAnswer {
  readonly tasks: readonly ClaimedTask[]
  /** The holder's running tasks that it has to end. */
  readonly asked: readonly AskedTask[]
  /** When the next task that is not due yet becomes due, of any name. `null`: none. */
  readonly nextAt: number | null
  /** From when on somebody has to look at a schedule. `null`: never. */
  readonly scheduleAt: number | null
  /** From when on one that waits is overdue; it may be now. `null`: none. */
  readonly overdueAt: number | null
}

export type RenewAnswer = { readonly kind: 'kept'; readonly request: EndRequest | null } | Lost | Locked

/** `state`: what it is now. */
export type SettleAnswer = { readonly kind: 'settled'; readonly state: StoredState } | Lost | Locked

/** `asked`: its holder has to end it. */
export type CancelAnswer = { readonly kind: 'cancelled' | 'asked' } | Refusal

export interface ReclaimedTask {
  readonly id: string
  readonly name: string
  readonly holder: string
  readonly schedule: string | null
  readonly state: StoredState
}

export interface OverdueTask {
  readonly id: string
  readonly name: string
  readonly state: 'failed' | 'terminated'
  readonly reason: OverdueReason
}

/** `stale`: somebody else has handled it, or taken it away. */
export type OccurAnswer =
  | { readonly kind: 'occurred'; readonly enqueued: EnqueueAnswer | null }
  | { readonly kind: 'stale' }

/** What each operation answers. */
export interface AnswerTable {
  enqueue: { readonly items: readonly EnqueueAnswer[] }
  claim: ClaimAnswer
  renew: { readonly items: readonly RenewAnswer[] }
  /** `joined`: a task that waited for children may be due, or a schedule to be looked at, and a claim beside it did not see that. */
  settle: { readonly items: readonly SettleAnswer[]; readonly joined: boolean }
  /** What is locked is answered `lost`. */
  progress: { readonly items: readonly (Done | Lost)[] }
  cancel: { readonly items: readonly CancelAnswer[] }
  retry: { readonly items: readonly (Done | Refusal)[] }
  move: { readonly items: readonly (Done | Refusal)[] }
  remove: { readonly items: readonly (Done | Refusal)[] }
  reclaim: { readonly tasks: readonly ReclaimedTask[] }
  /** `nextAt`: when the next one is overdue that was left, epoch ms. */
  overdue: { readonly tasks: readonly OverdueTask[]; readonly nextAt: number | null }
  schedule: { readonly items: readonly Done[] }
  unschedule: { readonly items: readonly (Done | { readonly kind: 'unknown' })[] }
  occur: OccurAnswer
  prune: { readonly removed: number }
  beat: { readonly message: string | null }
  leave: { readonly left: number }
  tell: { readonly told: number }
}

export type OperationType = StoreOperation['type']

/** An operation that could not be carried out at all. Its neighbours were. */
export interface FailedAnswer {
  readonly type: 'failed'
  readonly error: Error
}

export type AnswerTo<Type extends OperationType> = { readonly type: Type; readonly answer: AnswerTable[Type] }

export type StoreAnswer = { [Type in OperationType]: AnswerTo<Type> }[OperationType] | FailedAnswer
