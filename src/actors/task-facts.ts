/**
 * What conditions may ask about one definition: kept only for those that a condition names.
 *
 * Of every kind the newest records are remembered, as many as the conditions count. `fact-book.ts` notes what happens,
 * and tells whoever watches once all of one change is noted: half of it may be true for no moment.
 */
import type { FactKind, Stamp } from '../machines/condition-facts.ts'
import type { TaskRun } from './task-run.ts'

export class TaskFacts {
  readonly name: string
  /** Whoever wants to know that something has changed. */
  readonly watchers: Set<() => void> = new Set()
  /** Records to remember of each kind. */
  #keep = 1
  /** Oldest first. */
  readonly #records = new Map<FactKind, Stamp[]>()
  #status: FactKind | undefined = undefined
  #failures = 0
  readonly #running = new Set<TaskRun>()
  /** Live runs, from the definition's entry. */
  readonly #live: () => number

  constructor(name: string, live: () => number) {
    this.name = name
    this.#live = live
  }

  get live(): number {
    return this.#live()
  }

  get running(): number {
    return this.#running.size
  }

  /** Failures in a row up to now; 0 when the last record is none. */
  get failures(): number {
    return this.#status === 'failure' ? this.#failures : 0
  }

  /** @returns whether more than before is to be remembered */
  remember(records: number): boolean {
    if (records <= this.#keep) return false
    this.#keep = records
    return true
  }

  last(kind: FactKind): Stamp | undefined {
    return this.#records.get(kind)?.at(-1)
  }

  recent(kind: FactKind, since: number): readonly number[] {
    const stamps = this.#records.get(kind) ?? []
    return stamps.filter(({ at }) => at >= since).map(({ at }) => at)
  }

  /** Takes over what was known before anybody asked, oldest first. */
  refill(history: Iterable<readonly [kind: FactKind, stamp: Stamp]>, running: Iterable<TaskRun>): void {
    const known = new Map([...this.#records].map(([kind, stamps]) => [kind, stamps.at(-1)]))
    this.#records.clear()
    this.#status = undefined
    this.#failures = 0
    for (const [kind, stamp] of history) this.note(kind, stamp)
    // The task log does not know the order within one instant.
    for (const [kind, stamps] of this.#records) {
      const last = known.get(kind)
      if (last !== undefined && last.mono === stamps.at(-1)?.mono) stamps[stamps.length - 1] = last
    }
    this.#running.clear()
    for (const run of running) this.#running.add(run)
  }

  began(run: TaskRun): void {
    this.#running.add(run)
  }

  /** @returns whether it held a slot */
  rested(run: TaskRun): boolean {
    return this.#running.delete(run)
  }

  changed(): void {
    for (const watcher of this.watchers) watcher()
  }

  note(kind: FactKind, stamp: Stamp): void {
    let stamps = this.#records.get(kind)
    if (stamps === undefined) {
      stamps = []
      this.#records.set(kind, stamps)
    }
    stamps.push(stamp)
    if (stamps.length > this.#keep) stamps.shift()
    this.#status = kind
    if (kind === 'failure') this.#failures += 1
    else if (kind !== 'run') this.#failures = 0
  }
}
