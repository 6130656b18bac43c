/** `stateward inspect`: the inspector's page over a queue, until Ctrl-C. */
import type { Command } from 'commander'
import { serveQueueInspector } from '../../inspector/serve-queue.ts'
import { toPort } from '../cli-values.ts'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { checkHost, ownToken, toInspectorLine } from '../inspector-lines.ts'

interface InspectOptions {
  readonly port?: number
  readonly host?: string
}

export function inspectCommand(cli: Cli): Command {
  return queueCommand('inspect', 'show tasks, schedules and daemons in a browser, until Ctrl-C')
    .option('--port <port>', 'where to listen; any free one if not given', toPort)
    .option(
      '--host <address>',
      'on which address; on any but this machine with STATEWARD_INSPECT_TOKEN alone',
    )
    .action(
      onQueue<InspectOptions, []>(cli, async ({ queue, io, options, answer }) => {
        const { port, host } = options
        checkHost(host)
        await using inspector = await serveQueueInspector(queue, {
          ...(port === undefined ? {} : { port }),
          ...(host === undefined ? {} : { host }),
          ...ownToken(),
        })
        const signal = io.interruptible()
        const { address, url, token } = inspector
        const own = ownToken().token === undefined ? { url, token } : {}
        answer({ event: 'inspecting', address, ...own }, () => [toInspectorLine(inspector)])
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve()
          else signal.addEventListener('abort', () => resolve(), { once: true })
        })
        return EXIT.ok
      }),
    )
}
