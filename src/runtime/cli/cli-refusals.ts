/** Errors that several commands make. */
import type { StoredTask } from '../durable/stored-task.ts'
import { OptionError } from '../errors.ts'

/** It runs elsewhere, waits for others, or has ended. */
export function cannotRun({ id, state, holder }: StoredTask): OptionError {
  const hint = {
    running: ` It is held by ${holder}.`,
    finished: '',
    failed: ' Retry it first.',
    cancelled: ' Retry it first.',
    terminated: ' Retry it first.',
  } as Readonly<Record<string, string>>
  return new OptionError(`Expected task "${id}" to wait, it is ${state}.${hint[state] ?? ''}`, {
    code: 'ERR_RUN_STATE',
    runId: id,
  })
}

export function unknownSchedule(name: string): OptionError {
  return new OptionError(
    `No schedule called "${name}" is in the queue. \`stateward schedules\` lists them.`,
    {
      code: 'ERR_SCHEDULE_UNKNOWN',
    },
  )
}
