/** Tasks that belong to the start and to the stop of the supervisor: `onStartup` and `onShutdown`. */
import { type AnyDefinition, isDefinition, type TaskCall } from '../actors/definition.ts'
import type { TaskPool } from '../actors/task-pool.ts'
import type { TaskRun } from '../actors/task-run.ts'
import { PRIORITIES, type Priority } from '../machines/model.ts'
import { type Check, refuse } from './check.ts'
import { outcomeError } from './outcome-error.ts'
import type { Submissions } from './submissions.ts'

/** A definition without input, or a call of one. */
export type LifecycleTask = AnyDefinition | TaskCall

export const checkLifecycleTasks: Check = (where, value) => {
  if (!Array.isArray(value)) refuse(where, 'an array of definitions and calls', value)
  value.forEach((one: LifecycleTask | null | undefined, index) => {
    if (isDefinition(one) || isDefinition((one as TaskCall | null | undefined)?.definition)) return
    refuse(`${where}[${index}]`, 'a definition made by defineTask(), or a call of one', one)
  })
}

/**
 * Runs tasks band by band, those of one band together. Where they `must` succeed, the first that does not ends the others
 * and keeps the next band from its turn.
 *
 * @returns resolves, or rejects with what failed first, when all that were submitted have ended
 */
export async function runTogether(
  tasks: readonly LifecycleTask[],
  must: 'succeed' | 'end',
  submissions: Submissions,
  pool: TaskPool,
): Promise<void> {
  const calls = tasks.map(
    (task): TaskCall =>
      isDefinition(task) ? { definition: task, input: undefined, options: undefined } : task,
  )
  const refused: unknown[] = []
  const bands = calls.map((call) => bandOf(call, submissions, refused))
  for (const band of PRIORITIES) {
    if (refused.length > 0 && must === 'succeed') break
    const runs: TaskRun[] = []
    const failures: unknown[] = []
    const fail = (error: unknown): void => {
      failures.push(error)
      if (must === 'end' || failures.length > 1) return
      for (const run of runs) pool.deliver(run, { type: 'task.terminate', reason: 'stop' })
    }
    const ended: Promise<void>[] = []
    for (const [index, call] of calls.entries()) {
      if (failures.length > 0 && must === 'succeed') break
      if (bands[index] !== band) continue
      try {
        const run = submissions.submitEarly(call)
        runs.push(run)
        ended.push(endOf(run, fail))
      } catch (error) {
        refused.push(error)
        fail(error)
      }
    }
    await Promise.all(ended)
    if (failures.length > 0 && must === 'succeed') throw failures[0]
  }
  if (refused.length > 0) throw refused[0]
}

/** `undefined` when the supervisor does not take such a call. */
function bandOf(call: TaskCall, submissions: Submissions, refused: unknown[]): Priority | undefined {
  try {
    return submissions.priorityOf(call)
  } catch (error) {
    refused.push(error)
    return undefined
  }
}

/** Resolves when the run has ended. */
function endOf(run: TaskRun, fail: (error: unknown) => void): Promise<void> {
  return new Promise((resolve) => {
    const ended = (): void => {
      const error = outcomeError(run)
      if (error !== undefined) fail(error)
      resolve()
    }
    if (!run.live) return ended()
    run.watchers ??= []
    run.watchers.push({ onEnded: ended })
  })
}
