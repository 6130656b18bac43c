/**
 * Durable tasks as they go into a store and come out of it. What the user gave (input, result, error, metadata,
 * options) is JSON text, made and read above: a store keeps it and never looks into it, metadata filters aside.
 */
import type { Priority } from '../../machines/model.ts'
import type { WaitBounds } from '../../machines/overdue.ts'
import type { StoredPhase, StoredState } from '../../machines/stored-task.ts'

/**
 * What becomes of a new task whose key a live one holds: the live one is `keep`t and nothing stored, the new one is
 * `reject`ed, or the live one is `replace`d: it ends at once if it waits; if it runs, its holder has to end it, it
 * never waits again, and the new one has the key from now on.
 */
export type KeyConflict = 'keep' | 'reject' | 'replace'

/** What is called, and with what. The next step of a trampoline changes all of it. */
export interface StoredCall {
  readonly name: string
  /** Of the definition that made the input. */
  readonly version: number
  /** JSON text; `null` for none. */
  readonly input: string | null
  /** JSON text of run options; `null` for none. */
  readonly options: string | null
  readonly description: string | null
  /** JSON text of an object; `null` for none. */
  readonly metadata: string | null
  /** Until when it may wait, as far as whoever stored it knew. Only given, never read back. Without it, for ever. */
  readonly bounds?: WaitBounds | undefined
}

/** A call as a step: in which band, and which calls come after it as steps of the same task. */
export interface StepCall extends StoredCall {
  /** Default: the one that the task has. */
  readonly priority?: Priority
  /** JSON texts, the next one first; all of them before those that stand after the task already. Default: none. */
  readonly after?: readonly string[]
}

export interface NewTask extends StepCall {
  /** Unique for ever among the rows of the store. */
  readonly id: string
  readonly priority: Priority
  /** Epoch ms from which it may run. */
  readonly runAt: number
  /** Unique among live tasks. */
  readonly key: string | null
  readonly onConflict: KeyConflict
  /** Name of the schedule whose occurrence it is. */
  readonly schedule: string | null
}

/** Why its holder has to end it. */
export interface EndRequest {
  readonly at: number
  readonly by: string
  readonly reason: string | null
  /** True when another task has taken its key. */
  readonly replaced: boolean
}

export interface TaskRecord extends Omit<StoredCall, 'bounds'> {
  readonly id: string
  readonly state: StoredState
  readonly phase: StoredPhase | null
  readonly priority: Priority
  readonly runAt: number
  readonly key: string | null
  readonly schedule: string | null
  /** Id of the task that it is a child of. */
  readonly parent: string | null
  /** Attempts begun that count, of this step. */
  readonly attempt: number
  /** Leases lost, in this step. */
  readonly lost: number
  /** Steps made before this one. */
  readonly step: number
  /** Number of the last claim. */
  readonly fence: number
  /** Who claimed it last. */
  readonly holder: string | null
  /** Epoch ms; `null` while nobody holds it. */
  readonly leaseUntil: number | null
  /** Set while it runs, and kept when it has ended so. */
  readonly request: EndRequest | null
  readonly createdAt: number
  readonly createdBy: string
  /** The last claim. */
  readonly startedAt: number | null
  readonly endedAt: number | null
  /** Who ended it where its holder did not, and nobody had asked for that: it was overdue, or has lost too many leases. */
  readonly endedBy: string | null
  /** JSON text. */
  readonly result: string | null
  /** JSON text of the last failure, also while it waits for another attempt. */
  readonly error: string | null
  /** Why it ended so: the kind of failure, the reason of a termination, what a cancel or a skip said. */
  readonly reason: string | null
  /** While it waits for its children, the mean of theirs makes it. */
  readonly percent: number | null
  readonly note: string | null
}

/** What a holder needs to run it. */
export type ClaimedTask = Pick<
  TaskRecord,
  | 'id'
  | 'name'
  | 'version'
  | 'input'
  | 'options'
  | 'description'
  | 'metadata'
  | 'priority'
  | 'runAt'
  | 'key'
  | 'schedule'
  | 'attempt'
  | 'lost'
  | 'step'
  | 'fence'
  | 'createdAt'
> & {
  /** Of the calls that come after it the next one, as it was given; `null`: none does. */
  readonly next: string | null
}

/** The right to speak for a running task. */
export interface Lease {
  readonly id: string
  readonly fence: number
}
