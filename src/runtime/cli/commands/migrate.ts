/** `stateward migrate`: brings the tables to the version of this package, or makes them. */
import type { Command } from 'commander'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'

export function migrateCommand(cli: Cli): Command {
  return queueCommand('migrate', 'make the tables, or bring them to the newest version').action(
    onQueue<object, []>(
      cli,
      async ({ queue, answer }) => {
        // Opening it has done the work, see onQueue; this tells the version.
        const { to } = await queue.migrate()
        answer({ version: to }, () => [`The tables have version ${to}.`])
        return EXIT.ok
      },
      'make',
    ),
  )
}
