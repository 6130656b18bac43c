/**
 * What a page is told of the steps of the machines of supervisors: kept from one frame to the next.
 *
 * Totals and times are exact; of the steps themselves whole runs are left out when there are too many, in a second or in one
 * frame (sampling.ts). What is
 * done per step is all that watching costs the supervisor, so it is little.
 */
import type { TaskRun } from '../../actors/task-run.ts'
import { TaskStep } from '../../actors/task-step.ts'
import type { Step, StepListener } from '../../actors/tracer.ts'
import type { EventRow, Rates } from './messages.ts'
import { nextSample, Recent, TOLD_PER_FRAME } from './sampling.ts'
import type { ShownSupervisor } from './shown-supervisor.ts'
import { sourceOfOther, sourceOfTask } from './step-source.ts'

export type Totals = Record<keyof Rates, number>

/** Steps of actors that are no runs, between two frames. */
const MOST_OTHERS = 2_000

interface Kept {
  readonly row: EventRow
  /** Of the run, in the order of submissions; `undefined` of an actor that is none. */
  readonly order: number | undefined
}

export class TraceTap {
  readonly totals: Totals = { created: 0, started: 0, finished: 0, failed: 0, events: 0 }
  readonly queueMs = new Recent()
  readonly runMs = new Recent()
  readonly #stepped: () => void
  /** One in so many runs is told of. */
  #every = 1
  #kept: Kept[] = []
  /** Of those that are kept, how many are of runs. */
  #ofRuns = 0
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
    this.take(0)
    this.#every = 1
  }

  /**
   * What has come since the last call, of as many runs as were told of at its end.
   *
   * @param perSecond - steps
   */
  take(perSecond: number): {
    readonly events: readonly EventRow[]
    readonly skipped: number
    readonly sampled: number
  } {
    const taken = { events: this.#kept.map(({ row }) => row), skipped: this.#skipped, sampled: this.#every }
    const perFrame = this.#kept.length + this.#skipped
    this.#every = nextSample(this.#every, { perFrame, perSecond })
    this.#kept = []
    this.#ofRuns = 0
    this.#skipped = 0
    return taken
  }

  #hearTask(step: TaskStep, { supervisor, ids, marks }: ShownSupervisor): void {
    const { run, event } = step
    this.#count(step)
    const isWatched = marks.isWatched(run)
    const isTold = this.#hasRoom(run)
    if (!isTold) this.#skipped += 1
    if (!isTold && !isWatched) return
    const at = supervisor.parts.clock.now()
    const { from, to } = step
    if (isWatched) marks.setRun(run, { event, eventAt: at, from })
    if (!isTold) return
    const { name } = run.definition
    const source = sourceOfTask(event, run, ids)
    const row = { at, id: ids.task(run), ...ids.place, name, type: event, from, to, source }
    this.#kept.push({ row, order: run.order })
    this.#ofRuns += 1
  }

  /** Of too many in one frame, every other run gives way: with all of its steps, not with the last ones. */
  #hasRoom({ order }: Pick<TaskRun, 'order'>): boolean {
    if (order % this.#every !== 0) return false
    if (this.#ofRuns < TOLD_PER_FRAME) return true
    const every = this.#every * 2
    const left = this.#kept.filter((kept) => kept.order === undefined || kept.order % every === 0)
    const gone = this.#kept.length - left.length
    // One run alone may step as often as that: there is no other one to give way.
    if (gone === 0) return false
    this.#every = every
    this.#kept = left
    this.#ofRuns -= gone
    this.#skipped += gone
    return this.#hasRoom({ order })
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
    if (this.#kept.length - this.#ofRuns >= MOST_OTHERS) {
      this.#skipped += 1
      return
    }
    const actor = ids.traced(machine, id)
    const source = sourceOfOther(event, ids.aboveTraced(actor) ?? 'user')
    const row = { at, id: actor, ...ids.place, name: id, type: event, from, to, source }
    this.#kept.push({ row, order: undefined })
  }
}
