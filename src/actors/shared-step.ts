/**
 * Steps that many runs take alike. The statechart is pure: from one snapshot, one event leads to one
 * snapshot with the same effects, whoever's run it is. So runs of one plan share their snapshots from
 * birth until something of their own happens to them (a result, an error, a stop), and a waiting run
 * costs none. With a machine of the user's own (`logic.task`) nothing is shared: its guards may look elsewhere.
 *
 * A chain: the first step of a plan has no event, each one knows the one that followed it.
 */
import type { TaskEvent } from '../machines/task-model.ts'
import type { TaskSnapshot } from './task-run.ts'

/** Submitted without delay. */
export const SUBMIT: TaskEvent = { type: 'task.submit', delayMs: 0 }
export const ADMIT: TaskEvent = { type: 'task.admit' }
/** The handler of a run on this loop begins. */
export const STARTED: TaskEvent = { type: 'attempt.started' }

/** Whether the event is the very same for every run. */
export function isShareable(event: TaskEvent): boolean {
  return event === STARTED || event === ADMIT || event === SUBMIT
}

const NOTHING: readonly never[] = []

export class SharedStep {
  readonly event: TaskEvent | undefined
  readonly snapshot: TaskSnapshot
  readonly effects: readonly string[]
  readonly params: readonly unknown[]
  following: SharedStep | undefined = undefined

  private constructor(
    event: TaskEvent | undefined,
    snapshot: TaskSnapshot,
    effects: readonly string[],
    params: readonly unknown[],
  ) {
    this.event = event
    this.snapshot = snapshot
    this.effects = effects
    this.params = params
  }

  /** The beginning of a chain. */
  static first(snapshot: TaskSnapshot): SharedStep {
    return new SharedStep(undefined, snapshot, NOTHING, NOTHING)
  }

  /** The next one of the chain. Ten thousand definitions have as many chains; most ask for the same at each event. */
  follow(
    event: TaskEvent,
    snapshot: TaskSnapshot,
    effects: readonly string[],
    params: readonly unknown[],
  ): SharedStep {
    const last = latest.get(event)
    const step = new SharedStep(
      event,
      snapshot,
      last !== undefined && areSame(last.effects, effects) ? last.effects : effects,
      last !== undefined && areSame(last.params, params) ? last.params : params,
    )
    latest.set(event, { effects: step.effects, params: step.params })
    this.following = step
    return step
  }
}

/** The last step made per event: there are three. */
const latest = new Map<TaskEvent, Pick<SharedStep, 'effects' | 'params'>>()

function areSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index])
}
