/** What a supervisor of this process answers to a page, and what it does for one. */
import { type Calendar, preview } from '../../actors/calendar.ts'
import { GridTicker } from '../../actors/grid-ticker.ts'
import type { TaskRun } from '../../actors/task-run.ts'
import type { Ticker } from '../../actors/ticker.ts'
import { WorkerActor } from '../../actors/worker.ts'
import { OptionError } from '../errors.ts'
import { outcomeError } from '../outcome-error.ts'
import type { Run } from '../run.ts'
import type { Supervisor } from '../supervisor.ts'
import type { SupervisorParts } from '../wire.ts'
import type { Worker } from '../worker-handle.ts'
import type {
  Act,
  Ask,
  Retried,
  ScheduleRow,
  TaskDetail,
  TaskPage,
  TaskQuery,
  TaskRow,
  WorkerAct,
  WorkerRow,
} from './messages.ts'
import { toJson } from './to-json.ts'

/** Occurrences of a calendar that are told beyond the next one. */
const LATER = 4

export class SupervisorAnswers {
  readonly #supervisor: Supervisor
  readonly #parts: SupervisorParts

  constructor(supervisor: Supervisor, parts: SupervisorParts) {
    this.#supervisor = supervisor
    this.#parts = parts
  }

  /** Live runs, and the last that have ended; the newest first. */
  tasks({ states = [], text = '', limit = 50, after }: TaskQuery): TaskPage {
    const { registry } = this.#parts.pool
    const before = after === undefined ? Number.POSITIVE_INFINITY : Number(after)
    const needle = text.toLowerCase()
    const runs = [...registry.ended(), ...registry.live()]
      .filter(
        (run) =>
          run.order < before &&
          (states.length === 0 || states.includes(run.state)) &&
          (needle === '' ||
            run.definition.name.toLowerCase().includes(needle) ||
            run.knownId?.toLowerCase().includes(needle) === true),
      )
      .sort((one, other) => other.order - one.order)
    const page = runs.slice(0, limit)
    const last = page.at(-1)
    return {
      tasks: page.map((run) => this.#row(run)),
      next: last === undefined || runs.length <= limit ? null : String(last.order),
    }
  }

  task({ task, values = false }: Extract<Ask, { ask: 'task' }>): TaskDetail {
    const run = this.#find(task)
    const { outcome, input } = run
    const result = outcome?.kind === 'finished' ? outcome.value : undefined
    const records = this.#supervisor.records({ runId: run.id })
    return {
      ...this.#row(run),
      log: records.map(({ at, action, error }) => ({
        at,
        what: error === undefined ? action : `${action}: ${error}`,
        by: null,
      })),
      values: values ? { input: toJson(input), result: toJson(result) } : null,
    }
  }

  workers(): WorkerRow[] {
    return this.#parts.workers.list().map((worker) => {
      const { name, kind, state, live, owed, nextAt, runs, failures, skipped } = worker.info()
      const counts = { live, owed, nextAt: nextAt ?? null, runs, failures, skipped }
      return { name, id: `child:${name}`, kind, state, ...counts, acts: actsOf(worker) }
    })
  }

  /** Workers that come by time. */
  schedules(): ScheduleRow[] {
    const specs = [...this.#parts.children.children.values()].map(({ spec }) => spec)
    return specs
      .filter((spec) => spec instanceof WorkerActor)
      .filter(
        ({ workerKind }) => workerKind === 'interval' || workerKind === 'cron' || workerKind === 'rrule',
      )
      .map((worker) => {
        const { plan, ticker } = worker
        const { calendar } = plan.times
        const nextAt = ticker?.nextAt
        return {
          name: worker.id,
          of: 'supervisor',
          task: plan.entry.definition.name,
          state: worker.state,
          times: calendar?.text ?? stepText(ticker),
          timezone: calendar?.timezone ?? null,
          nextAt: nextAt === undefined ? null : Math.round(nextAt),
          laterAt: laterOf(calendar, ticker),
          lastEndedAt: null,
          acts: actsOf(worker.handle as Worker),
        }
      })
  }

  /** @throws OptionError (`ERR_RUN_UNKNOWN`, `ERR_RUN_STATE`, `ERR_WORKER_UNKNOWN`), and what the call itself throws */
  act(act: Act): Retried | undefined {
    if (act.act === 'cancel') this.#cancel(act.task, act.reason)
    else if (act.act === 'retry') return this.#retry(act.task)
    else if ('worker' in act) this.#tell(act.worker, act.act)
    else if (act.act === 'hold') this.#supervisor.pause()
    else this.#supervisor.resume()
    return undefined
  }

  #cancel(id: string, reason: string = 'cancelled in the inspector'): void {
    const run = this.#find(id)
    if (!run.live) throw this.#wrongState(run, 'has ended')
    this.#parts.pool.deliver(run, { type: 'task.cancel', reason })
  }

  #retry(id: string): Retried {
    const run = this.#find(id)
    if (!mayRetry(run)) throw this.#wrongState(run, `is ${run.state}`)
    const { priority } = run.plan
    const again = this.#supervisor.submit(run.definition as never, run.input as never, { priority })
    return { task: again.id }
  }

  #tell(name: string, act: WorkerAct): void {
    const worker = this.#parts.workers.get(name)
    if (worker === undefined) {
      throw new OptionError(`There is no worker "${name}".`, { code: 'ERR_WORKER_UNKNOWN' })
    }
    if (act === 'trigger') {
      const { trigger } = worker as { trigger?: () => void }
      if (trigger === undefined)
        throw new OptionError(`Worker "${name}" cannot be triggered.`, { code: 'ERR_WORKER_STATE' })
      trigger.call(worker)
    } else worker[act]()
  }

  #find(id: string): TaskRun {
    const run = this.#parts.pool.registry.get(id)
    if (run !== undefined) return run
    throw new OptionError(`Run ${id} is not known (any more).`, { code: 'ERR_RUN_UNKNOWN', runId: id })
  }

  #wrongState(run: TaskRun, what: string): OptionError {
    return new OptionError(`Run ${run.id} ${what}.`, {
      code: 'ERR_RUN_STATE',
      runId: run.id,
      taskName: run.definition.name,
    })
  }

  #row(run: TaskRun): TaskRow {
    const handle: Run = this.#parts.handleOf(run)
    const { percent = null, note } = run.progress ?? {}
    return {
      id: run.id,
      of: 'supervisor',
      name: handle.name,
      description: handle.description,
      state: handle.state,
      priority: handle.priority,
      execution: handle.execution,
      attempt: handle.attempt,
      percent,
      note: note ?? null,
      createdAt: handle.submittedAt,
      startedAt: handle.startedAt ?? null,
      endedAt: handle.endedAt ?? null,
      runAt: null,
      from: run.worker ?? run.parent?.id ?? null,
      holder: null,
      error: errorOf(run),
      reason: reasonOf(run),
      acts: run.live ? ['cancel'] : mayRetry(run) ? ['retry'] : [],
    }
  }
}

/** Again: what did not finish, and is nobody else's to try again. */
function mayRetry(run: TaskRun): boolean {
  return !run.live && run.state !== 'finished' && run.kept === undefined
}

function actsOf(worker: Worker): WorkerAct[] {
  const { state } = worker
  if (state === 'stopped' || state === 'failed' || state === 'stopping' || state === 'starting') return []
  return [...('trigger' in worker ? (['trigger'] as const) : []), state === 'paused' ? 'resume' : 'pause']
}

function stepText(ticker: Ticker | undefined): string {
  if (ticker instanceof GridTicker) return `every ${ticker.stepMs} ms`
  return 'after each run'
}

function laterOf(calendar: Calendar | undefined, ticker: Ticker | undefined): number[] {
  const nextAt = ticker?.nextAt
  if (nextAt === undefined) return []
  if (calendar !== undefined) return preview(calendar, nextAt, LATER)
  if (!(ticker instanceof GridTicker)) return []
  const { stepMs } = ticker
  return Array.from({ length: LATER }, (_, index) => Math.round(nextAt + (index + 1) * stepMs))
}

function errorOf(run: TaskRun): TaskRow['error'] {
  const { state } = run
  if (state !== 'failed' && state !== 'terminated') return null
  const error = outcomeError(run)
  if (error === undefined) return null
  const { cause } = error
  const shown = cause instanceof Error ? cause : error
  return { name: shown.name, message: shown.message, code: error.code }
}

function reasonOf({ outcome }: TaskRun): string | null {
  if (outcome?.kind === 'failed') return outcome.failure.kind
  if (outcome?.kind === 'terminated') return outcome.reason
  if (outcome?.kind === 'finished') return outcome.skipped ?? null
  if (outcome?.kind !== 'cancelled' || outcome.reason === undefined) return null
  const { reason } = outcome
  return reason instanceof Error ? reason.message : String(reason)
}
