/**
 * The last change of each task that was seen to change, in order: what all streams of a server read from, each with a
 * position of its own. A task that changes again moves to the end, so that whoever lags behind skips what is no longer true,
 * and a thousand readers cost no more than one.
 */
import { randomBytes } from 'node:crypto'
import type { QueueCounts } from '../durable/queue.ts'
import type { StoredTask } from '../durable/stored-task.ts'
import type { Inclusion } from './http-query.ts'
import { revisionOf, type TaskView, taskView } from './task-view.ts'

const NOTHING: ReadonlySet<Inclusion> = new Set()

/** Of one task, without its input and its result, or of how many there are in each state. */
export class Change {
  readonly seq: number
  readonly id: string
  readonly revision: string
  readonly said:
    | { readonly event: 'task'; readonly data: TaskView }
    | { readonly event: 'counts'; readonly data: object }
  #text: string | undefined

  constructor(seq: number, id: string, revision: string, said: Change['said']) {
    this.seq = seq
    this.id = id
    this.revision = revision
    this.said = said
  }

  /** Written once for all readers. */
  get text(): string {
    this.#text ??= JSON.stringify(this.said.data)
    return this.#text
  }
}

/** No task has this id: ids are not empty. */
const COUNTS = ''

export class ChangeLog {
  /** Positions of another log mean nothing here. */
  readonly #name = randomBytes(6).toString('base64url')
  readonly #limit: number
  /** By id, in the order of their changes. */
  readonly #last = new Map<string, Change>()
  /** In order, among others that were overtaken by later ones of the same task. */
  #order: Change[] = []
  #seq = 0
  /** Up to this position something is missing. */
  #lostUpTo = 0

  /** @param limit - most tasks that it knows */
  constructor(limit: number) {
    this.#limit = limit
  }

  get end(): number {
    return this.#seq
  }

  /** Tasks that it knows and that had not ended when they were seen last. */
  liveIds(): string[] {
    return [...this.#last.values()].flatMap(({ id, said }) =>
      said.event === 'task' && said.data.endedAt === undefined ? [id] : [],
    )
  }

  knows(id: string): boolean {
    return this.#last.has(id)
  }

  /** Nothing happens when it is as it was. */
  note(task: StoredTask): void {
    const { result: _, ...data } = taskView(task, NOTHING)
    this.#note(task.id, revisionOf(task), { event: 'task', data: data as TaskView })
  }

  noteCounts(counts: QueueCounts): void {
    this.#note(COUNTS, JSON.stringify(counts), { event: 'counts', data: counts })
  }

  /** It is no longer there. */
  forget(id: string): void {
    this.#last.delete(id)
  }

  /** Changes have been missed: whoever was here before has to look for himself. */
  lose(): void {
    this.#lostUpTo = this.#seq
  }

  /** Whether nothing is missing after a position. */
  isComplete(position: number): boolean {
    return position >= this.#lostUpTo && position <= this.#seq
  }

  /** The first change after a position that is still the last one of its task. */
  after(position: number): Change | undefined {
    for (let index = this.#indexAfter(position); index < this.#order.length; index += 1) {
      const change = this.#order[index] as Change
      if (this.#last.get(change.id) === change) return change
    }
    return undefined
  }

  /** A position as text, for a reader that comes again. */
  toText(position: number): string {
    return `${this.#name}.${position}`
  }

  /** `undefined` for what is no position of this log. */
  fromText(text: string): number | undefined {
    const [, name, position] = /^([\w-]+)\.(\d{1,15})$/.exec(text) ?? []
    return name === this.#name ? Number(position) : undefined
  }

  #note(id: string, revision: string, said: Change['said']): void {
    if (this.#last.get(id)?.revision === revision) return
    this.#seq += 1
    const change = new Change(this.#seq, id, revision, said)
    this.#last.delete(id)
    this.#last.set(id, change)
    this.#order.push(change)
    if (this.#last.size > this.#limit) this.#dropOldest()
    if (this.#order.length > 2 * this.#limit) this.#order = [...this.#last.values()]
  }

  #dropOldest(): void {
    const [oldest] = this.#last.values()
    if (oldest === undefined) return
    this.#last.delete(oldest.id)
    this.#lostUpTo = Math.max(this.#lostUpTo, oldest.seq)
  }

  #indexAfter(position: number): number {
    let [low, high] = [0, this.#order.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#order[middle] as Change).seq <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}
