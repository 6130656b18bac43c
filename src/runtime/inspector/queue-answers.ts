/** What a durable queue answers to a page, and what it does for one. */
import { preview } from '../../actors/calendar.ts'
import type { Queue } from '../durable/queue.ts'
import type { QueueStore } from '../durable/queue-store.ts'
import { toSchedule } from '../durable/schedule.ts'
import { readRule, type ScheduleTimes } from '../durable/schedule-rule.ts'
import type { StoredTask, StoredTaskState } from '../durable/stored-task.ts'
import { durationText } from '../duration-text.ts'
import { OptionError } from '../errors.ts'
import type { Act, Ask, Retried, ScheduleRow, TaskDetail, TaskPage, TaskQuery, TaskRow } from './messages.ts'
import { toJson } from './to-json.ts'

/** Occurrences that are told beyond the next one. */
const LATER = 4
const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i
const RETRIED = ['failed', 'cancelled', 'terminated']

export class QueueAnswers {
  readonly #queue: Queue
  readonly #store: QueueStore

  constructor(queue: Queue, store: QueueStore) {
    this.#queue = queue
    this.#store = store
  }

  async tasks({ states = [], text = '', limit = 50, after }: TaskQuery): Promise<TaskPage> {
    const wanted = states as readonly StoredTaskState[]
    if (ID.test(text)) {
      const task = await this.#queue.get(text)
      const isMeant = task !== undefined && (wanted.length === 0 || wanted.includes(task.state))
      return { tasks: isMeant ? [toRow(task)] : [], next: null }
    }
    const { tasks, next } = await this.#queue.list({
      limit,
      ...(wanted.length === 0 ? {} : { state: wanted }),
      ...(text === '' ? {} : { name: text }),
      ...(after === undefined ? {} : { after }),
    })
    return { tasks: tasks.map(toRow), next: next ?? null }
  }

  async task({ task: id, values = false }: Extract<Ask, { ask: 'task' }>): Promise<TaskDetail> {
    const [task, log] = await Promise.all([this.#queue.get(id), this.#queue.log(id)])
    if (task === undefined)
      throw new OptionError(`There is no task ${id} in the queue.`, { code: 'ERR_RUN_UNKNOWN', runId: id })
    return {
      ...toRow(task),
      log: log.map(({ at, act, by }) => ({ at, what: act, by })),
      values: values ? { input: toJson(task.input), result: toJson(task.result) } : null,
    }
  }

  async schedules(): Promise<ScheduleRow[]> {
    const records = await this.#store.read((store) => store.schedules())
    return records.map((record) => {
      const { name, task, state, times, nextAt, lastEndedAt } = toSchedule(record)
      const calendar = readRule(record.rule)?.calendar
      const later = calendar === undefined || nextAt === undefined ? [] : preview(calendar, nextAt, LATER + 1)
      return {
        name,
        of: 'queue',
        task,
        state,
        times: toText(times),
        timezone: times?.timezone ?? null,
        nextAt: nextAt ?? null,
        laterAt: later.filter((at) => nextAt !== undefined && at > nextAt).slice(0, LATER),
        lastEndedAt: lastEndedAt ?? null,
        acts: [],
      }
    })
  }

  async act(act: Act): Promise<Retried | null> {
    if (act.act === 'cancel') await this.#queue.cancel(act.task, act.reason ?? 'cancelled in the inspector')
    if (act.act !== 'retry') return null
    await this.#queue.retry(act.task)
    return { task: act.task }
  }
}

function toText(times: ScheduleTimes | undefined): string {
  if (times === undefined) return ''
  const { cron, rrule, everyMs } = times
  return cron ?? rrule ?? `every ${durationText(everyMs ?? 0)}`
}

function toRow(task: StoredTask): TaskRow {
  const { progress, error } = task
  const hasEnded = task.state === 'finished' || RETRIED.includes(task.state)
  return {
    id: task.id,
    of: 'queue',
    name: task.name,
    description: task.description,
    state: task.state,
    priority: task.priority,
    execution: null,
    attempt: task.attempt,
    percent: progress?.percent ?? null,
    note: progress?.note ?? null,
    createdAt: task.createdAt,
    startedAt: task.startedAt ?? null,
    endedAt: task.endedAt ?? null,
    runAt: task.runAt,
    from: task.schedule ?? task.parent ?? null,
    holder: task.holder ?? null,
    error:
      error === undefined
        ? null
        : {
            name: error.name,
            message: error.message,
            code: typeof error.code === 'string' ? error.code : null,
          },
    reason: task.reason ?? null,
    acts: hasEnded ? (task.state === 'finished' ? [] : ['retry']) : ['cancel'],
  }
}
