/** Which tasks are served: those of a queue, or those of a supervisor. */
import { refuse } from '../check.ts'
import type { HttpHandlerOptions } from './http-options.ts'
import { queueService } from './queue-service.ts'
import { supervisorService } from './supervisor-service.ts'
import type { TaskService } from './task-service.ts'

/** @throws OptionError unless exactly one of the two is given, and is one */
export function serviceOf(where: string, { queue, supervisor, daemon }: HttpHandlerOptions): TaskService {
  if ((queue === undefined) === (supervisor === undefined))
    refuse(
      `the source of ${where}`,
      'either a queue or a supervisor',
      queue === undefined ? undefined : 'both',
    )
  return queue === undefined
    ? supervisorService(`${where}.supervisor`, supervisor)
    : queueService(`${where}.queue`, queue, daemon)
}
