/** `stateward cancel`: ends tasks, at once if they wait. */
import type { Command } from 'commander'
import { type Cli, forEachId, onQueue, queueCommand } from '../command-kit.ts'

export function cancelCommand(cli: Cli): Command {
  return queueCommand('cancel', 'end tasks that wait or run')
    .argument('<id...>', 'ids of the tasks')
    .option('-r, --reason <text>', 'why, for the log')
    .action(
      onQueue<{ readonly reason?: string }, [readonly string[]]>(cli, (session, ids) =>
        forEachId(
          session,
          ids,
          (id) => session.queue.cancel(id, session.options.reason),
          (id, how) =>
            how === 'cancelled' ? `${id} is cancelled` : `${id} runs: its daemon is asked to end it`,
        ),
      ),
    )
}
