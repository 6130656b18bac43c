/**
 * The facts of all definitions that conditions name, and time as conditions see it.
 *
 * Nothing is kept for a definition before a condition names it: what it did until then is read from the task log
 * once. From then on its entry carries its facts, so a run of any other definition pays one look at a field.
 */
import type { ConditionWindow } from '../machines/condition.ts'
import type { FactKind, Facts, OpenState, Order, PeriodUnit, Stamp } from '../machines/condition-facts.ts'
import type { TaskFact } from '../machines/task-model.ts'
import type { Clock } from './clock.ts'
import { cronWindow } from './cron-window.ts'
import type { DefinitionEntry } from './definition-entry.ts'
import { handBackReason } from './kept-run.ts'
import { type Period, periodOf } from './periods.ts'
import { TaskFacts } from './task-facts.ts'
import type { TaskRun } from './task-run.ts'
import { type TimeWindow, timeWindow } from './time-windows.ts'

export interface FactSources {
  readonly clock: Clock
  /** What the supervisor knows of the definition, once it has met it. */
  entryOf(name: string): DefinitionEntry | undefined
  /** What the task log knows, oldest first. */
  history(name: string): Iterable<readonly [kind: FactKind, stamp: Stamp]>
  /** Runs that hold a slot. */
  running(name: string): Iterable<TaskRun>
  /** Told of what a part of a condition threw. */
  failed: Facts['failed']
}

export class FactBook implements Facts {
  readonly #sources: FactSources
  readonly #tasks: Map<string, TaskFacts> = new Map()
  readonly #windows: WeakMap<ConditionWindow, TimeWindow> = new WeakMap()
  readonly #crontimes: Map<string, TimeWindow> = new Map()
  #seq = 0

  constructor(sources: FactSources) {
    this.#sources = sources
  }

  get now(): number {
    return this.#sources.clock.now()
  }

  /** The present place in the order of things. */
  mark(): Order {
    return { mono: this.#sources.clock.monotonic(), seq: this.#seq }
  }

  /** Keeps facts about the definition from now on: of every kind the `records` newest. */
  watch(name: string, records: number): TaskFacts {
    let facts = this.#tasks.get(name)
    const isNew = facts === undefined
    if (facts === undefined) {
      facts = new TaskFacts(name, () => this.#sources.entryOf(name)?.live ?? 0)
      this.#tasks.set(name, facts)
      const entry = this.#sources.entryOf(name)
      if (entry !== undefined) entry.facts = facts
    }
    if (facts.remember(records) || isNew) this.#refill(facts)
    return facts
  }

  /** The supervisor has met a definition. */
  attach(entry: DefinitionEntry): void {
    entry.facts = this.#tasks.get(entry.definition.name)
  }

  /** The task log has read its store. */
  restored(): void {
    for (const facts of this.#tasks.values()) this.#refill(facts)
    for (const facts of this.#tasks.values()) facts.changed()
  }

  /** Notes what a run announces. `facts.changed()` follows when the event has been told. */
  announced(facts: TaskFacts, run: TaskRun, fact: TaskFact): void {
    if (fact === 'admitted') facts.began(run)
    else if (fact === 'started') this.#note(facts, 'run', run.startedMono)
    else facts.rested(run)
  }

  /** Notes how a run has ended. */
  settled(facts: TaskFacts, run: TaskRun): void {
    facts.rested(run)
    const { outcome } = run
    if (outcome === undefined) return
    if (handBackReason(run) !== undefined) {
      if (run.ranMs >= 0) this.#note(facts, 'inaction', run.endedMono)
    } else if (outcome.kind === 'failed') this.#note(facts, 'failure', run.endedMono)
    else if (outcome.kind !== 'finished') this.#note(facts, 'terminated', run.endedMono)
    else this.#note(facts, outcome.skipped === undefined ? 'success' : 'inaction', run.endedMono)
  }

  last(task: string, kind: FactKind): Stamp | undefined {
    return this.#tasks.get(task)?.last(kind)
  }

  failures(task: string): number {
    return this.#tasks.get(task)?.failures ?? 0
  }

  recent(task: string, kind: FactKind, since: number): readonly number[] {
    return this.#tasks.get(task)?.recent(kind, since) ?? []
  }

  running(task: string): number {
    return this.#tasks.get(task)?.running ?? 0
  }

  live(task: string): number {
    return this.#tasks.get(task)?.live ?? 0
  }

  period(unit: PeriodUnit, timezone: string | undefined): Period {
    return periodOf(unit, this.now, timezone)
  }

  window(window: ConditionWindow): OpenState {
    let checked = this.#windows.get(window)
    if (checked === undefined) {
      checked = timeWindow(window, window.timezone)
      this.#windows.set(window, checked)
    }
    return checked.at(this.now)
  }

  crontime(expression: string, timezone: string | undefined): OpenState {
    const key = `${timezone ?? ''} ${expression}`
    let window = this.#crontimes.get(key)
    if (window === undefined) {
      window = cronWindow(expression, { timezone })
      this.#crontimes.set(key, window)
    }
    return window.at(this.now)
  }

  failed: Facts['failed'] = (error, condition) => this.#sources.failed(error, condition)

  #note(facts: TaskFacts, kind: FactKind, mono: number): void {
    this.#seq += 1
    facts.note(kind, { at: this.now, mono, seq: this.#seq })
  }

  #refill(facts: TaskFacts): void {
    const { history, running } = this.#sources
    facts.refill(history(facts.name), running(facts.name))
  }
}
