/** Schedules of a queue: what is called, and when, as its users say it and see it. */
import type { TaskCall } from '../../actors/definition.ts'
import type { ScheduleRecord } from '../../actors/store/records.ts'
import type { NewTask } from '../../actors/store/task-record.ts'
import { PRIORITIES, type Priority } from '../../machines/model.ts'
import { type Checks, check, checkOptions } from '../check.ts'
import { isOver } from './end-schedule.ts'
import { checkPlainObject, type EnqueueOptions, toNewTask } from './enqueue-options.ts'
import type { QueueStore } from './queue-store.ts'
import { readRule, SCHEDULE_TIME_CHECKS, type ScheduleTimes, toScheduleRule } from './schedule-rule.ts'
import { type StoredRunOptions, storedRunOptionChecks } from './stored-options.ts'
import { readStored } from './stored-task.ts'
import { checkDescription } from './stored-text.ts'

/** Options of `queue.schedule`: when, and options of the tasks that it makes. */
export interface ScheduleOptions extends ScheduleTimes, Omit<StoredRunOptions, 'expiresAt'> {
  /** Band that they wait in. @defaultValue the definition's, else 'normal' */
  readonly priority?: Priority
  /** @defaultValue the definition's, else its name */
  readonly description?: string
  /** @defaultValue the definition's */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/**
 * `waiting`: for its next time. `running`: a run of it is live. `disabled`: it is kept, and nothing happens. `ended`: it is
 * kept, and does not come again.
 */
export type ScheduleState = 'waiting' | 'running' | 'disabled' | 'ended'

/** A schedule as it is in the store. Instants are epoch ms. */
export interface Schedule {
  readonly name: string
  /** Name of the definition. */
  readonly task: string
  readonly input: unknown
  readonly priority: Priority
  readonly description: string
  readonly state: ScheduleState
  /** When, and its policies; `undefined` when this version or this machine cannot read it. */
  readonly times: Readonly<ScheduleTimes> | undefined
  /** `undefined`: none, or none is known before its run has ended. */
  readonly nextAt: number | undefined
  /** Its live run. */
  readonly runId: string | undefined
  /** When its last run ended. */
  readonly lastEndedAt: number | undefined
  readonly createdAt: number
  readonly createdBy: string
}

/** What is called, as the store keeps it. */
export type ScheduledCall = Omit<NewTask, 'id' | 'runAt' | 'key' | 'onConflict' | 'schedule'>

const { expiresAt: _, ...runChecks } = storedRunOptionChecks

/** Also of the call: what belongs to one task alone, as its id, its key or when it may run, is nothing that comes again. */
const CALL_CHECKS: Checks = {
  ...runChecks,
  priority: check.oneOf(...PRIORITIES),
  description: checkDescription,
  metadata: checkPlainObject,
}
const CHECKS: Checks = { ...SCHEDULE_TIME_CHECKS, ...CALL_CHECKS }

/** A schedule that is to be stored. */
export type NewSchedule = Pick<ScheduleRecord, 'name' | 'rule' | 'call' | 'nextAt'>

/**
 * @param stored - the schedule of this name, if there is one
 * @throws OptionError for a wrong name, rule, call or input
 */
export function toNewSchedule(
  name: string,
  call: TaskCall,
  options: ScheduleOptions,
  stored: ScheduleRecord | undefined,
  ports: Pick<QueueStore, 'now' | 'newId' | 'maxBytes'>,
): NewSchedule {
  const where = `schedule "${name}"`
  checkOptions(where, options, CHECKS)
  if (call.options !== undefined) checkOptions(`the call of ${where}`, call.options, CALL_CHECKS)
  const { times, own } = split(options)
  const { text, nextAt } = toScheduleRule(where, times, ports.now(), stored?.rule)
  return { name, rule: text, call: JSON.stringify(toScheduledCall(call, own, ports)), nextAt }
}

/** `undefined` for a text that nobody can read. */
export function readScheduledCall(text: string): ScheduledCall | undefined {
  try {
    return JSON.parse(text) as ScheduledCall
  } catch {
    return undefined
  }
}

export function toSchedule(record: ScheduleRecord): Schedule {
  const { name, nextAt, runId, endedAt, createdAt, createdBy } = record
  const call = readScheduledCall(record.call)
  const rule = readRule(record.rule)?.rule
  const { anchorAt: _, ...times } = rule ?? {}
  return {
    name,
    task: call?.name ?? '',
    input: readStored(call?.input ?? null),
    priority: call?.priority ?? 'normal',
    description: call?.description ?? name,
    state: stateOf(record, rule?.enabled ?? true),
    times: Object.keys(times).length === 0 ? undefined : times,
    nextAt: nextAt ?? undefined,
    runId: runId ?? undefined,
    lastEndedAt: endedAt ?? undefined,
    createdAt,
    createdBy,
  }
}

function stateOf(record: ScheduleRecord, isEnabled: boolean): ScheduleState {
  const { runId, nextAt, lookAt, owed } = record
  if (runId !== null) return 'running'
  if (!isEnabled) return 'disabled'
  if (isOver(record)) return 'ended'
  return nextAt === null && lookAt === null && owed === null ? 'ended' : 'waiting'
}

function split(options: ScheduleOptions): { times: ScheduleTimes; own: EnqueueOptions } {
  const entries = Object.entries(options)
  const isTime = ([option]: [string, unknown]): boolean => Object.hasOwn(SCHEDULE_TIME_CHECKS, option)
  return {
    times: Object.fromEntries(entries.filter(isTime)),
    own: Object.fromEntries(entries.filter((entry) => !isTime(entry))),
  }
}

/** Without what each occurrence has of its own. */
function toScheduledCall(
  call: TaskCall,
  options: EnqueueOptions,
  ports: Pick<QueueStore, 'now' | 'newId' | 'maxBytes'>,
): ScheduledCall {
  // Occurrences get ids of their own.
  const {
    id: _id,
    runAt: _at,
    key: _key,
    onConflict: _on,
    schedule: _name,
    ...kept
  } = toNewTask(call, { ...options, runId: 'occurrence' }, ports)
  return kept
}
