/** Tasks as actor logic: a machine of the user's own invokes or spawns a supervised run. */
import { fromPromise, type PromiseActorLogic } from 'xstate'
import type { TypedDefinition } from '../actors/definition.ts'
import { LiveSupervisor } from './live-supervisor.ts'
import type { Supervisor } from './supervisor.ts'
import type { SubmitOptions } from './task-options.ts'

/** What a task actor emits while it runs. */
export interface TaskProgressEvent {
  readonly type: 'task.progress'
  readonly percent: number
  readonly note: string | undefined
}

/**
 * Actor logic that submits `definition` when it starts: its output is the run's value, its error the
 * run's typed error; stopping the actor cancels the run. Emits `task.progress`.
 *
 * @example
 * ```ts
 * const machine = setup({ actors: { resize: fromTask(supervisor, thumbnail) } }).createMachine({
 *   invoke: { src: 'resize', input: { file: 'a.png', width: 200 }, onDone: 'saved', onError: 'failed' },
 * })
 * ```
 */
export function fromTask<Input, Output>(
  supervisor: Supervisor,
  definition: TypedDefinition<Input, Output>,
  options: Omit<SubmitOptions, 'signal' | 'runId'> = {},
): PromiseActorLogic<Output, Input, TaskProgressEvent> {
  return fromPromise<Output, Input, TaskProgressEvent>(async ({ input, signal, emit, system }) => {
    const given = { ...options, signal }
    // A supervised child may still do its work while its supervisor drains.
    const isInside = supervisor instanceof LiveSupervisor && system === supervisor.actor.system
    const run = isInside
      ? supervisor.submitInside(definition, input, given)
      : supervisor.submit(definition, input, given)
    const report = async (): Promise<void> => {
      for await (const { percent, note } of run.progress()) emit({ type: 'task.progress', percent, note })
    }
    report().catch(() => {})
    return run.result
  })
}
