/** `stateward daemon restart`: stops a daemon if there is one, and starts one. */
import type { Command } from 'commander'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { addStartOptions, checkStartOptions, type DaemonStartOptions } from '../daemon-options.ts'
import { loadTasks } from '../load-tasks.ts'
import { stopDaemons } from '../stop-daemons.ts'
import { startDaemon } from './daemon-start.ts'

export function daemonRestartCommand(cli: Cli): Command {
  return addStartOptions(queueCommand('restart', 'stop a daemon if it runs, and start it'))
    .option('--kill', 'kill the old one when it took longer than --timeout')
    .action(
      onQueue<DaemonStartOptions & { readonly kill?: boolean }, []>(
        cli,
        async (session) => {
          const { queue, options } = session
          checkStartOptions(options)
          // One that cannot start must not cost the one that runs.
          await loadTasks(options.tasks)
          const { name, timeout, kill = false } = options
          await stopDaemons(queue, { name, timeout, kill, message: 'restart' })
          return startDaemon(session)
        },
        'make',
      ),
    )
}
