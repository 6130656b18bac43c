/** What one supervisor knows of one definition: shared by all its runs. */
import { PRIORITIES } from '../machines/model.ts'
import type { AnyDefinition } from './definition.ts'
import { RunList } from './ready-queue.ts'
import { SharedStep } from './shared-step.ts'
import type { TaskFacts } from './task-facts.ts'
import type { RunPlan, TaskRun, TaskSnapshot } from './task-run.ts'

export class DefinitionEntry {
  readonly definition: AnyDefinition
  /** The plan of a submission without options of its own. */
  readonly plan: RunPlan
  /** The steps that runs begin with, per band: those that run where that plan says, as often. */
  readonly #born: (SharedStep | undefined)[] = []
  /** Whether the supervisor has met it: set with its first run, so that a refused one takes no name. */
  met = false
  /** Live runs. */
  live = 0
  /** What conditions may ask about it, once one names it. */
  facts: TaskFacts | undefined = undefined
  /** With `multilaunch: false`: runs that wait until no other is live, per band. Made with the first of them. */
  #gate: readonly RunList[] | undefined = undefined
  /** How many wait there. */
  gated = 0
  /** Live runs that have been queued: one that is scheduled for later holds up nobody. */
  entered = 0

  constructor(definition: AnyDefinition, plan: RunPlan) {
    this.definition = definition
    this.plan = plan
  }

  /**
   * Where a run of `plan` begins, if it is not the only one of its kind: the statechart is told of the band, of where it
   * runs and how often, and of nothing else that a submission may say.
   *
   * @param birth - makes the first one
   */
  bornAs(
    plan: RunPlan,
    birth: (entry: DefinitionEntry, plan: RunPlan) => TaskSnapshot,
  ): SharedStep | undefined {
    const { execution, loop, attempts } = this.plan
    if (plan.execution !== execution || plan.loop !== loop || plan.attempts !== attempts) return undefined
    const band = PRIORITIES.indexOf(plan.priority)
    let born = this.#born[band]
    if (born === undefined) {
      born = SharedStep.first(birth(this, plan))
      this.#born[band] = born
    }
    return born
  }

  /** Whether a run that has entered has to wait for another one. */
  get isTaken(): boolean {
    return this.entered - this.gated > 1
  }

  isGated(run: TaskRun): boolean {
    return run.list !== undefined && this.#gate?.includes(run.list) === true
  }

  hold(run: TaskRun): void {
    this.#gate ??= PRIORITIES.map(() => new RunList())
    this.#gate[PRIORITIES.indexOf(run.snapshot.context.band)]?.push(run)
    this.gated += 1
  }

  release(run: TaskRun): void {
    run.list?.remove(run)
    this.gated -= 1
  }

  /** Who waits longest in the most urgent band, once nobody else is live. */
  get nextGated(): TaskRun | undefined {
    if (this.gated === 0 || this.entered > this.gated) return undefined
    return this.#gate?.find((list) => list.head !== undefined)?.head
  }
}
