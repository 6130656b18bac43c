/** A queue over an open store: see `queue.ts` for what it is to its users. */
import { isDefinition, type TaskCall } from '../../actors/definition.ts'
import type { EnqueueAnswer, Refusal } from '../../actors/store/operations.ts'
import type { LogEntry, ScheduleRecord } from '../../actors/store/records.ts'
import type { StoreCheck } from '../../actors/store/store.ts'
import type { NewTask } from '../../actors/store/task-record.ts'
import type { QueueTracing } from '../../actors/tracing/queue-spans.ts'
import { withTrace } from '../../actors/tracing/stored-trace.ts'
import { check, checkOptions, refuse } from '../check.ts'
import { type OptionError, QueueError } from '../errors.ts'
import { clearTasks, retryTasks } from './bulk-acts.ts'
import { toMessageText } from './daemon-message.ts'
import {
  checkEnqueueOptions,
  checkStoredInstant,
  type EnqueueItem,
  type EnqueueOptions,
  toInstant,
  toNewTask,
} from './enqueue-options.ts'
import type { Queue, QueueCounts, QueuedTask, StoredTaskPage, TaskId, WaitOptions } from './queue.ts'
import { giveStore } from './queue-access.ts'
import { refusalError } from './queue-error.ts'
import { checkQueue, type QueueStatus, statusOf } from './queue-status.ts'
import type { QueueStore } from './queue-store.ts'
import { QueueWaits } from './queue-waits.ts'
import { type Schedule, type ScheduleOptions, toNewSchedule, toSchedule } from './schedule.ts'
import { type StoredTask, toStoredTask } from './stored-task.ts'
import { checkName } from './stored-text.ts'
import { type StoredTaskFilter, type StoredTaskQuery, toDeadLetterQuery, toTaskQuery } from './task-query.ts'

/** So many tasks share a transaction. */
const TASKS_PER_COMMIT = 1_000

export class LiveQueue implements Queue {
  readonly #store: QueueStore
  readonly #waits: QueueWaits
  /** Who traces what is enqueued, if anybody does. */
  readonly #tracing: QueueTracing | undefined

  constructor(store: QueueStore, tracing?: QueueTracing) {
    this.#store = store
    this.#tracing = tracing
    giveStore(this, store)
    this.#waits = new QueueWaits({
      clock: store.clock,
      get: (ids) => store.read((open) => open.get(ids)),
      wake: (topic, listener) => store.store.wake(topic, listener),
    })
  }

  get by(): string {
    return this.#store.by
  }

  async enqueue<Output>(task: unknown, ...rest: readonly unknown[]): Promise<QueuedTask<Output>> {
    const { call, options: given = {} } = toCallAndOptions(task, rest)
    const options = given as EnqueueOptions
    checkEnqueueOptions(options)
    const row = toNewTask(call, options, this.#store)
    const { tx } = options
    // With a transaction nothing is awaited before: the caller may commit it at once.
    return this.#traced([row], async (tasks) => {
      const operation = { type: 'enqueue', tasks, at: this.#store.now(), by: this.by } as const
      const asked = tx === undefined ? this.#store.do(operation) : this.#store.within(tx, operation)
      const { items } = await asked
      return queuedOf(row, items[0] as EnqueueAnswer) as QueuedTask<Output>
    })
  }

  async enqueueMany(
    items: Iterable<TaskCall | EnqueueItem>,
    ...rest: readonly unknown[]
  ): Promise<readonly QueuedTask[]> {
    refuseMore(
      rest,
      'items',
      'Each item may have options of its own: { call, priority }. There is no tx for many.',
    )
    if (typeof items !== 'object' || items === null || !(Symbol.iterator in items)) {
      refuse('items', 'calls of tasks: an array or another iterable', items)
    }
    const rows = Array.from(items, (item) => this.#toRow(item))
    return rows.length === 0 ? [] : this.#traced(rows, (traced) => this.#storeMany(traced))
  }

  async #storeMany(rows: readonly NewTask[]): Promise<readonly QueuedTask[]> {
    const queued: QueuedTask[] = []
    const refused: OptionError[] = []
    for (let from = 0; from < rows.length; from += TASKS_PER_COMMIT) {
      const tasks = rows.slice(from, from + TASKS_PER_COMMIT)
      const { items: answers } = await this.#store.do({
        type: 'enqueue',
        tasks,
        at: this.#store.now(),
        by: this.by,
      })
      for (const [index, row] of tasks.entries()) {
        const answer = answers[index] as EnqueueAnswer
        if (answer.kind === 'refused') refused.push(refusalError(answer, row.id, 'be stored'))
        else queued.push(queuedOf(row, answer))
      }
    }
    const [first] = refused
    if (first === undefined) return queued
    throw new QueueError(
      `${refused.length} of ${rows.length} tasks could not be stored, the others are. ${first.message}`,
      { code: 'ERR_TASKS_REFUSED', cause: new AggregateError(refused, 'Tasks that were refused') },
    )
  }

  async get(id: TaskId): Promise<StoredTask | undefined> {
    const [record] = await this.#store.read((store) => store.get([idOf(id)]))
    return record === undefined ? undefined : toStoredTask(record, this.#store.now())
  }

  async list(query: StoredTaskQuery = {}): Promise<StoredTaskPage> {
    const { filter, page } = toTaskQuery(query)
    const now = this.#store.now()
    const { items, next } = await this.#store.read((store) => store.list(filter, page, now))
    return { tasks: items.map((record) => toStoredTask(record, now)), next: next ?? undefined }
  }

  async deadLetters(query: Omit<StoredTaskQuery, 'state'> = {}): Promise<StoredTaskPage> {
    return this.list(toDeadLetterQuery(query))
  }

  counts(): Promise<QueueCounts> {
    return this.#store.read((store) => store.counts(this.#store.now()))
  }

  async log(id: TaskId): Promise<readonly LogEntry[]> {
    return this.#store.read((store) => store.log(idOf(id)))
  }

  async wait<Output>(task: TaskId, options: WaitOptions = {}): Promise<Output> {
    const id = idOf(task)
    checkOptions('options', options, { timeoutMs: check.duration, signal: check.signal })
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options
    return (await this.#waits.wait(id, timeoutMs, signal)) as Output
  }

  async cancel(task: TaskId, reason?: string): Promise<'cancelled' | 'asked'> {
    const id = idOf(task)
    if (reason !== undefined) check.wellFormed('reason', reason)
    const { items } = await this.#store.do({
      type: 'cancel',
      ids: [id],
      reason: reason ?? null,
      at: this.#store.now(),
      by: this.by,
    })
    return settled(items, id, 'be cancelled').kind
  }

  async retry(task: TaskId, options: { readonly runAt?: number | Date } = {}): Promise<void> {
    const id = idOf(task)
    checkOptions('options', options, { runAt: checkStoredInstant })
    const at = this.#store.now()
    const runAt = options.runAt === undefined ? at : toInstant(options.runAt)
    const { items } = await this.#store.do({ type: 'retry', ids: [id], runAt, at, by: this.by })
    settled(items, id, 'be retried')
  }

  async retryMany(filter: StoredTaskFilter = {}): Promise<number> {
    return retryTasks(this.#store, filter)
  }

  async move(task: TaskId, runAt: number | Date): Promise<void> {
    const id = idOf(task)
    checkStoredInstant('runAt', runAt)
    const { items } = await this.#store.do({
      type: 'move',
      ids: [id],
      runAt: toInstant(runAt),
      at: this.#store.now(),
      by: this.by,
    })
    settled(items, id, 'be moved')
  }

  async remove(task: TaskId): Promise<void> {
    const id = idOf(task)
    const { items } = await this.#store.do({ type: 'remove', ids: [id], at: this.#store.now() })
    settled(items, id, 'be removed')
  }

  async clear(filter: StoredTaskFilter = {}): Promise<number> {
    return clearTasks(this.#store, filter)
  }

  async schedule(name: string, task: unknown, ...rest: readonly unknown[]): Promise<Schedule> {
    checkName('name', name)
    const { call, options } = toCallAndOptions(task, rest)
    const known = await this.#scheduleOf(name)
    const made = toNewSchedule(name, call, options as ScheduleOptions, known, this.#store)
    await this.#store.do({ type: 'schedule', schedules: [made], at: this.#store.now(), by: this.by })
    const stored = await this.#scheduleOf(name)
    // Somebody may have taken it away at once.
    const fresh = { owed: null, lookAt: made.nextAt, runId: null, endedAt: null }
    return toSchedule(stored ?? { ...made, ...fresh, createdAt: this.#store.now(), createdBy: this.by })
  }

  async unschedule(name: string): Promise<boolean> {
    check.wellFormed('name', name)
    const { items } = await this.#store.do({ type: 'unschedule', names: [name] })
    return items[0]?.kind === 'done'
  }

  async schedules(): Promise<readonly Schedule[]> {
    return (await this.#store.read((store) => store.schedules())).map(toSchedule)
  }

  status(): Promise<QueueStatus> {
    return statusOf(this.#store)
  }

  async shutdown(message?: string, options: { readonly daemon?: string } = {}): Promise<number> {
    if (message !== undefined) check.text('message', message)
    checkOptions('options', options, { daemon: check.text })
    const { daemon } = options
    const known = await this.#store.read((store) => store.daemons())
    const ids = known.filter(({ id, name }) => daemon === undefined || daemon === id || daemon === name)
    const { told } = await this.#store.do({
      type: 'tell',
      ids: ids.map(({ id }) => id),
      message: toMessageText({ type: 'shutdown', reason: message }),
    })
    return told
  }

  doctor(): Promise<StoreCheck> {
    return checkQueue(this.#store)
  }

  migrate(): Promise<{ readonly from: number; readonly to: number }> {
    return this.#store.read((store) => store.migrate())
  }

  async close(): Promise<void> {
    this.#waits.close()
    await this.#store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @param store - stores the rows, which know their trace by then */
  #traced<Result>(
    rows: readonly NewTask[],
    store: (rows: readonly NewTask[]) => Promise<Result>,
  ): Promise<Result> {
    if (this.#tracing === undefined) return store(rows)
    const [{ name } = { name: '' }] = rows
    const tasks = {
      name: rows.every((row) => row.name === name) ? name : undefined,
      ids: rows.map(({ id }) => id),
    }
    return this.#tracing.enqueued(tasks, (trace) =>
      store(rows.map((row) => ({ ...row, options: withTrace(row.options, trace) }))),
    )
  }

  async #scheduleOf(name: string): Promise<ScheduleRecord | undefined> {
    const all = await this.#store.read((store) => store.schedules())
    return all.find((record) => record.name === name)
  }

  #toRow(item: TaskCall | EnqueueItem): NewTask {
    if (typeof item !== 'object' || item === null || !('call' in item))
      return toNewTask(toCall(item), {}, this.#store)
    const { call, ...options } = item
    checkEnqueueOptions(options)
    if ('tx' in options) refuse('items', 'stored without tx', options)
    return toNewTask(toCall(call), options, this.#store)
  }
}

/** A definition is followed by its input and the options, a call by the options alone. */
function toCallAndOptions(
  task: unknown,
  rest: readonly unknown[],
): { readonly call: TaskCall; readonly options: unknown } {
  const [call, ...others] = isDefinition(task)
    ? [{ definition: task, input: rest[0], options: undefined }, ...rest.slice(1)]
    : [toCall(task), ...rest]
  const [options, ...more] = others
  refuseMore(
    more,
    'options',
    'After a definition come its input and the options, after a call the options alone.',
  )
  return { call, options }
}

/** What is not looked at would be believed to be heeded. */
function refuseMore(rest: readonly unknown[], last: string, hint: string): void {
  const extra = rest.find((value) => value !== undefined)
  if (extra !== undefined) refuse(`what comes after the ${last}`, 'nothing', extra, hint)
}

function toCall(value: unknown): TaskCall {
  const { definition } = (value ?? {}) as Partial<TaskCall>
  if (!isDefinition(definition)) {
    refuse('the task', 'a definition made by defineTask(), or a call of one', value)
  }
  return value as TaskCall
}

function idOf(task: TaskId): string {
  const id: unknown = typeof task === 'object' && task !== null ? task.id : task
  check.wellFormed('id', id)
  return id as string
}

function queuedOf(row: NewTask, answer: EnqueueAnswer): QueuedTask {
  if (answer.kind === 'refused') throw refusalError(answer, row.id, 'be stored')
  if (answer.kind === 'kept') return { id: answer.id, existing: true, replaced: undefined }
  return { id: row.id, existing: false, replaced: answer.replaced ?? undefined }
}

/** @throws OptionError when it was refused */
function settled<Answer extends { readonly kind: string }>(
  items: readonly Answer[],
  id: string,
  wish: string,
): Exclude<Answer, Refusal> {
  const item = items[0] as Answer
  if (item.kind === 'refused') throw refusalError(item as unknown as Refusal, id, wish)
  return item as Exclude<Answer, Refusal>
}
