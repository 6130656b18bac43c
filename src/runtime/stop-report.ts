/**
 * What the end of a supervisor's life took: for each child and for the runs.
 *
 * The life has one report, from whatever begins its end (a stop, or an escalation that a stop may join or follow) to
 * the last stop of it. A start begins another one.
 */
import type { ChildKind } from '../actors/supervised.ts'
import type { ChildStopStep } from '../machines/child.ts'
import type { Outcome, StopStep } from '../machines/model.ts'

/** How a child came to its end. */
export interface StoppedChild {
  /** Its path. */
  readonly id: string
  readonly kind: ChildKind
  /**
   * `none`: it ended as it was asked to. `signal`: it was hurried. `kill`: its time ran out. `ended`: by itself, or by
   * a failure, before it was asked.
   */
  readonly step: ChildStopStep | 'ended'
  /** Between asking and end; 0 if it was not asked. */
  readonly ms: number
}

/** What {@link Supervisor.stop} resolves with. */
export interface StopReport {
  /** Children that lived, each once, with the end of its last life, in the order of these. */
  readonly children: readonly StoppedChild[]
  /**
   * Runs that ended meanwhile: by themselves (`ended`), else by the step they needed, whoever ended them: the stop, or a
   * cancellation, a deadline or the like while it went on.
   */
  readonly tasks: Readonly<Record<'ended' | StopStep, number>>
  /** What queue workers gave back, by their name. */
  readonly returned: Readonly<Record<string, readonly unknown[]>>
}

/** What one life leaves behind. */
interface Ends {
  /** By who they are: a path may be that of another child later. */
  readonly children: Map<object, StoppedChild>
  readonly tasks: Record<'ended' | StopStep, number>
  readonly returned: Record<string, readonly unknown[]>
}

/** Writes down what happens while a supervisor ends. */
export class StopLog {
  #ends: Ends = noEnds()
  #isOpen = false

  /** Another life begins. */
  forget(): void {
    this.#ends = noEnds()
  }

  begin(): void {
    this.#isOpen = true
  }

  end(): void {
    this.#isOpen = false
  }

  /** @param child - who it is, over all its lives */
  child(child: object, stopped: StoppedChild): void {
    if (!this.#isOpen) return
    const { children } = this.#ends
    children.delete(child)
    children.set(child, stopped)
  }

  run(outcome: Outcome): void {
    if (!this.#isOpen) return
    const { tasks } = this.#ends
    if ('step' in outcome) tasks[outcome.step] += 1
    else tasks.ended += 1
  }

  /** A queue worker gave back what it had not begun. @returns whether this stands in a report */
  returned(worker: string, items: readonly unknown[]): boolean {
    const { returned } = this.#ends
    if (this.#isOpen) returned[worker] = [...(returned[worker] ?? []), ...items]
    return this.#isOpen
  }

  /** @returns what makes the report of the present life, for when it has ended; others may have begun by then */
  get report(): () => StopReport {
    const { children, tasks, returned } = this.#ends
    return () => ({ children: [...children.values()], tasks: { ...tasks }, returned: { ...returned } })
  }
}

function noEnds(): Ends {
  const tasks = { ended: 0, none: 0, signal: 0, terminate: 0, kill: 0, abandon: 0 }
  return { children: new Map(), tasks, returned: {} }
}
