/** `stateward log`: what was done to a task, and by whom. */
import type { Command } from 'commander'
import { unknownTask } from '../../durable/queue-error.ts'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { toTime } from '../task-lines.ts'
import { toTable } from '../text-table.ts'

export function logCommand(cli: Cli): Command {
  return queueCommand('log', 'show what was done to a task, and by whom')
    .argument('<id>', 'id of the task')
    .action(
      onQueue<object, [string]>(cli, async ({ queue, answer }, id) => {
        const entries = await queue.log(id)
        if (entries.length === 0) throw unknownTask(id)
        answer(entries, () =>
          toTable(
            ['AT', 'ACT', 'BY', 'DETAIL'],
            entries.map(({ at, act, by, detail }) => [toTime(at), act, by, detail ?? '']),
          ),
        )
        return EXIT.ok
      }),
    )
}
