/** `stateward status`: what is in the queue, and who works it off. */
import type { Command } from 'commander'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { toDaemonTable } from '../daemon-lines.ts'
import { marksOf } from '../daemon-marks.ts'
import { EXIT } from '../exit-codes.ts'
import { toFacts } from '../text-table.ts'

export function statusCommand(cli: Cli): Command {
  return queueCommand('status', 'show what is in the queue, and who works it off').action(
    onQueue<object, []>(cli, async ({ queue, answer }) => {
      const [status, daemons] = await Promise.all([queue.status(), marksOf(queue)])
      answer({ ...status, daemons }, () => [...toFacts(status.counts), '', ...toDaemonTable(daemons)])
      return EXIT.ok
    }),
  )
}
