/** `stateward retry`: runs tasks once more that did not finish. */
import type { Command } from 'commander'
import { OptionError } from '../../errors.ts'
import { toInstantMs } from '../cli-values.ts'
import { type Cli, forEachId, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { addFilterOptions, type FilterOptions, toFilter } from '../filter-options.ts'

interface RetryOptions extends FilterOptions {
  readonly all?: boolean
  readonly at?: number
}

export function retryCommand(cli: Cli): Command {
  return addFilterOptions(queueCommand('retry', 'run tasks once more that did not finish'))
    .argument('[id...]', 'ids of the tasks')
    .option('-a, --all', 'all that failed or were terminated and match the options')
    .option('--at <when>', 'run them from then on', toInstantMs)
    .action(
      onQueue<RetryOptions, [readonly string[]]>(cli, async (session, ids) => {
        const { queue, options, answer } = session
        const { all = false, at } = options
        if (all === ids.length > 0) {
          throw new OptionError('Expected retry to be given ids, or --all, and not both.', {
            code: 'ERR_OPTION_INVALID',
          })
        }
        if (!all) {
          const when = at === undefined ? {} : { runAt: at }
          return forEachId(
            session,
            ids,
            (id) => queue.retry(id, when),
            (id) => `${id} will run again`,
          )
        }
        const retried = await queue.retryMany(toFilter(options))
        answer({ retried }, () => [`${retried} will run again`])
        return EXIT.ok
      }),
    )
}
