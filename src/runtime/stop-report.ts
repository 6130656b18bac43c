/** What a stop took: for each child and for the runs. */
import type { ChildKind } from '../actors/supervised.ts'
import type { ChildStopStep } from '../machines/child.ts'
import type { Outcome, StopStep } from '../machines/model.ts'

/** How a child came to its end. */
export interface StoppedChild {
  /** Its path. */
  readonly id: string
  readonly kind: ChildKind
  /** `none`: it ended as it was asked to. `signal`: it was hurried. `kill`: its time ran out. */
  readonly step: ChildStopStep
  /** Between asking and end. */
  readonly ms: number
}

/** What {@link Supervisor.stop} resolves with. */
export interface StopReport {
  /** Children that lived, in the order of their ends. */
  readonly children: readonly StoppedChild[]
  /** Runs that ended meanwhile: by themselves, and terminated by the stop, by the step they needed. */
  readonly tasks: Readonly<Record<'ended' | StopStep, number>>
  /** What queue workers gave back, by their name. */
  readonly returned: Readonly<Record<string, readonly unknown[]>>
}

/** Writes down what happens while a supervisor stops. */
export class StopLog {
  #children: StoppedChild[] = []
  #tasks: Record<'ended' | StopStep, number> = noTasks()
  #returned: Record<string, readonly unknown[]> = {}
  #isOpen = false

  begin(): void {
    this.#children = []
    this.#tasks = noTasks()
    this.#returned = {}
    this.#isOpen = true
  }

  end(): void {
    this.#isOpen = false
  }

  child(stopped: StoppedChild): void {
    if (this.#isOpen) this.#children.push(stopped)
  }

  run(outcome: Outcome): void {
    if (!this.#isOpen) return
    if (outcome.kind === 'terminated' && outcome.reason === 'stop') this.#tasks[outcome.step] += 1
    else this.#tasks.ended += 1
  }

  /** A queue worker gave back what it had not begun. @returns whether this stands in a report */
  returned(worker: string, items: readonly unknown[]): boolean {
    if (this.#isOpen) this.#returned[worker] = [...(this.#returned[worker] ?? []), ...items]
    return this.#isOpen
  }

  get report(): StopReport {
    return { children: this.#children, tasks: this.#tasks, returned: this.#returned }
  }
}

function noTasks(): Record<'ended' | StopStep, number> {
  return { ended: 0, none: 0, signal: 0, terminate: 0, kill: 0, abandon: 0 }
}
