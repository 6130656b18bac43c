/** `stateward doctor`: checks the database, and whether somebody works off what waits. */
import type { Command } from 'commander'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { toFacts } from '../text-table.ts'

export function doctorCommand(cli: Cli): Command {
  return queueCommand('doctor', 'check the database, and whether what waits is worked off').action(
    onQueue<object, []>(cli, async ({ queue, answer }) => {
      const found = await queue.doctor()
      answer(found, () => [
        ...toFacts(found.facts),
        ...(found.ok ? ['No problem found.'] : found.problems.map((problem) => `Problem: ${problem}`)),
      ])
      return found.ok ? EXIT.ok : EXIT.failed
    }),
  )
}
