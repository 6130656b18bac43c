/** `stateward show`: all that is known of a task. */
import type { Command } from 'commander'
import { unknownTask } from '../../durable/queue-error.ts'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { toTaskFacts } from '../task-lines.ts'

export function showCommand(cli: Cli): Command {
  return queueCommand('show', 'show a task')
    .argument('<id>', 'id of the task')
    .action(
      onQueue<object, [string]>(cli, async ({ queue, answer }, id) => {
        const task = await queue.get(id)
        if (task === undefined) throw unknownTask(id)
        answer(task, () => toTaskFacts(task))
        return EXIT.ok
      }),
    )
}
