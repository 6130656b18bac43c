/** `stateward dead`: tasks that nobody tries again but a person. */
import type { Command } from 'commander'
import { toWholeNumber } from '../cli-values.ts'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { addFilterOptions, type FilterOptions, toFilter } from '../filter-options.ts'
import { toTaskTable } from '../task-lines.ts'

interface DeadOptions extends FilterOptions {
  readonly limit: number
  readonly after?: string
}

export function deadCommand(cli: Cli): Command {
  return addFilterOptions(queueCommand('dead', 'list tasks that failed or were terminated'))
    .option('-l, --limit <n>', 'at most so many, up to 1000', toWholeNumber, 100)
    .option('--after <place>', 'the page that begins there, as the page before has said')
    .action(
      onQueue<DeadOptions, []>(cli, async ({ queue, options, answer }) => {
        const { limit, after } = options
        const filter = { state: ['failed', 'terminated'] as const, ...toFilter(options) }
        const found = await queue.list({ ...filter, limit, ...(after === undefined ? {} : { after }) })
        answer(found, () => [
          ...toTaskTable(found.tasks),
          ...(found.next === undefined ? [] : [`More: --after ${found.next}`]),
        ])
        return EXIT.ok
      }),
    )
}
