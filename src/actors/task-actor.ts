/**
 * Runs as XState actors. A run becomes one when somebody looks (`run.actor`, an inspector): its actor
 * starts from the snapshot the run has reached, and from then on every event goes through the actor.
 * Nobody can tell the difference; runs that nobody looks at save what an actor costs (about 2 µs and
 * 2 KB each).
 */
import { type ActorLogic, type AnyActorRef, type AnyActorScope, createActor } from 'xstate'
import type { TaskEvent } from '../machines/task-model.ts'
import type { TaskRun, TaskSnapshot } from './task-run.ts'

/** The actor of `run`, made now if need be, as a child of `parent`. */
export function taskActor(run: TaskRun, parent: AnyActorRef): AnyActorRef {
  if (run.actor !== undefined) return run.actor
  const actor = createActor(toLogic(run), { parent, id: `task:${run.id}`, src: 'task' })
  run.actor = actor
  actor.start()
  return actor
}

function toLogic(run: TaskRun): ActorLogic<TaskSnapshot, TaskEvent, unknown, AnyActorScope['system']> {
  const { pool } = run
  return {
    // The inspector draws the chart from here.
    ...({ config: pool.logic.config } as object),
    getInitialSnapshot: () => run.snapshot,
    getPersistedSnapshot: (snapshot, options) => pool.logic.getPersistedSnapshot(snapshot, options),
    transition(snapshot, event, scope) {
      if ((event.type as string) === 'xstate.stop') {
        // A parent that stops takes the actor away, not the run: only its own statechart ends a run.
        run.actor = undefined
        return pool.logic.transition(snapshot, event, scope as never)
      }
      const carryOut = pool.stepActor(run, event)
      scope.defer(carryOut)
      return run.snapshot
    },
  }
}
