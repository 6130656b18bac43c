/** A step of a run as the tracer tells it: what nobody reads is not worked out, most of all no id is made for it. */
import type { TaskRun, TaskSnapshot } from './task-run.ts'
import type { Step } from './tracer.ts'

export class TaskStep implements Step {
  readonly machine = 'task'
  readonly run: TaskRun
  readonly event: string
  readonly #before: TaskSnapshot
  readonly #after: TaskSnapshot

  constructor(run: TaskRun, event: string, before: TaskSnapshot) {
    this.run = run
    this.event = event
    this.#before = before
    this.#after = run.snapshot
  }

  get id(): string {
    return this.run.id
  }

  get from(): string {
    return this.#pathOf(this.#before)
  }

  get to(): string {
    return this.#pathOf(this.#after)
  }

  #pathOf(snapshot: TaskSnapshot): string {
    const { logic } = this.run.pool
    return logic.states[logic.indexOf(snapshot)] ?? ''
  }
}
