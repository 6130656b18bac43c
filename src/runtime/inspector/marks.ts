/**
 * The last event of each actor: of all but runs, because they are few and long-lived; of runs only while somebody has
 * them in view.
 */
import type { TaskRun } from '../../actors/task-run.ts'
import type { ActorRow } from './messages.ts'

export type Mark = Pick<ActorRow, 'event' | 'eventAt' | 'from'>

const MOST_OTHERS = 20_000

export class Marks {
  readonly #others = new Map<string, Mark>()
  #runs = new Map<TaskRun, Mark | undefined>()
  #next = new Map<TaskRun, Mark | undefined>()

  /** @param name - machine and id, as the tracer says them */
  get(name: string): Mark | undefined {
    return this.#others.get(name)
  }

  set(name: string, mark: Mark): void {
    this.#others.set(name, mark)
    // Children that come and go under ever new names.
    if (this.#others.size > MOST_OTHERS) this.#others.delete(this.#others.keys().next().value as string)
  }

  /** The run is in view: it is until the second turn from now. */
  watch(run: TaskRun): Mark | undefined {
    const mark = this.#runs.get(run)
    this.#next.set(run, mark)
    return mark
  }

  isWatched(run: TaskRun): boolean {
    return this.#runs.has(run)
  }

  /** Of a run that is watched. */
  setRun(run: TaskRun, mark: Mark): void {
    this.#runs.set(run, mark)
  }

  /** All pages have looked: what none has in view is forgotten. */
  turn(): void {
    this.#runs = this.#next
    this.#next = new Map()
  }

  clear(): void {
    this.#others.clear()
    this.#runs.clear()
    this.#next.clear()
  }
}
