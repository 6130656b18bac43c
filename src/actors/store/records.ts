/** What a store keeps beside tasks: schedules, daemons, log entries; and how tasks are asked for. */
import type { TaskState } from '../../machines/model.ts'

export interface ScheduleRecord {
  readonly name: string
  /** JSON text: when, and the policies. */
  readonly rule: string
  /** JSON text: what is called, and how. */
  readonly call: string
  /** Epoch ms of the next occurrence; `null` while none is known. */
  readonly nextAt: number | null
  /** JSON text: occurrences that still have to run; `null` for none. */
  readonly owed: string | null
  /** Epoch ms from which on somebody has to look at it; `null`: not before its run has ended, or never. */
  readonly lookAt: number | null
  /** The task of the last occurrence, until it has ended. */
  readonly runId: string | null
  /** When the last run ended. */
  readonly endedAt: number | null
  readonly createdAt: number
  readonly createdBy: string
}

/** What a look at a schedule has decided. */
export type SchedulePlan = Pick<ScheduleRecord, 'nextAt' | 'owed' | 'lookAt'>

export interface DaemonRecord {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly startedAt: number
  /** Its last sign of life. */
  readonly beatAt: number
  readonly state: string
  /** JSON text. */
  readonly counts: string | null
  /** Left for it and not yet read. */
  readonly message: string | null
}

/** What was done to a task. `act` is a word, `detail` a text (JSON of the error for `failed`). */
export interface LogEntry {
  readonly at: number
  readonly by: string
  readonly act: LogAct
  readonly detail: string | null
}

export const LOG_ACTS = [
  'created',
  'started',
  'finished',
  'failed',
  'cancelled',
  'terminated',
  'cancelAsked',
  'replaced',
  'attemptFailed',
  'leaseLost',
  'snoozed',
  'stepped',
  'forked',
  'returned',
  'retried',
  'moved',
] as const

export type LogAct = (typeof LOG_ACTS)[number]

/** All that is given must hold. */
export interface TaskFilter {
  /** As they are called in public. */
  readonly states?: readonly TaskState[]
  readonly names?: readonly string[]
  readonly key?: string
  readonly schedule?: string
  /** Id of the task whose children they are. */
  readonly parent?: string
  /** Top-level members of the metadata that must be equal. */
  readonly metadata?: Readonly<Record<string, string | number | boolean | null>>
  readonly createdFrom?: number
  readonly createdBefore?: number
  readonly endedFrom?: number
  readonly endedBefore?: number
}

export interface PageRequest {
  readonly limit: number
  /** By the order in which they were stored. */
  readonly order: 'newest' | 'oldest'
  /** `next` of the page before. */
  readonly after?: string
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Where the next page begins; `null` after the last one. */
  readonly next: string | null
}

/** Tasks of one band that are due. */
export interface Backlog {
  readonly count: number
  /** When the first of them became due, epoch ms. */
  readonly since: number | null
}
