/**
 * The task log: what happened to which run, bounded and queryable.
 *
 * Actions are `run` (a handler began) and exactly one terminal record per run: `success`, `fail`,
 * `terminate` (cancelled and terminated), `inaction` (skipped), `crash` (its thread, process or
 * program died).
 */
import type { TaskRun } from '../actors/task-run.ts'

export type TaskAction = 'run' | 'success' | 'fail' | 'terminate' | 'inaction' | 'crash'

export interface TaskRecord {
  readonly name: string
  readonly runId: string
  readonly action: TaskAction
  /** Epoch ms, like the other instants. */
  readonly at: number
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  /** Of this run's last attempt. */
  readonly runtimeMs: number | undefined
  /** What went wrong, as text. */
  readonly error: string | undefined
}

/** The last facts about a definition. */
export interface LastRun {
  readonly action: TaskAction
  readonly at: number
}

/** A place of the user's own that outlives the process. */
export interface TaskLogStore {
  /** Records of earlier lives, oldest first; read once at start. */
  load(): Promise<readonly TaskRecord[]> | readonly TaskRecord[]
  /** Keeps a record. A failure is logged and stops nothing. */
  append(record: TaskRecord): Promise<void> | void
}

export interface TaskLogQuery {
  readonly name?: string
  readonly runId?: string
  readonly action?: TaskAction
  /** Records at or after this instant (epoch ms). */
  readonly since?: number
  /** At most so many, the newest. */
  readonly limit?: number
}

export class TaskLog {
  readonly #keep: number
  readonly #store: TaskLogStore | undefined
  readonly #onError: (error: unknown) => void
  #ring: TaskRecord[] = []
  #start = 0
  readonly #last: Map<string, Map<TaskAction, number>> = new Map()

  constructor(keep: number, store: TaskLogStore | undefined, onError: (error: unknown) => void) {
    this.#keep = keep
    this.#store = store
    this.#onError = onError
  }

  /** Reads the store; a run that began and never ended gets its `crash` record now. */
  async restore(now: number): Promise<void> {
    if (this.#store === undefined) return
    const open = new Map<string, TaskRecord>()
    for (const record of await this.#store.load()) {
      if (record.action === 'run') open.set(record.runId, record)
      else open.delete(record.runId)
      this.#keepRecord(record)
    }
    for (const { name, runId, startedAt } of open.values()) {
      const error = 'The program ended while it ran'
      this.append({
        name,
        runId,
        action: 'crash',
        at: now,
        startedAt,
        endedAt: now,
        runtimeMs: undefined,
        error,
      })
    }
  }

  append(record: TaskRecord): void {
    this.#keepRecord(record)
    if (this.#store === undefined) return
    try {
      const kept = this.#store.append(record)
      if (kept instanceof Promise) kept.catch(this.#onError)
    } catch (error) {
      this.#onError(error)
    }
  }

  /** Kept records, oldest first. */
  query(query: TaskLogQuery = {}): TaskRecord[] {
    const { name, runId, action, since, limit } = query
    const found = [...this.#ring.slice(this.#start), ...this.#ring.slice(0, this.#start)].filter(
      (record) =>
        (name === undefined || record.name === name) &&
        (runId === undefined || record.runId === runId) &&
        (action === undefined || record.action === action) &&
        (since === undefined || record.at >= since),
    )
    return limit === undefined ? found : found.slice(Math.max(0, found.length - limit))
  }

  /** When the definition last had each action, from this life and, with a store, earlier ones. */
  last(name: string): ReadonlyMap<TaskAction, number> {
    return this.#last.get(name) ?? new Map()
  }

  #keepRecord(record: TaskRecord): void {
    if (this.#keep > 0) {
      if (this.#ring.length < this.#keep) this.#ring.push(record)
      else {
        this.#ring[this.#start] = record
        this.#start = (this.#start + 1) % this.#keep
      }
    }
    let last = this.#last.get(record.name)
    if (last === undefined) {
      last = new Map()
      this.#last.set(record.name, last)
    }
    last.set(record.action, record.at)
  }
}

/** The terminal action of an ended run. */
export function terminalAction(run: TaskRun): TaskAction {
  const { outcome } = run
  if (outcome === undefined) return 'run'
  if (outcome.kind === 'finished') return outcome.skipped === undefined ? 'success' : 'inaction'
  if (outcome.kind === 'failed') return outcome.failure.kind === 'crashed' ? 'crash' : 'fail'
  return 'terminate'
}
