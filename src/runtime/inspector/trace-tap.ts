/**
 * Hears every step of every machine of one supervisor while a page is there, and keeps what the next frame says of them.
 *
 * - `off`: nobody looks, so nothing is heard.
 * - `on`: totals and times are exact; of the steps themselves whole runs are left out when there are too many
 *   (sampling.ts).
 *
 * What is done per step is all that watching costs the supervisor, so it is little.
 */
import { TaskStep } from '../../actors/task-step.ts'
import type { Step } from '../../actors/tracer.ts'
import type { SupervisorParts } from '../wire.ts'
import { taskId, tracedId } from './ids.ts'
import type { Marks } from './marks.ts'
import type { EventRow, Rates } from './messages.ts'
import { Recent, sampleOf } from './sampling.ts'
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
  readonly #parts: SupervisorParts
  readonly #marks: Marks
  readonly #stepped: () => void
  #events: EventRow[] = []
  #skipped = 0
  #quit: (() => void) | undefined

  /** @param stepped - told of every step */
  constructor(parts: SupervisorParts, marks: Marks, stepped: () => void) {
    this.#parts = parts
    this.#marks = marks
    this.#stepped = stepped
  }

  on(): void {
    if (this.#quit !== undefined) return
    const { pool, actor, id } = this.#parts
    const untrace = pool.tracer.add((step) => this.#hear(step))
    const leave = actor.follow((event, from, to) =>
      this.#hear({ machine: 'supervisor', id, event, from, to }),
    )
    this.#quit = () => {
      untrace()
      leave()
    }
  }

  off(): void {
    this.#quit?.()
    this.#quit = undefined
    this.#events = []
    this.#skipped = 0
    this.every = 1
    this.#marks.clear()
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

  #hear(step: Step): void {
    this.totals.events += 1
    if (step instanceof TaskStep) this.#hearTask(step)
    else this.#hearOther(step)
    this.#stepped()
  }

  #hearTask(step: TaskStep): void {
    const { run, event } = step
    this.#count(step)
    const isWatched = this.#marks.isWatched(run)
    const isTold = run.order % this.every === 0 && this.#events.length < MOST_KEPT
    if (!isTold) this.#skipped += 1
    if (!isTold && !isWatched) return
    const at = this.#parts.clock.now()
    const { from, to } = step
    if (isWatched) this.#marks.setRun(run, { event, eventAt: at, from })
    if (!isTold) return
    const { worker, parent, pool } = run
    const owner = worker === undefined ? parent && taskId(parent) : `child:${worker}`
    const slots = pool.slots(run.execution) === pool.processes ? 'processes' : 'pool'
    const { name } = run.definition
    const source = sourceOfTask(event, owner, slots)
    this.#events.push({ at, id: taskId(run), name, type: event, from, to, source })
  }

  /** The effects of the step come later: what they note is worked out here. */
  #count({ run, event }: TaskStep): void {
    const { now } = run.pool
    if (event === 'task.submit') this.totals.created += 1
    else if (event === 'task.admit') {
      this.totals.started += 1
      if (run.queuedMono >= 0) this.queueMs.add(now - run.queuedMono, now)
    }
    if (run.live) return
    if (run.state === 'finished') this.totals.finished += 1
    else this.totals.failed += 1
    if (run.startedMono >= 0) this.runMs.add(now - run.startedMono, now)
  }

  #hearOther({ machine, id, event, from, to }: Step): void {
    const at = this.#parts.clock.now()
    this.#marks.set(`${machine} ${id}`, { event, eventAt: at, from })
    if (this.#events.length >= MOST_KEPT) {
      this.#skipped += 1
      return
    }
    const actor = tracedId(machine, id)
    this.#events.push({
      at,
      id: actor,
      name: id,
      type: event,
      from,
      to,
      source: sourceOfOther(event, above(actor)),
    })
  }
}

/** The actor above one that the tracer tells of. */
function above(id: string): string {
  if (id === 'supervisor') return 'user'
  if (!id.startsWith('child:')) return 'supervisor'
  const end = id.lastIndexOf('/')
  return end < 0 ? 'children' : id.slice(0, end)
}
