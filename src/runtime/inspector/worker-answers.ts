/** What a page is told of the workers of one supervisor, and what they are told for it. */
import { type Calendar, preview } from '../../actors/calendar.ts'
import { GridTicker } from '../../actors/grid-ticker.ts'
import type { Ticker } from '../../actors/ticker.ts'
import { WorkerActor } from '../../actors/worker.ts'
import type { WorkerPlan } from '../../actors/worker-plan.ts'
import type { Condition } from '../../machines/condition.ts'
import { conditionText } from '../../machines/condition-text.ts'
import { OptionError } from '../errors.ts'
import type { Worker } from '../worker-handle.ts'
import type { ScheduleRow, WorkerAct, WorkerRow } from './messages.ts'
import type { ShownSupervisor } from './shown-supervisor.ts'

/** Occurrences of a calendar that are told beyond the next one. */
const LATER = 4

export class WorkerAnswers {
  readonly #shown: ShownSupervisor

  constructor(shown: ShownSupervisor) {
    this.#shown = shown
  }

  workers(): WorkerRow[] {
    const { ids } = this.#shown
    return this.#all().map(({ id: name, plan, handle }) => {
      const worker = handle as Worker
      const { kind, state, live, owed, nextAt, runs, failures, skipped } = worker.info()
      const row = { name, ...ids.place, id: ids.child(name), kind, when: whenText(plan), state }
      const counts = { live, owed, nextAt: nextAt ?? null, runs, failures, skipped }
      return { ...row, ...counts, acts: actsOf(worker) }
    })
  }

  /** Workers that come by time. */
  schedules(): ScheduleRow[] {
    const { ids } = this.#shown
    return this.#all()
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
          ...ids.place,
          task: plan.entry.definition.name,
          state: worker.state,
          times: plan.times.text,
          timezone: calendar?.timezone ?? null,
          nextAt: nextAt === undefined ? null : Math.round(nextAt),
          laterAt: laterOf(calendar, ticker),
          lastEndedAt: null,
          acts: actsOf(worker.handle as Worker),
        }
      })
  }

  #all(): WorkerActor[] {
    const { children } = this.#shown.supervisor.parts.children
    return [...children.values()].map(({ spec }) => spec).filter((spec) => spec instanceof WorkerActor)
  }

  /** @throws OptionError (`ERR_WORKER_UNKNOWN`, `ERR_WORKER_STATE`), and what the call itself throws */
  tell(name: string, act: WorkerAct): void {
    const worker = this.#shown.supervisor.workers.get(name)
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
}

function actsOf(worker: Worker): WorkerAct[] {
  const { state } = worker
  if (state === 'stopped' || state === 'failed' || state === 'stopping' || state === 'starting') return []
  return [...('trigger' in worker ? (['trigger'] as const) : []), state === 'paused' ? 'resume' : 'pause']
}

function whenText({ times, when }: WorkerPlan): string {
  const { calendar, text } = times
  const zone = calendar?.timezone === undefined ? '' : ` (${calendar.timezone})`
  return when === undefined ? text + zone : `${text}${zone}, if ${conditionText(when as Condition)}`
}

function laterOf(calendar: Calendar | undefined, ticker: Ticker | undefined): number[] {
  const nextAt = ticker?.nextAt
  if (nextAt === undefined) return []
  if (calendar !== undefined) return preview(calendar, nextAt, LATER)
  if (!(ticker instanceof GridTicker)) return []
  const { stepMs } = ticker
  return Array.from({ length: LATER }, (_, index) => Math.round(nextAt + (index + 1) * stepMs))
}
