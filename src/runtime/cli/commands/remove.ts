/** `stateward remove`: forgets tasks that do not run. */
import type { Command } from 'commander'
import { type Cli, forEachId, onQueue, queueCommand } from '../command-kit.ts'

export function removeCommand(cli: Cli): Command {
  return queueCommand('remove', 'forget tasks that do not run, and their logs')
    .argument('<id...>', 'ids of the tasks')
    .action(
      onQueue<object, [readonly string[]]>(cli, (session, ids) =>
        forEachId(
          session,
          ids,
          (id) => session.queue.remove(id),
          (id) => `${id} is forgotten`,
        ),
      ),
    )
}
