/**
 * A store in memory, for comparison: a map of tasks whose lives XState's interpreter leads through the machine, and
 * the few rules that concern several tasks (ids, keys, bands). It says what each operation must answer.
 */
import { initialTransition, type SnapshotFrom, transition } from 'xstate'
import type { StoreOperation, Verdict } from '../../src/actors/store/operations.ts'
import type { Lease, NewTask, TaskRecord } from '../../src/actors/store/task-record.ts'
import { PRIORITIES } from '../../src/machines/model.ts'
import { NO_BOUNDS, overdueOf, type WaitBounds } from '../../src/machines/overdue.ts'
import { type StoredTaskEvent, storedTaskMachine } from '../../src/machines/stored-task.ts'

interface Entry {
  readonly task: NewTask
  readonly seq: number
  life: SnapshotFrom<typeof storedTaskMachine>
  name: string
  step: number
  bounds: WaitBounds
  readonly createdAt: number
  holder: string | null
  hasKey: boolean
  readonly parent: string | null
  /** What comes after it, the next one first. */
  after: readonly string[]
}

/** What is compared of a task. */
export interface Seen {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly phase: string | null
  readonly runAt: number
  readonly attempt: number
  readonly lost: number
  readonly fence: number
  readonly leaseUntil: number | null
  readonly step: number
  readonly holder: string | null
  readonly parent: string | null
}

const REFUSED = 'refused'
const UNKNOWN = { kind: REFUSED, code: 'ERR_RUN_UNKNOWN' }
const LOST = { kind: 'lost' }
const DONE = { kind: 'done' }

export class StoreModel {
  readonly #entries = new Map<string, Entry>()
  #seq = 0

  /** In the order of storing. */
  all(): Seen[] {
    return [...this.#entries.values()].map((entry) => {
      const { runAt, attempt, lost, fence, leaseUntil } = entry.life.context
      const [state, phase] = namesOf(entry)
      return {
        id: entry.task.id,
        name: entry.name,
        state,
        phase,
        runAt,
        attempt,
        lost,
        fence,
        leaseUntil: leaseUntil || null,
        step: entry.step,
        holder: entry.holder,
        parent: entry.parent,
      }
    })
  }

  /** @returns what the store must answer */
  apply(operation: StoreOperation): unknown {
    switch (operation.type) {
      case 'enqueue':
        return {
          items: operation.tasks.map((task) => this.#over(operation.at, this.#enqueue(task, operation.at))),
        }
      case 'claim':
        return this.#claim(operation)
      case 'renew': {
        const { leases, leaseUntil } = operation
        return {
          items: leases.map((lease) =>
            this.#held(lease, { type: 'lease.renew', fence: lease.fence, leaseUntil }),
          ),
        }
      }
      case 'settle':
        return {
          items: operation.settlements.map(({ verdict, ...lease }) =>
            this.#over(operation.at, this.#settle(lease, verdict, operation.at)),
          ),
        }
      case 'progress':
        return { items: operation.reports.map((lease) => (this.#holds(lease) ? DONE : LOST)) }
      case 'cancel':
        return { items: operation.ids.map((id) => this.#over(operation.at, this.#cancel(id))) }
      case 'retry':
        return { items: operation.ids.map((id) => this.#retry(id, operation.runAt)) }
      case 'move':
        return { items: operation.ids.map((id) => this.#move(id, operation.runAt)) }
      case 'remove':
        return { items: operation.ids.map((id) => this.#over(operation.at, this.#remove(id))) }
      case 'reclaim':
        return this.#over(operation.at, this.#reclaim(operation))
      case 'overdue':
        return this.#over(operation.at, this.#overdue(operation))
      default:
        throw new Error(`not in the model: ${operation.type}`)
    }
  }

  #enqueue(task: NewTask, at: number): unknown {
    if (this.#entries.has(task.id)) return { kind: REFUSED, code: 'ERR_RUN_ID_TAKEN' }
    const other = this.#keyHolder(task.key)
    if (other !== undefined) {
      const { id } = other.task
      if (task.onConflict === 'keep') return { kind: 'kept', id }
      if (task.onConflict === 'reject') return { kind: REFUSED, code: 'ERR_TASK_KEY_TAKEN', id }
      const hasForked = other.life.matches('forked')
      this.#send(other, { type: 'task.replace' })
      other.hasKey = false
      if (hasForked) this.#cancelChildren(id)
    }
    this.#add(task, null, at)
    return { kind: 'stored', replaced: other?.task.id ?? null }
  }

  #add(task: NewTask, parent: string | null, createdAt: number): void {
    const [life] = initialTransition(storedTaskMachine, { runAt: task.runAt })
    this.#seq += 1
    const { id, name, key, bounds = NO_BOUNDS, after = [] } = task
    const own = { task, seq: this.#seq, life, name, step: 0, bounds, createdAt, after }
    this.#entries.set(id, { ...own, holder: null, hasKey: key !== null, parent })
  }

  #childrenOf(parent: string): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.parent === parent)
  }

  #hasLiveChild(parent: string): boolean {
    return this.#childrenOf(parent).some(isLive)
  }

  #cancelChildren(parent: string): void {
    for (const child of this.#childrenOf(parent)) if (isLive(child)) this.#cancel(child.task.id)
  }

  /** Has those go on whose children have ended by then. @returns what is given */
  #over<Said>(at: number, said: Said): Said {
    for (const entry of this.#entries.values()) {
      if (!this.#hasLiveChild(entry.task.id)) this.#send(entry, { type: 'children.ended', at })
    }
    return said
  }

  #claim({
    at,
    leaseUntil,
    holder,
    room,
    limit,
    ids,
    names,
  }: Extract<StoreOperation, { type: 'claim' }>): unknown {
    const due = [...this.#entries.values()]
      .filter((entry) => entry.life.matches('pending') && entry.life.context.runAt <= at)
      .filter((entry) => ids?.includes(entry.task.id) ?? true)
      .filter((entry) => names?.includes(entry.name) ?? true)
      .sort((a, b) => bandOf(a) - bandOf(b) || a.life.context.runAt - b.life.context.runAt || a.seq - b.seq)
    const taken: (Lease & { readonly next: string | null })[] = []
    for (const entry of due) {
      if (taken.length >= Math.min(limit, room[entry.task.priority])) continue
      this.#send(entry, { type: 'task.claim', at, leaseUntil })
      entry.holder = holder
      taken.push({
        id: entry.task.id,
        fence: entry.life.context.fence,
        next: entry.after[0] ?? null,
      })
    }
    const asked = [...this.#entries.values()]
      .filter((entry) => entry.holder === holder && isAsked(entry))
      .map((entry) => entry.task.id)
    return { taken, asked: asked.sort() }
  }

  #settle(lease: Lease, verdict: Verdict, at: number): unknown {
    const said = this.#held(lease, eventOf(verdict, lease.fence))
    if (said === LOST) return LOST
    const entry = this.#entries.get(lease.id) as Entry
    const [state] = namesOf(entry)
    if (verdict.kind === 'step' && state === 'pending') {
      const kept = verdict.isNext === true ? entry.after.slice(1) : entry.after
      entry.after = [...(verdict.call.after ?? []), ...kept]
      entry.name = verdict.call.name
      entry.bounds = verdict.call.bounds ?? NO_BOUNDS
      entry.step += 1
    }
    if (verdict.kind !== 'fork' || state !== 'forked') return { kind: 'settled', state }
    entry.name = verdict.call.name
    entry.bounds = verdict.call.bounds ?? NO_BOUNDS
    entry.step += 1
    for (const child of verdict.children) this.#add(child, lease.id, at)
    this.#over(verdict.runAt, undefined)
    return { kind: 'settled', state: namesOf(entry)[0] }
  }

  #cancel(id: string): unknown {
    const entry = this.#entries.get(id)
    if (entry === undefined) return UNKNOWN
    if (isAsked(entry)) return { kind: 'asked' }
    const hasForked = entry.life.matches('forked')
    if (!this.#send(entry, { type: 'task.cancel' })) return stateOf(entry)
    if (hasForked) this.#cancelChildren(id)
    return { kind: entry.life.matches('cancelled') ? 'cancelled' : 'asked' }
  }

  #retry(id: string, runAt: number): unknown {
    const entry = this.#entries.get(id)
    if (entry === undefined) return UNKNOWN
    if (!entry.life.can({ type: 'task.retry', runAt, waits: false })) return stateOf(entry)
    const other = this.#keyHolder(entry.task.key)
    if (other !== undefined) return { kind: REFUSED, code: 'ERR_TASK_KEY_TAKEN', id: other.task.id }
    for (const child of this.#childrenOf(id)) this.#retry(child.task.id, runAt)
    this.#send(entry, { type: 'task.retry', runAt, waits: this.#hasLiveChild(id) })
    entry.hasKey = entry.task.key !== null
    return DONE
  }

  #move(id: string, runAt: number): unknown {
    const entry = this.#entries.get(id)
    if (entry === undefined) return UNKNOWN
    if (!entry.life.matches('pending')) return stateOf(entry)
    this.#send(entry, { type: 'task.move', runAt })
    return DONE
  }

  #remove(id: string): unknown {
    const entry = this.#entries.get(id)
    if (entry === undefined) return UNKNOWN
    if (!this.#send(entry, { type: 'task.remove' })) return stateOf(entry)
    this.#entries.delete(id)
    return DONE
  }

  #reclaim({ at, lostLimit }: Extract<StoreOperation, { type: 'reclaim' }>): unknown {
    const ids: string[] = []
    for (const entry of this.#entries.values()) {
      if (this.#send(entry, { type: 'lease.expired', at, lostLimit }))
        ids.push(`${entry.task.id} ${namesOf(entry)[0]}`)
    }
    return ids.sort()
  }

  #overdue({ at }: Extract<StoreOperation, { type: 'overdue' }>): unknown {
    const ended: string[] = []
    for (const entry of this.#entries.values()) {
      const { life, bounds, createdAt, step } = entry
      const due = overdueOf({ ...bounds, ...life.context, createdAt, step })
      if (due === undefined || due.at > at) continue
      if (this.#send(entry, { type: 'task.overdue', reason: due.reason }))
        ended.push(`${entry.task.id} ${namesOf(entry)[0]} ${due.reason}`)
    }
    return ended.sort()
  }

  #held(lease: Lease, event: StoredTaskEvent): unknown {
    const entry = this.#entries.get(lease.id)
    if (entry === undefined || !this.#holds(lease)) return LOST
    this.#send(entry, event)
    return { kind: 'kept', asked: isAsked(entry) }
  }

  #holds({ id, fence }: Lease): boolean {
    const life = this.#entries.get(id)?.life
    return life?.matches('running') === true && life.context.fence === fence
  }

  #keyHolder(key: string | null): Entry | undefined {
    return [...this.#entries.values()].find((entry) => entry.hasKey && entry.task.key === key)
  }

  /** @returns whether the machine took the event */
  #send(entry: Entry, event: StoredTaskEvent): boolean {
    const taken = entry.life.can(event)
    ;[entry.life] = transition(storedTaskMachine, entry.life, event)
    if (!isLive(entry)) entry.hasKey = false
    return taken
  }
}

function namesOf({ life }: Entry): [string, string | null] {
  if (typeof life.value === 'string') return [life.value, null]
  return Object.entries(life.value)[0] as [string, string]
}

const bandOf = ({ task }: Entry): number => PRIORITIES.indexOf(task.priority)
const stateOf = (entry: Entry) => ({ kind: REFUSED, code: 'ERR_RUN_STATE', state: namesOf(entry)[0] })
const isLive = (entry: Entry): boolean => ['pending', 'running', 'forked'].includes(namesOf(entry)[0])
const isAsked = ({ life }: Entry): boolean => {
  return life.matches({ running: 'asked' }) || life.matches({ running: 'replaced' })
}

function eventOf(verdict: Verdict, fence: number): StoredTaskEvent {
  switch (verdict.kind) {
    case 'finished':
    case 'terminated':
    case 'cancelled':
      return { type: `attempt.${verdict.kind}`, fence }
    case 'failed':
      return { type: 'attempt.failed', fence, retryAt: undefined }
    case 'retry':
      return { type: 'attempt.failed', fence, retryAt: verdict.runAt }
    case 'snooze':
      return { type: 'attempt.snoozed', fence, until: verdict.runAt }
    case 'step':
      return { type: 'attempt.continued', fence, runAt: verdict.runAt }
    case 'fork':
      return { type: 'attempt.forked', fence, runAt: verdict.runAt }
    case 'returned':
      return { type: 'attempt.returned', fence }
  }
}

/** The compared part of a record. */
export function seenOf(record: TaskRecord): Seen {
  const { id, name, state, phase, runAt, attempt, lost, fence, leaseUntil, step, holder, parent } = record
  return { id, name, state, phase, runAt, attempt, lost, fence, leaseUntil, step, holder, parent }
}
