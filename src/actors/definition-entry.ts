/** What one supervisor knows of one definition: shared by all its runs. */
import type { AnyDefinition } from './definition.ts'
import { RunList } from './ready-queue.ts'
import type { RunPlan, TaskRun, TaskSnapshot } from './task-run.ts'

export class DefinitionEntry {
  readonly definition: AnyDefinition
  /** The plan of a submission without options of its own. */
  readonly plan: RunPlan
  /** The first snapshot of runs with that plan. */
  born: TaskSnapshot | undefined = undefined
  /** Whether the supervisor has met it: set with its first run, so that a refused one takes no name. */
  met = false
  /** Live runs. */
  live = 0
  /** With `multilaunch: false`: the run that may be admitted, and those that wait for its end. */
  current: TaskRun | undefined = undefined
  readonly waiting: RunList = new RunList()

  constructor(definition: AnyDefinition, plan: RunPlan) {
    this.definition = definition
    this.plan = plan
  }
}
