/** What a supervisor ought to do, said simply: lists, searched from the front. */
import { type Limits, laneLimits, threshold } from '../../src/machines/admission.ts'
import { type Execution, PRIORITIES, type Priority, type TaskState } from '../../src/machines/model.ts'
import { SNOOZE_MS, type Word } from './held-work.ts'

export const RETRY_MS = 30
export const GRACE_MS = 25
const KILL_BOUND_MS = 100
export const OVERFLOW = 1
/** Which pool is served first. It matters only to tasks that a main task holds up. */
const POOLS: readonly [readonly Execution[], readonly Execution[]] = [
  ['process'],
  ['main', 'async', 'thread'],
]

export interface Sizes {
  readonly pool: Limits & { readonly maxThreads: number }
  readonly processes: Limits
}

export interface ModelRun {
  readonly id: string
  readonly band: Priority
  readonly execution: Execution
  readonly attempts: number
  readonly stubborn: boolean
  state: TaskState
  attempt: number
  /** A cancel was asked for: whatever comes, it ends as cancelled. */
  stopping: boolean
  /** When it was queued last. */
  order: number
  timer: { readonly at: number; readonly armed: number; readonly then: () => void } | undefined
}

export class AdmissionModel {
  readonly runs: ModelRun[] = []
  sizes: Sizes
  open = true
  now = 0
  #counter = 0

  constructor(sizes: Sizes) {
    this.sizes = sizes
  }

  in(...states: readonly TaskState[]): ModelRun[] {
    return this.runs.filter(({ state }) => states.includes(state))
  }

  /** Slots taken in the pool of `execution`. */
  active(execution: Execution): number {
    return this.in('running').filter((run) => samePool(run.execution, execution)).length
  }

  submit(
    given: Pick<ModelRun, 'id' | 'band' | 'execution' | 'attempts' | 'stubborn'>,
    delayMs: number,
  ): void {
    const run: ModelRun = {
      ...given,
      state: 'created',
      attempt: 0,
      stopping: false,
      order: 0,
      timer: undefined,
    }
    this.runs.push(run)
    if (delayMs > 0) this.#waitOutside(run, 'scheduled', delayMs)
    else this.#enqueue(run)
    this.#admit()
  }

  say(run: ModelRun, word: Word): void {
    if (run.stopping) this.#end(run, 'cancelled')
    else if (word === 'throw' && run.attempt < run.attempts) this.#waitOutside(run, 'retrying', RETRY_MS)
    else if (word === 'throw') this.#end(run, 'failed')
    else if (word === 'snooze') {
      run.attempt -= 1
      this.#waitOutside(run, 'snoozed', SNOOZE_MS)
    } else this.#end(run, 'finished')
    this.#admit()
  }

  cancel(run: ModelRun): void {
    if (run.state !== 'running' || !run.stubborn) this.#end(run, 'cancelled')
    else if (!run.stopping) {
      run.stopping = true
      const kill = (): void => this.#end(run, 'cancelled')
      const terminate = (): void => this.#arm(run, KILL_BOUND_MS, kill)
      this.#arm(run, GRACE_MS, run.execution === 'process' ? terminate : kill)
    }
    this.#admit()
  }

  resize(sizes: Sizes): void {
    this.sizes = sizes
    this.#admit()
  }

  hold(open: boolean): void {
    this.open = open
    this.#admit()
  }

  advance(ms: number): void {
    const until = this.now + ms
    for (;;) {
      const due = this.runs
        .flatMap(({ timer }) => timer ?? [])
        .filter(({ at }) => at <= until)
        .sort((a, b) => a.at - b.at || a.armed - b.armed)[0]
      if (due === undefined) break
      this.now = due.at
      due.then()
      this.#admit()
    }
    this.now = until
  }

  #admit(): void {
    while (this.open) {
      const run = this.#next(POOLS[0]) ?? this.#next(POOLS[1])
      if (run === undefined) return
      run.state = 'running'
      run.attempt += 1
    }
  }

  /** The head of the most urgent band that may be served; bands below a closed one are closed, too. */
  #next(executions: readonly Execution[]): ModelRun | undefined {
    const { sizes } = this
    const [any] = executions as [Execution]
    const limits = any === 'process' ? sizes.processes : sizes.pool
    const waiting = this.in('queued').sort((a, b) => a.order - b.order)
    for (const band of PRIORITIES) {
      const inBand = waiting.filter((run) => run.band === band && executions.includes(run.execution))
      if (inBand.length > 0 && this.active(any) >= threshold(limits, band)) return undefined
      const first = inBand.find((run) => this.#couldRun(run))
      if (first !== undefined) return first
    }
    return undefined
  }

  #couldRun({ execution, band }: ModelRun): boolean {
    const running = this.in('running')
    const remote = execution === 'thread' || execution === 'process'
    if (running.some((run) => run.execution === 'main') && !(remote && band === 'critical')) return false
    if (!remote) return true
    const busy = running.filter((run) => run.execution === execution).length
    const { pool, processes } = this.sizes
    const limits = execution === 'process' ? processes : pool
    const max = execution === 'process' ? threshold(processes, 'high') : pool.maxThreads
    if (band === 'critical') return busy < max + OVERFLOW
    return busy < max && busy < threshold(laneLimits(limits, max), band)
  }

  #enqueue(run: ModelRun): void {
    run.state = 'queued'
    run.timer = undefined
    run.order = this.#counter++
  }

  #waitOutside(run: ModelRun, state: TaskState, ms: number): void {
    run.state = state
    this.#arm(run, ms, () => this.#enqueue(run))
  }

  #arm(run: ModelRun, ms: number, then: () => void): void {
    run.timer = { at: this.now + ms, armed: this.#counter++, then }
  }

  #end(run: ModelRun, state: TaskState): void {
    run.state = state
    run.timer = undefined
  }
}

function samePool(one: Execution, other: Execution): boolean {
  return (one === 'process') === (other === 'process')
}
