/** What somebody who looks at a schedule has to write: the decision is made by `lookAtSchedule`. */
import type { OccurOperation } from '../../actors/store/operations.ts'
import type { ScheduleRecord } from '../../actors/store/records.ts'
import type { NewTask } from '../../actors/store/task-record.ts'
import { lookAtSchedule, type OwedStretch } from '../../machines/schedule-policy.ts'
import { isOver } from './end-schedule.ts'
import type { QueueStore } from './queue-store.ts'
import { readScheduledCall } from './schedule.ts'
import { type ReadRule, readRule } from './schedule-rule.ts'

/** One that cannot be read is looked at again after so long: another version may have come. */
const UNREADABLE_MS = 60_000
/** So many rules are remembered: reading one takes longer than asking it. */
const KEPT = 1_000

/** What a look at a schedule has found. */
export interface ScheduleFinding {
  /** To be carried out in this order; each holds the one before it against what it has seen. */
  readonly operations: readonly OccurOperation[]
  /** Why no occurrence of it can run here, for the log. */
  readonly problem: string | undefined
}

/** Looks at schedules. It keeps the calendars that it has read, and nothing else. */
export class Occurrences {
  readonly #newId: () => string
  readonly #rules = new Map<string, ReadRule>()

  constructor(queue: Pick<QueueStore, 'newId'>) {
    this.#newId = () => queue.newId()
  }

  /**
   * @param now - whole epoch ms
   * @param by - who looks, for the operations log
   */
  look(record: ScheduleRecord, now: number, by: string): ScheduleFinding {
    const { name, nextAt, lookAt, runId, endedAt } = record
    if (isOver(record)) return this.#over(record, now, by)
    const rule = this.#ruleOf(record.rule)
    const call = readScheduledCall(record.call)
    const operation = { type: 'occur', at: now, by, name } as const
    let seen: OccurOperation['seen'] = record
    if (rule === undefined || call === undefined) {
      const plan = { nextAt, owed: record.owed, lookAt: now + UNREADABLE_MS }
      const problem = `Schedule "${name}" cannot be read here: a newer version has stored it, or its time zone is not known.`
      return { operations: [{ ...operation, seen, task: null, plan }], problem }
    }
    const owed = record.owed === null ? null : (JSON.parse(record.owed) as OwedStretch)
    const facts = { nextAt, owed, lookAt, isLive: runId !== null, endedAt }
    const steps = lookAtSchedule(rule.policy, facts, now, (after) => rule.calendar.next(after))
    const operations = steps.map((step): OccurOperation => {
      const plan = {
        nextAt: step.nextAt,
        owed: step.owed === null ? null : JSON.stringify(step.owed),
        lookAt: step.lookAt,
      }
      const task =
        step.run === null ? null : taskOf(record, { ...call, id: this.#idOf(name, step.run), runAt: now })
      const made = { ...operation, seen, task, plan }
      seen = { ...plan, runId: task?.id ?? seen.runId }
      return made
    })
    return { operations, problem: undefined }
  }

  /** Its last run has ended, which was to be looked at. */
  #over(seen: ScheduleRecord, at: number, by: string): ScheduleFinding {
    const { name, nextAt, owed, lookAt } = seen
    const plan = { nextAt, owed, lookAt: null }
    const operation: OccurOperation = { type: 'occur', at, by, name, seen, task: null, plan }
    return { operations: lookAt === null ? [] : [operation], problem: undefined }
  }

  #ruleOf(text: string): ReadRule | undefined {
    const known = this.#rules.get(text)
    if (known !== undefined) return known
    const read = readRule(text)
    if (this.#rules.size >= KEPT) this.#rules.clear()
    if (read !== undefined) this.#rules.set(text, read)
    return read
  }

  /** Says which occurrence it is, and is taken by none: a schedule may be made anew. */
  #idOf(name: string, at: number): string {
    return `${name}@${new Date(at).toISOString()}~${this.#newId().slice(-12)}`
  }
}

function taskOf({ name }: ScheduleRecord, task: Omit<NewTask, 'key' | 'onConflict' | 'schedule'>): NewTask {
  return { ...task, key: null, onConflict: 'reject', schedule: name }
}
