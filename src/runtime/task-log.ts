/**
 * The task log: what happened to which run, bounded and queryable.
 *
 * Actions are `run` (a handler began) and exactly one terminal record per run: `success`, `fail`,
 * `terminate` (cancelled and terminated), `inaction` (skipped), `crash` (its thread, process or
 * program died).
 */
import type { Clock } from '../actors/clock.ts'
import type { TaskRun } from '../actors/task-run.ts'
import type { FactKind, Stamp } from '../machines/condition-facts.ts'
import { outcomeError } from './outcome-error.ts'

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

/** A place of the user's own that outlives the process. */
export interface TaskLogStore {
  /** Records of earlier lives, oldest first; read once at start. */
  load(): Promise<readonly TaskRecord[]> | readonly TaskRecord[]
  /** Keeps a record, one at a time. A failure is logged and stops nothing; `stop` waits for what is under way. */
  append(record: TaskRecord): Promise<void> | void
}

/** A thread or process that died under a handler is a failed run; a `crash` is the end of the program. */
const KINDS: Readonly<Record<TaskAction, FactKind>> = {
  run: 'run',
  success: 'success',
  fail: 'failure',
  terminate: 'terminated',
  inaction: 'inaction',
  crash: 'failure',
}
/** What an earlier life wrote does not tell the two apart. */
const RESTORED_KINDS: typeof KINDS = { ...KINDS, crash: 'crash' }

export interface TaskLogQuery {
  readonly name?: string
  readonly runId?: string
  readonly action?: TaskAction
  /** Records at or after this instant (epoch ms). */
  readonly since?: number
  /** At most so many, the newest. */
  readonly limit?: number
}

/** One line of the ring. The run is asked for its name, id and error when somebody reads. */
interface Line {
  readonly action: TaskAction
  readonly run: TaskRun
  /** As it was called then: a continuation changes it. */
  readonly name: string
  /** Monotonic ms. */
  readonly atMono: number
  readonly startedMono: number
}

export class TaskLog {
  readonly #clock: Clock
  readonly #keep: number
  readonly #store: TaskLogStore | undefined
  readonly #onError: (error: unknown) => void
  /** Records of earlier lives, oldest first. */
  #restored: TaskRecord[] = []
  /** A supervisor that starts again has its own records already. */
  #isRestored = false
  readonly #ring: Line[] = []
  /** The store's last write, while one is under way. */
  #writing: Promise<void> | undefined = undefined
  #start = 0
  /** Last monotonic instants per name. */
  readonly #last: Map<string, Partial<Record<TaskAction, number>>> = new Map()

  /** @param keep - records to keep in memory */
  constructor(
    clock: Clock,
    keep: number,
    store: TaskLogStore | undefined,
    onError: (error: unknown) => void,
  ) {
    this.#clock = clock
    this.#keep = keep
    this.#store = store
    this.#onError = onError
  }

  /**
   * Reads the store; a run that began and never ended gets its `crash` record now.
   * @returns whether it has read anything it had not before
   */
  async restore(): Promise<boolean> {
    if (this.#store === undefined || this.#isRestored) return false
    const open = new Map<string, TaskRecord>()
    const records = [...(await this.#store.load())]
    for (const record of records) {
      if (record.action === 'run') open.set(record.runId, record)
      else open.delete(record.runId)
    }
    const at = this.#clock.now()
    for (const { name, runId, startedAt } of open.values()) {
      const error = 'The program ended while it ran'
      const crash = {
        name,
        runId,
        action: 'crash',
        at,
        startedAt,
        endedAt: at,
        runtimeMs: undefined,
        error,
      } as const
      records.push(crash)
      this.#append(crash)
    }
    const offset = this.#offset
    for (const { name, action, at: recordAt } of records) this.#noteLast(name, action, recordAt - offset)
    this.#isRestored = true
    this.#restored = records.slice(Math.max(0, records.length - this.#keep))
    return true
  }

  /** Writes down what has just happened to `run`. */
  note(run: TaskRun, action: TaskAction): void {
    const atMono = action === 'run' ? run.startedMono : run.endedMono
    const { name } = run.entry.definition
    const line: Line = { action, run, name, atMono, startedMono: run.startedMono }
    if (this.#ring.length < this.#keep) this.#ring.push(line)
    else if (this.#keep > 0) {
      this.#ring[this.#start] = line
      this.#start = (this.#start + 1) % this.#keep
    }
    this.#noteLast(name, action, atMono)
    if (this.#store !== undefined) this.#append(this.#toRecord(line))
  }

  /** Resolves when the store has kept all records so far. */
  async flushed(): Promise<void> {
    await this.#writing
  }

  /** Kept records, oldest first. */
  query(query: TaskLogQuery = {}): TaskRecord[] {
    const { name, runId, action, since, limit } = query
    const lines = [...this.#ring.slice(this.#start), ...this.#ring.slice(0, this.#start)]
    const kept = [...this.#restored, ...lines.map((line) => this.#toRecord(line))].slice(-this.#keep)
    const found = (this.#keep === 0 ? [] : kept).filter(
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
    const offset = this.#offset
    const instants = Object.entries(this.#last.get(name) ?? {}) as [TaskAction, number][]
    return new Map(instants.map(([action, mono]) => [action, Math.round(offset + mono)]))
  }

  /** What is known of one definition for conditions, oldest first: records, and last instants of what has no record any more. */
  history(name: string): (readonly [FactKind, Stamp])[] {
    const offset = this.#offset
    const known: (readonly [FactKind, Stamp])[] = []
    const add = (kind: FactKind, mono: number): void =>
      void known.push([kind, { at: Math.round(offset + mono), mono, seq: 0 }])
    for (const record of this.#restored) {
      if (record.name === name) add(RESTORED_KINDS[record.action], record.at - offset)
    }
    for (const line of [...this.#ring.slice(this.#start), ...this.#ring.slice(0, this.#start)]) {
      if (line.name === name) add(KINDS[line.action], line.atMono)
    }
    const seen = new Set(known.map(([kind]) => kind))
    const last = Object.entries(this.#last.get(name) ?? {}) as [TaskAction, number][]
    for (const [action, mono] of last)
      if (!seen.has(RESTORED_KINDS[action])) add(RESTORED_KINDS[action], mono)
    return known.sort(([, one], [, other]) => one.mono - other.mono)
  }

  /** Between the monotonic and the wall clock, as they stand now. */
  get #offset(): number {
    return this.#clock.now() - this.#clock.monotonic()
  }

  /** One after the other: a record must not overtake the one before it. */
  #append(record: TaskRecord): void {
    const store = this.#store
    if (store === undefined) return
    if (this.#writing === undefined) {
      try {
        const kept = store.append(record)
        if (kept instanceof Promise) this.#await(kept)
      } catch (error) {
        this.#onError(error)
      }
    } else this.#await(this.#writing.then(() => store.append(record)))
  }

  #await(kept: Promise<void>): void {
    const writing = kept.catch(this.#onError).then(() => {
      if (this.#writing === writing) this.#writing = undefined
    })
    this.#writing = writing
  }

  #noteLast(name: string, action: TaskAction, mono: number): void {
    let instants = this.#last.get(name)
    if (instants === undefined) {
      instants = {}
      this.#last.set(name, instants)
    }
    instants[action] = mono
  }

  #toRecord({ action, run, name, atMono, startedMono }: Line): TaskRecord {
    const offset = this.#offset
    const began = startedMono >= 0
    const ended = action !== 'run'
    return {
      name,
      runId: run.id,
      action,
      at: Math.round(offset + atMono),
      startedAt: began ? Math.round(offset + startedMono) : undefined,
      endedAt: ended ? Math.round(offset + atMono) : undefined,
      runtimeMs: began && ended ? run.ranMs : undefined,
      error: ended ? outcomeError(run)?.message : undefined,
    }
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
