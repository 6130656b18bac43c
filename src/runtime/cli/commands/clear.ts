/** `stateward clear`: forgets all tasks that match and do not run. */
import type { Command } from 'commander'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { addFilterOptions, type FilterOptions, toFilter } from '../filter-options.ts'

export function clearCommand(cli: Cli): Command {
  return addFilterOptions(
    queueCommand('clear', 'forget tasks that match; without --state those that wait'),
  ).action(
    onQueue<FilterOptions, []>(cli, async ({ queue, options, answer }) => {
      const removed = await queue.clear(toFilter(options))
      answer({ removed }, () => [`${removed} forgotten`])
      return EXIT.ok
    }),
  )
}
