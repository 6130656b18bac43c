/**
 * What a page is told of the steps of the machines of supervisors: kept from one frame to the next.
 *
 * Totals and times are exact; of the steps themselves whole runs are left out when there are too many (sampling.ts). What is
 * done per step is all that watching costs the supervisor, so it is little.
 */
import { TaskStep } from '../../actors/task-step.ts'
import type { Step, StepListener } from '../../actors/tracer.ts'
import type { EventRow, Rates } from './messages.ts'
import { Recent, sampleOf } from './sampling.ts'
import type { ShownSupervisor } from './shown-supervisor.ts'
import { sourceOfOther, sourceOfTask } from './step-source.ts'

export type Totals = Record<keyof Rates, number>

/** Steps between two frames that are kept, whatever the sample. */
const MOST_KEPT = 2_000

export class TraceTap {
  readonly totals: Totals = { created: 0, started: 0, finished: 0, failed: 0, events: 0 }
  readonly queueMs = new Recent()
  readonly runMs = new Recent()
  /** One in so many runs is told of. */
  every = 1
  readonly #stepped: () => void
  #events: EventRow[] = []
  #skipped = 0

  /** @param stepped - told of every step */
  constructor(stepped: () => void) {
    this.#stepped = stepped
  }

  /** Hears the steps of one supervisor. */
  hearing(shown: ShownSupervisor): StepListener {
    return (step) => {
      this.totals.events += 1
      if (step instanceof TaskStep) this.#hearTask(step, shown)
      else this.#hearOther(step, shown)
      this.#stepped()
    }
  }

  /** What has come and was not taken is forgotten. */
  reset(): void {
    this.take()
    this.every = 1
  }

  /** What has come since the last call. */
  take(): { readonly events: readonly EventRow[]; readonly skipped: number } {
    const taken = { events: this.#events, skipped: this.#skipped }
    this.#events = []
    this.#skipped = 0
    return taken
  }

  /** @param perSecond - steps */
  sample(perSecond: number): void {
    this.every = sampleOf(perSecond)
  }

  #hearTask(step: TaskStep, { supervisor, ids, marks }: ShownSupervisor): void {
    const { run, event } = step
    this.#count(step)
    const isWatched = marks.isWatched(run)
    const isTold = run.order % this.every === 0 && this.#events.length < MOST_KEPT
    if (!isTold) this.#skipped += 1
    if (!isTold && !isWatched) return
    const at = supervisor.parts.clock.now()
    const { from, to } = step
    if (isWatched) marks.setRun(run, { event, eventAt: at, from })
    if (!isTold) return
    const { name } = run.definition
    const source = sourceOfTask(event, run, ids)
    this.#events.push({ at, id: ids.task(run), ...ids.place, name, type: event, from, to, source })
  }

  /** The effects of the step come later: what they note is worked out here. */
  #count({ run, event }: TaskStep): void {
    const { now } = run.pool
    if (event === 'task.submit') this.totals.created += 1
    else if (event === 'task.admit') {
      this.totals.started += 1
      if (run.queuedMono >= 0) this.queueMs.add(now - run.queuedMono, performance.now())
    }
    if (run.live) return
    if (run.state === 'finished') this.totals.finished += 1
    else this.totals.failed += 1
    if (run.startedMono >= 0) this.runMs.add(now - run.startedMono, performance.now())
  }

  #hearOther({ machine, id, event, from, to }: Step, { supervisor, ids, marks }: ShownSupervisor): void {
    const at = supervisor.parts.clock.now()
    marks.set(`${machine} ${id}`, { event, eventAt: at, from })
    if (this.#events.length >= MOST_KEPT) {
      this.#skipped += 1
      return
    }
    const actor = ids.traced(machine, id)
    const source = sourceOfOther(event, ids.aboveTraced(actor) ?? 'user')
    this.#events.push({ at, id: actor, ...ids.place, name: id, type: event, from, to, source })
  }
}
