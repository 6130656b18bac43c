/** `stateward daemon start`: starts a daemon, in a process of its own unless it is to stay in this one. */
import type { Command } from 'commander'
import { type Cli, onQueue, queueCommand, type Session } from '../command-kit.ts'
import { detachDaemon } from '../daemon-detached.ts'
import { daemonRuns } from '../daemon-errors.ts'
import { runDaemon } from '../daemon-foreground.ts'
import { marksOf, removeDead } from '../daemon-marks.ts'
import { addStartOptions, checkStartOptions, type DaemonStartOptions } from '../daemon-options.ts'
import type { ExitCode } from '../exit-codes.ts'

export function daemonStartCommand(cli: Cli): Command {
  return addStartOptions(queueCommand('start', 'start a daemon')).action(
    onQueue<DaemonStartOptions, []>(cli, startDaemon, 'make'),
  )
}

/** @throws QueueError (`ERR_DAEMON_RUNNING`, `ERR_DAEMON_NOT_STARTED`) */
export async function startDaemon(session: Session<DaemonStartOptions>): Promise<ExitCode> {
  const { queue, options } = session
  checkStartOptions(options)
  const { name, force = false, foreground = false } = options
  const marks = await marksOf(queue, name)
  await removeDead(queue, marks)
  const running = marks.find(({ mark }) => mark !== 'dead')
  if (running !== undefined && !force) throw daemonRuns(running)
  return foreground ? runDaemon(session) : detachDaemon(session)
}
