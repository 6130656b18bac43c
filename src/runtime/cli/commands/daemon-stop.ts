/** `stateward daemon stop`: stops a daemon and confirms it. */
import type { Command } from 'commander'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { timeoutOption } from '../daemon-options.ts'
import { EXIT } from '../exit-codes.ts'
import { type StopDaemonsOptions, stopDaemons, toStopped, toStoppedLines } from '../stop-daemons.ts'

export function daemonStopCommand(cli: Cli): Command {
  return queueCommand('stop', 'stop a daemon, and wait until it is gone')
    .option('--name <name>', 'its name', 'default')
    .addOption(timeoutOption())
    .option('--kill', 'kill it when it took longer')
    .option('--forget', 'take marks of other machines away that give no sign of life')
    .option('-m, --message <text>', 'why, for its log')
    .action(
      onQueue<StopDaemonsOptions, []>(cli, async ({ queue, options, answer }) => {
        const stopped = await stopDaemons(queue, options)
        answer({ stopped: stopped.map(toStopped) }, () =>
          stopped.length === 0
            ? [`No daemon ${options.name} was running.`]
            : toStoppedLines(options.name, stopped),
        )
        return EXIT.ok
      }),
    )
}
