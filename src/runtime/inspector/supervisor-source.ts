/** A supervisor of this process as an inspector shows it. */
import type { Supervisor } from '../supervisor.ts'
import type { SupervisorParts } from '../wire.ts'
import type { Charts } from './charts.ts'
import { Marks } from './marks.ts'
import type { Act, Ask, Rates } from './messages.ts'
import { Speed } from './sampling.ts'
import type { Source } from './source.ts'
import { SupervisorAnswers } from './supervisor-answers.ts'
import { SupervisorTree } from './supervisor-tree.ts'
import { type Survey, survey } from './survey.ts'
import { TraceTap } from './trace-tap.ts'

/** Of waits and runs that are told of. */
const RECENT_MS = 10_000

export class SupervisorSource implements Source {
  readonly hello: Source['hello']
  readonly tree: SupervisorTree
  readonly #parts: SupervisorParts
  readonly #marks = new Marks()
  readonly #tap: TraceTap
  readonly #answers: SupervisorAnswers
  #speed = new Speed<keyof Rates>()
  #changed: () => void = () => {}

  constructor(supervisor: Supervisor, parts: SupervisorParts, charts: Charts) {
    this.#parts = parts
    this.#answers = new SupervisorAnswers(supervisor, parts)
    this.hello = { supervisor: { id: parts.id } }
    this.tree = new SupervisorTree(parts, charts, this.#marks, this.#look())
    this.#tap = new TraceTap(parts, this.#marks, () => this.#changed())
  }

  open(changed: () => void): void {
    this.#changed = changed
    this.#speed = new Speed()
    this.#tap.on()
  }

  close(): void {
    this.#tap.off()
    this.#changed = () => {}
  }

  refresh(): ReturnType<Source['refresh']> {
    const found = this.#look()
    this.tree.refresh(found)
    const { clock } = this.#parts
    const { totals, queueMs, runMs, every } = this.#tap
    const now = clock.monotonic()
    const rates = this.#speed.note(performance.now(), totals)
    const { events, skipped } = this.#tap.take()
    this.#tap.sample(rates.events)
    const since = now - RECENT_MS
    const waits = { queueMs: queueMs.quantiles(since), runMs: runMs.quantiles(since) }
    return {
      common: { counts: found.counts, pools: found.pools, rates, waits },
      events,
      skipped,
      sampled: every,
    }
  }

  looked(): void {
    this.#marks.turn()
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

  #look(): Survey {
    const { pool, ports } = this.#parts
    return survey(pool, ports.counts)
  }
}
