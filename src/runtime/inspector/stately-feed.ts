/**
 * Tells Stately's inspectors of a supervisor, in their messages: its actors as they are when one connects, and every step
 * from then on. It makes no actor for that, and hears nothing while nobody is there.
 *
 * What it leaves out: the payloads of events and the inputs and results in contexts. Of more steps than an inspector can
 * take, whole runs are left out (sampling.ts); one that does not read is passed over until it does.
 */

import type { TaskRun } from '../../actors/task-run.ts'
import { TaskStep } from '../../actors/task-step.ts'
import type { Step } from '../../actors/tracer.ts'
import type { LiveSupervisor } from '../live-supervisor.ts'
import type { Charts } from './charts.ts'
import { type Ids, POOL_IDS, ROOT_ID } from './ids.ts'
import { onBacklog } from './pace.ts'
import { Speed, sampleOf } from './sampling.ts'
import type { ShownSupervisor } from './shown-supervisor.ts'
import { base, type StatelyMessage, type StatelySnapshot, toStateValue } from './stately-messages.ts'
import { sourceOfTask } from './step-source.ts'
import { Supervisors } from './supervisors.ts'
import { NO_FILTER } from './tree.ts'

/** Steps told per second. Stately's page takes some thousand messages a second, and a step is two. */
const MOST_STEPS = 500
/** Live runs that are told of when an inspector connects. */
const MOST_RUNS = 200
const SAMPLE_MS = 250
const MOST_KNOWN = 50_000

/** What an inspector is connected by. */
export interface StatelySocket {
  readonly bufferedAmount: number
  send(text: string): void
  close(code: number, reason: string): void
}

interface Listener {
  readonly socket: StatelySocket
  /** Actors that it was told of. */
  readonly known: Set<string>
}

export class StatelyFeed {
  readonly #supervisor: LiveSupervisor
  readonly #charts: Charts
  readonly #supervisors: Supervisors
  readonly #listeners = new Set<Listener>()
  #number = 0
  #steps = 0
  #every = 1
  #lookedAt = 0
  #speed = new Speed<'steps'>()

  constructor(supervisor: LiveSupervisor, charts: Charts) {
    this.#supervisor = supervisor
    this.#charts = charts
    const hearing = (shown: ShownSupervisor) => (step: Step) => this.#hear(step, shown)
    this.#supervisors = new Supervisors({ supervisor, charts, hearing })
  }

  get size(): number {
    return this.#listeners.size
  }

  /** @returns a function that is to be called when it has gone */
  connect(socket: StatelySocket): () => void {
    const listener: Listener = { socket, known: new Set() }
    this.#supervisors.open()
    this.#introduceAll(listener)
    this.#listeners.add(listener)
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#supervisors.close()
    }
  }

  close(): void {
    for (const { socket } of this.#listeners) socket.close(1001, 'the inspector is closed')
    this.#listeners.clear()
    this.#supervisors.close()
  }

  #introduceAll(listener: Listener): void {
    const { tree, all } = this.#supervisors
    for (const shown of all) shown.tree.count()
    const pools = new Set(all.flatMap(({ ids }) => POOL_IDS.map((id) => ids.part(id))))
    const visit = (id: string): void => {
      this.#introduce(listener, id)
      const limit = pools.has(id) ? MOST_RUNS : Number.POSITIVE_INFINITY
      for (const child of tree.list(id, 0, limit, NO_FILTER)?.ids ?? []) visit(child)
    }
    for (const root of tree.roots()) visit(root)
    this.#forgetMarks()
  }

  #introduce(listener: Listener, id: string): void {
    const row = this.#supervisors.tree.row(id)
    if (row === undefined || listener.known.has(id)) return
    listener.known.add(id)
    const { parent, name, chart, state, task } = row
    const definition = chart === null ? { id: name } : this.#charts.get(chart)
    this.#send(listener, {
      type: '@xstate.actor',
      ...this.#base(id),
      name,
      parentId: parent ?? undefined,
      definition: JSON.stringify(definition),
      snapshot: {
        status: 'active',
        value: toStateValue(state),
        context: { ...task },
      } satisfies StatelySnapshot,
    })
  }

  #hear(step: Step, { ids }: ShownSupervisor): void {
    this.#steps += 1
    const now = performance.now()
    if (now - this.#lookedAt > SAMPLE_MS) {
      this.#lookedAt = now
      this.#every = sampleOf(this.#speed.note(now, { steps: this.#steps }).steps, MOST_STEPS)
    }
    if (!(step instanceof TaskStep)) this.#tell(ids.traced(step.machine, step.id), step)
    else if (step.run.order % this.#every === 0)
      this.#tell(ids.task(step.run), step, step.run, sourceOf(step.event, step.run, ids))
  }

  /** @param run - of a step of one */
  #tell(id: string, { event, to }: Step, run?: TaskRun, source?: string): void {
    const told = { type: event }
    const eventText = textOf({
      type: '@xstate.event',
      ...this.#base(id),
      sourceId: source,
      event: told,
    })
    const snapshot: StatelySnapshot = {
      status: run === undefined || run.live ? 'active' : 'done',
      value: toStateValue(to),
      context: run === undefined ? {} : contextOf(run),
    }
    const snapshotText = textOf({
      type: '@xstate.snapshot',
      ...this.#base(id),
      event: told,
      snapshot,
    })
    for (const listener of this.#listeners) {
      const { socket, known } = listener
      if (onBacklog(socket.bufferedAmount, 0) !== 'send') continue
      if (!known.has(id)) {
        for (const { tree } of this.#supervisors.all) tree.refresh()
        this.#introduce(listener, id)
        this.#forgetMarks()
      }
      socket.send(eventText)
      socket.send(snapshotText)
      if (run?.live === false) known.delete(id)
      // Who is told of again is the same one: children come and go under ever new names.
      if (known.size > MOST_KNOWN) known.clear()
    }
  }

  /** Nobody is shown them. */
  #forgetMarks(): void {
    for (const { marks } of this.#supervisors.all) marks.clear()
  }

  #base(id: string): ReturnType<typeof base> {
    this.#number += 1
    return base(id, ROOT_ID, this.#supervisor.parts.clock.now(), this.#number)
  }

  #send({ socket }: Listener, message: StatelyMessage): void {
    socket.send(textOf(message))
  }
}

function textOf(message: StatelyMessage): string {
  return JSON.stringify(message)
}

function sourceOf(event: string, run: TaskRun, ids: Ids): string | undefined {
  const source = sourceOfTask(event, run, ids)
  return source === 'clock' || source === 'handler' || source === 'user' ? undefined : source
}

function contextOf(run: TaskRun): Record<string, unknown> {
  const { name, band, execution, attempt, attempts, delayMs, step } = run.snapshot.context
  return { name, band, execution, attempt, attempts, delayMs, step }
}
