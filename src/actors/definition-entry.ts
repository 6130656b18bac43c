/** What one supervisor knows of one definition: shared by all its runs. */
import { PRIORITIES } from '../machines/model.ts'
import type { AnyDefinition } from './definition.ts'
import { RunList } from './ready-queue.ts'
import type { SharedStep } from './shared-step.ts'
import type { TaskFacts } from './task-facts.ts'
import type { RunPlan, TaskRun } from './task-run.ts'

export class DefinitionEntry {
  readonly definition: AnyDefinition
  /** The plan of a submission without options of its own. */
  readonly plan: RunPlan
  /** The steps that runs with that plan begin with. */
  born: SharedStep | undefined = undefined
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
