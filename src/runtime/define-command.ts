/** Commands as tasks: programs and shell texts, with the same options, events, retries and stop ladder. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { COMMAND, type CommandExit, type CommandPlan, type CommandSpec } from '../actors/command.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import {
  type CommandLineOptions,
  checkCommandLine,
  checkEnv,
  checkFolder,
  commandText,
  planCommand,
} from './command-line.ts'
import { makeDefinition, type TaskDefinition, type TaskOptions, taskChecks } from './define-task.ts'
import { CommandError } from './errors.ts'

/** What a command that ended with exit code 0 gives. */
export interface CommandResult {
  readonly exitCode: number
  /** What it wrote, as UTF-8. */
  readonly stdout: string
  readonly stderr: string
  /** `null`: no signal ended it. */
  readonly signal: NodeJS.Signals | null
  /** Whether more was written than is kept: each stream keeps its end. */
  readonly truncated: boolean
  readonly durationMs: number
}

/** Options of {@link defineCommand}: those of a task but its place, and what is started. */
export interface CommandOptions<Input = void>
  extends Omit<TaskOptions<Input>, 'execution' | 'loop'>,
    CommandLineOptions<Input> {
  /** How many bytes of each of stdout and stderr are kept; the last ones are. @defaultValue 1048576 */
  readonly maxOutputBytes?: number
  /**
   * Told of every line while the command runs; `progress` is that of the run. What it throws goes to the log. A line of
   * more than 65,536 characters is told in parts of that length.
   *
   * @defaultValue none
   */
  readonly onLine?: (
    line: string,
    stream: 'stdout' | 'stderr',
    progress: (percent: number, note?: string) => void,
  ) => void
  /** Checks the input, as for a task. */
  readonly schema?: StandardSchemaV1<Input, Input>
}

const { execution: _, loop: __, ...checksOfTask } = taskChecks

const commandChecks: Checks = {
  ...checksOfTask,
  command: (where, value) => {
    if (typeof value !== 'function') checkCommandLine(where, value, undefined)
  },
  args: check.either("'long', 'short' or a function", check.oneOf('long', 'short'), check.fn),
  cwd: check.either('a folder or a function', checkFolder, check.fn),
  env: check.either('an object of strings or a function', check.fn, checkEnv),
  shell: (where, value) => {
    if (value !== true && (typeof value !== 'string' || value === '')) {
      refuse(
        where,
        'true or the path of a shell',
        value,
        'An array of a file and its arguments has no shell.',
      )
    }
  },
  stdin: (where, value) => {
    if (typeof value !== 'string' && typeof value !== 'function')
      refuse(where, 'a string or a function', value)
  },
  maxOutputBytes: check.count(0),
  onLine: check.fn,
}

/**
 * Defines a task that runs a command, in a process of its own that takes a slot of `processes`.
 *
 * It is finished when the command ends with exit code 0; any other end fails the run with a {@link CommandError} as the
 * cause. A stop signals the command and all it started (SIGTERM), and kills them (SIGKILL) when the grace is over. What it
 * left behind in its process group is killed when it ends. It needs no `module`, unless a handler in a thread, in a process or
 * on a loop submits it.
 *
 * @throws OptionError (`ERR_OPTION_INVALID`, `ERR_OPTION_UNKNOWN`) for a bad option
 */
export function defineCommand<Input = void>(
  options: CommandOptions<Input>,
): TaskDefinition<Input, CommandResult> {
  checkOptions('defineCommand()', options, commandChecks)
  check.text('defineCommand().name', options.name)
  const { command, args, cwd, env, shell, stdin, maxOutputBytes, onLine, ...task } = options
  if (typeof command !== 'function') checkCommandLine('defineCommand().command', command, shell)
  const name = `${options.group?.prefix ?? ''}${options.name}`
  const spec: CommandSpec = {
    maxOutputBytes: maxOutputBytes ?? 1_048_576,
    plan: (input) => planCommand(name, options as CommandLineOptions, input),
    onLine,
    failed,
    notStarted,
  }
  return makeDefinition({ ...task, execution: 'process' as const }, neverCalled, { [COMMAND]: spec })
}

function neverCalled(): never {
  throw new TypeError('A command has no handler: submit it to a supervisor.')
}

function failed(plan: CommandPlan, exit: CommandExit): CommandError {
  const { exitCode, signal, stderr } = exit
  const command = commandText(plan)
  const how = signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`
  const last = stderr.trimEnd().split('\n').at(-1)?.trim().slice(0, 200)
  const why = last === undefined || last === '' ? '' : `: ${last}`
  return new CommandError(`Command \`${shorten(command)}\` ${how}${why}`, {
    code: 'ERR_COMMAND_FAILED',
    command,
    exitCode,
    signal,
    stderr,
  })
}

function notStarted(plan: CommandPlan, cause: unknown): CommandError {
  const command = commandText(plan)
  const why = cause instanceof Error ? cause.message : String(cause)
  const where = plan.cwd === undefined ? '' : ` in ${plan.cwd}`
  return new CommandError(`Command \`${shorten(command)}\` could not start${where}: ${why}`, {
    code: 'ERR_COMMAND_NOT_STARTED',
    cause,
    command,
    exitCode: null,
    signal: null,
    stderr: '',
  })
}

function shorten(command: string): string {
  return command.length > 200 ? `${command.slice(0, 200)}…` : command
}
