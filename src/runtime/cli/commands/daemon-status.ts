/** `stateward daemon status`: the daemons of a queue. */
import type { Command } from 'commander'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { toDaemonTable } from '../daemon-lines.ts'
import { marksOf } from '../daemon-marks.ts'
import { EXIT } from '../exit-codes.ts'

export function daemonStatusCommand(cli: Cli): Command {
  return queueCommand('status', 'list the daemons of a queue')
    .option('--name <name>', 'only those with this name')
    .action(
      onQueue<{ readonly name?: string }, []>(cli, async ({ queue, options, answer }) => {
        const daemons = await marksOf(queue, options.name)
        answer(daemons, () => toDaemonTable(daemons))
        return EXIT.ok
      }),
    )
}
