/** The command line: its commands, in the order of its help. */
import { createRequire } from 'node:module'
import { Command } from 'commander'
import type { Cli } from './command-kit.ts'
import { cancelCommand } from './commands/cancel.ts'
import { clearCommand } from './commands/clear.ts'
import { daemonCheckCommand } from './commands/daemon-check.ts'
import { daemonRestartCommand } from './commands/daemon-restart.ts'
import { daemonStartCommand } from './commands/daemon-start.ts'
import { daemonStatusCommand } from './commands/daemon-status.ts'
import { daemonStopCommand } from './commands/daemon-stop.ts'
import { deadCommand } from './commands/dead.ts'
import { doctorCommand } from './commands/doctor.ts'
import { enqueueCommand } from './commands/enqueue.ts'
import { inspectCommand } from './commands/inspect.ts'
import { listCommand } from './commands/list.ts'
import { logCommand } from './commands/log.ts'
import { machinesCommand } from './commands/machines.ts'
import { migrateCommand } from './commands/migrate.ts'
import { moveCommand } from './commands/move.ts'
import { removeCommand } from './commands/remove.ts'
import { retryCommand } from './commands/retry.ts'
import { runCommand } from './commands/run.ts'
import { scheduleCommand } from './commands/schedule.ts'
import { schedulesCommand } from './commands/schedules.ts'
import { showCommand } from './commands/show.ts'
import { statusCommand } from './commands/status.ts'
import { unscheduleCommand } from './commands/unschedule.ts'
import { watchCommand } from './commands/watch.ts'

const COMMANDS = [
  enqueueCommand,
  listCommand,
  showCommand,
  watchCommand,
  logCommand,
  cancelCommand,
  retryCommand,
  moveCommand,
  removeCommand,
  runCommand,
  scheduleCommand,
  unscheduleCommand,
  schedulesCommand,
  clearCommand,
  deadCommand,
  statusCommand,
  doctorCommand,
  inspectCommand,
  migrateCommand,
  machinesCommand,
]

const DAEMON_COMMANDS = [
  daemonStartCommand,
  daemonStopCommand,
  daemonRestartCommand,
  daemonStatusCommand,
  daemonCheckCommand,
]

/** Reads nothing and does nothing until it parses. What it would print as an error it throws. */
export function makeProgram(cli: Cli): Command {
  const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }
  const program = new Command('stateward')
    .description('Durable tasks: store them, run them, see what became of them.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void cli.io.stdout.write(text),
      writeErr: (text) => void cli.io.stderr.write(text),
      getOutHelpWidth: () => cli.io.stdout.columns ?? 80,
      getErrHelpWidth: () => cli.io.stderr.columns ?? 80,
      // The error is thrown as well, and told once.
      outputError: () => {},
    })
  const daemon = program.command('daemon').description('the process that runs stored tasks')
  for (const make of DAEMON_COMMANDS) add(daemon, make(cli))
  for (const make of COMMANDS) add(program, make(cli))
  return program
}

function add(parent: Command, command: Command): void {
  parent.addCommand(command.copyInheritedSettings(parent))
}
