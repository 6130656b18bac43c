/** `stateward daemon restart`: stops a daemon if there is one, and starts one. */
import type { Command } from 'commander'
import { type Cli, onQueue, queueCommand, type Session } from '../command-kit.ts'
import { addStartOptions, checkStartOptions, type DaemonStartOptions } from '../daemon-options.ts'
import { loadTasks } from '../load-tasks.ts'
import { type StoppedDaemon, stopDaemons, toStopped, toStoppedLines } from '../stop-daemons.ts'
import { startDaemon } from './daemon-start.ts'

/** What became of those that were there goes with the first answer of the new one. */
function toldFirst<Options>(
  session: Session<Options>,
  name: string,
  daemons: readonly StoppedDaemon[],
): Session<Options> {
  let isTold = daemons.length === 0
  return {
    ...session,
    answer(value, lines) {
      if (isTold) return session.answer(value, lines)
      isTold = true
      const stopped = daemons.map(toStopped)
      session.answer({ ...(value as object), stopped }, () => [...toStoppedLines(name, daemons), ...lines()])
    },
  }
}

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
          const stopped = await stopDaemons(queue, { name, timeout, kill, message: 'restart' })
          return startDaemon(toldFirst(session, name, stopped))
        },
        'make',
      ),
    )
}
