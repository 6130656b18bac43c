/** `stateward dead`: tasks that nobody tries again but a person. */
import type { Command } from 'commander'
import { refuse } from '../../check.ts'
import { DEAD_STATES } from '../../durable/task-query.ts'
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
        checkDead(options.state ?? [])
        const filter = { state: DEAD_STATES, ...toFilter(options) }
        const found = await queue.list({ ...filter, limit, ...(after === undefined ? {} : { after }) })
        answer(found, () => [
          ...toTaskTable(found.tasks),
          ...(found.next === undefined ? [] : [`More: --after ${found.next}`]),
        ])
        return EXIT.ok
      }),
    )
}

/** @throws OptionError for states in which no task is dead */
function checkDead(states: readonly string[]): void {
  const other = states.find((state) => !(DEAD_STATES as readonly string[]).includes(state))
  if (other !== undefined)
    refuse('--state', `of ${DEAD_STATES.join(', ')}`, other, '`stateward list` shows the others.')
}
