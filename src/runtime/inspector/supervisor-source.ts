/** A supervisor of this process, with those that are nested in it, as an inspector shows it. */
import type { LiveSupervisor } from '../live-supervisor.ts'
import type { Charts } from './charts.ts'
import type { Act, Ask, Rates } from './messages.ts'
import { Speed } from './sampling.ts'
import type { Source } from './source.ts'
import { SupervisorAnswers } from './supervisor-answers.ts'
import { Supervisors } from './supervisors.ts'
import { sumOf } from './survey.ts'
import { TraceTap } from './trace-tap.ts'
import type { ActorTree } from './tree.ts'

/** Of waits and runs that are told of. */
const RECENT_MS = 10_000

export class SupervisorSource implements Source {
  readonly hello: Source['hello']
  readonly tree: ActorTree
  readonly #supervisors: Supervisors
  readonly #tap = new TraceTap(() => this.#changed())
  readonly #answers: SupervisorAnswers
  #speed = new Speed<keyof Rates>()
  #changed: () => void = () => {}

  constructor(supervisor: LiveSupervisor, charts: Charts) {
    this.hello = { supervisor: { id: supervisor.id } }
    this.#supervisors = new Supervisors({ supervisor, charts, hearing: (shown) => this.#tap.hearing(shown) })
    this.tree = this.#supervisors.tree
    this.#answers = new SupervisorAnswers(this.#supervisors)
  }

  open(changed: () => void): void {
    this.#changed = changed
    this.#speed = new Speed()
    this.#supervisors.open()
  }

  close(): void {
    this.#supervisors.close()
    this.#tap.reset()
    this.#changed = () => {}
  }

  refresh(): ReturnType<Source['refresh']> {
    const found = this.#supervisors.all.map(({ tree }) => tree.count())
    const { totals, queueMs, runMs } = this.#tap
    const now = performance.now()
    const rates = this.#speed.note(now, totals)
    const taken = this.#tap.take(rates.events)
    const since = now - RECENT_MS
    const waits = { queueMs: queueMs.quantiles(since), runMs: runMs.quantiles(since) }
    const counts = sumOf(found.map((one) => one.counts))
    const pools = found.flatMap((one) => one.pools)
    return { common: { counts, pools, rates, waits }, ...taken }
  }

  looked(): void {
    for (const { marks } of this.#supervisors.all) marks.turn()
  }

  ask(ask: Ask): unknown {
    if (ask.ask === 'workers') return this.#answers.workers()
    if (ask.ask === 'schedules') return this.#answers.schedules()
    if (ask.of !== 'supervisor') return undefined
    return ask.ask === 'tasks' ? this.#answers.tasks(ask) : this.#answers.task(ask)
  }

  act(act: Act): unknown {
    if ('of' in act && act.of !== 'supervisor') return undefined
    return this.#answers.act(act) ?? null
  }
}
