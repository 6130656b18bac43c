/** Options with which `daemon start` and `daemon restart` start one. */
import { type Command, Option } from 'commander'
import { OptionError } from '../errors.ts'
import { toDurationMs, toWholeNumber } from './cli-values.ts'

export interface DaemonStartOptions {
  readonly name: string
  readonly tasks: readonly string[]
  readonly foreground?: boolean
  readonly force?: boolean
  readonly log?: string
  readonly lease?: number
  readonly unknownTasks?: 'fail' | 'leave'
  readonly poolSize?: number
  readonly processes?: number
  /** For it to be up, or to be gone. */
  readonly timeout: number
}

/** Longer than a stop takes by its default bound. */
export function timeoutOption(): Option {
  return new Option('--timeout <duration>', 'how long it may take')
    .argParser(toDurationMs)
    .default(40_000, '40s')
}

export function addStartOptions(command: Command): Command {
  return command
    .requiredOption('-t, --tasks <file...>', 'modules with the definitions that it runs')
    .option('--name <name>', 'its name, one at a time', 'default')
    .option('-f, --foreground', 'stay in this process, until Ctrl-C')
    .option('--force', 'also when one with this name runs')
    .option('--log <file>', 'where it writes; beside the database if not given')
    .option('--lease <duration>', 'how long a task is its own without a word of it', toDurationMs)
    .addOption(
      new Option('--unknown-tasks <how>', 'stored tasks that it does not know').choices(['fail', 'leave']),
    )
    .option('--pool-size <n>', 'tasks at a time, 0 for no bound', toWholeNumber)
    .option('--processes <n>', 'child processes at a time', toWholeNumber)
    .addOption(timeoutOption())
}

/** What a daemon in a process of its own is started with; the URL goes by its environment, where `ps` does not show it. */
export function toStartArguments(options: DaemonStartOptions): string[] {
  const { name, tasks, force = false, lease, unknownTasks, poolSize, processes } = options
  const args = ['daemon', 'start', '--foreground', '--name', name]
  if (force) args.push('--force')
  if (lease !== undefined) args.push('--lease', String(lease))
  if (unknownTasks !== undefined) args.push('--unknown-tasks', unknownTasks)
  if (poolSize !== undefined) args.push('--pool-size', String(poolSize))
  if (processes !== undefined) args.push('--processes', String(processes))
  return [...args, '--tasks', ...tasks]
}

/** @throws OptionError before anything is loaded or started */
export function checkStartOptions({ foreground = false, log }: DaemonStartOptions): void {
  if (foreground && log !== undefined) {
    throw new OptionError(
      'Expected --log or --foreground, not both: a daemon in the foreground writes to its stderr.',
      {
        code: 'ERR_OPTION_INVALID',
      },
    )
  }
}
