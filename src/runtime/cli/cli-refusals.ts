/** Errors that several commands make. */
import { OptionError } from '../errors.ts'

export function unknownTask(id: string): OptionError {
  return new OptionError(
    `No task with the id "${id}" is in the queue. It may have been removed, or pruned by age.`,
    { code: 'ERR_RUN_UNKNOWN', runId: id },
  )
}
