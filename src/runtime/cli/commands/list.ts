/** `stateward list`: a page of stored tasks. */
import { type Command, Option } from 'commander'
import { toWholeNumber } from '../cli-values.ts'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { addFilterOptions, type FilterOptions, toFilter } from '../filter-options.ts'
import { toTaskTable } from '../task-lines.ts'

interface ListOptions extends FilterOptions {
  readonly limit: number
  readonly order: 'newest' | 'oldest'
  readonly after?: string
}

export function listCommand(cli: Cli): Command {
  return addFilterOptions(queueCommand('list', 'list stored tasks'))
    .option('-l, --limit <n>', 'at most so many, up to 1000', toWholeNumber, 100)
    .addOption(
      new Option('--order <order>', 'by the order of storing')
        .choices(['newest', 'oldest'])
        .default('newest'),
    )
    .option('--after <place>', 'the page that begins there, as the page before has said')
    .action(
      onQueue<ListOptions, []>(cli, async ({ queue, options, answer }) => {
        const { limit, order, after } = options
        const page = { limit, order, ...(after === undefined ? {} : { after }) }
        const found = await queue.list({ ...toFilter(options), ...page })
        answer(found, () => [
          ...toTaskTable(found.tasks),
          ...(found.next === undefined ? [] : [`More: --after ${found.next}`]),
        ])
        return EXIT.ok
      }),
    )
}
