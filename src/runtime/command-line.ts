/** From the options of a command and an input to what is started: everything users bring is checked here. */
import { fileURLToPath } from 'node:url'
import type { CommandPlan } from '../actors/command.ts'
import { refuse } from './check.ts'

/** A command as text, for a shell, or as a file and its arguments, which no shell sees. */
export type CommandLine = string | readonly [file: string, ...args: string[]]

/** How the fields of an input become arguments: `--key value` or `-k value`. */
export type ArgumentForm = 'long' | 'short'

/** What of the options of a command says what is started. */
export interface CommandLineOptions<Input = unknown> {
  /**
   * Text runs in a shell; `[file, ...arguments]` runs without one. A function makes either from the input.
   * Put no input into text unless you quote it for the shell.
   */
  readonly command: CommandLine | ((input: Input) => CommandLine)
  /**
   * Arguments after those of `command`: `'long'` makes `--key value` of every field of the input, `'short'` makes
   * `-key value`. `true` is the key alone, `false`, `null` and `undefined` are left out, an array repeats the key. A
   * function returns the arguments themselves. After text they are quoted.
   *
   * @defaultValue none
   */
  readonly args?: ArgumentForm | ((input: Input) => readonly string[])
  /** @defaultValue that of this process */
  readonly cwd?: string | URL | ((input: Input) => string | URL)
  /** Environment variables on top of this process's own; `undefined` takes one away. @defaultValue none */
  readonly env?: CommandEnv | ((input: Input) => CommandEnv)
  /** The shell of a text. @defaultValue the system's */
  readonly shell?: true | string
  /** Written to its stdin. @defaultValue none: its stdin is closed */
  readonly stdin?: string | ((input: Input) => string)
}

/** Environment variables. */
export type CommandEnv = Readonly<Record<string, string | undefined>>

/** @throws OptionError (`ERR_OPTION_INVALID`) when what a function made will not do; or what it throws */
export function planCommand(name: string, options: CommandLineOptions, input: unknown): CommandPlan {
  const line = resolve(options.command, input)
  checkCommandLine(`the command of "${name}"`, line, options.shell)
  const args = argumentsOf(name, options.args, input)
  const cwd = resolve(options.cwd, input)
  if (cwd !== undefined) checkFolder(`cwd of "${name}"`, cwd)
  const env = resolve(options.env, input)
  if (env !== undefined) checkEnv(`env of "${name}"`, env)
  const stdin = resolve(options.stdin, input)
  if (stdin !== undefined && typeof stdin !== 'string') refuse(`stdin of "${name}"`, 'a string', stdin)
  const common = { cwd: cwd instanceof URL ? fileURLToPath(cwd) : cwd, env, stdin }
  if (typeof line === 'string') {
    const text = [line, ...args.map(quote)].join(' ')
    return { file: text, args: [], shell: options.shell ?? true, ...common }
  }
  const [file, ...own] = line
  return { file, args: [...own, ...args], shell: false, ...common }
}

/** The command as people would type it. */
export function commandText({ file, args }: CommandPlan): string {
  return [file, ...args.map((one) => (/^[\w@%+=:,./-]+$/.test(one) ? one : quote(one)))].join(' ')
}

export function checkCommandLine(where: string, line: unknown, shell: unknown): asserts line is CommandLine {
  if (typeof line === 'string' && line.trim() !== '') return
  if (
    !Array.isArray(line) ||
    line.length === 0 ||
    line.some((one) => typeof one !== 'string') ||
    line[0] === ''
  ) {
    refuse(where, 'text that is not empty, or an array of a file and its arguments', line)
  }
  if (shell !== undefined) refuse(where, 'text, as it has a shell', line, 'Leave `shell` away for an array.')
}

export function checkFolder(where: string, cwd: unknown): void {
  if ((typeof cwd === 'string' && cwd !== '') || (cwd instanceof URL && cwd.protocol === 'file:')) return
  refuse(where, 'a folder (a path or a file: URL)', cwd)
}

export function checkEnv(where: string, env: unknown): void {
  const isText = (one: unknown): boolean => one === undefined || typeof one === 'string'
  if (typeof env === 'object' && env !== null && Object.values(env).every(isText)) return
  refuse(where, 'an object of strings', env)
}

function resolve<Value>(
  given: Value | ((input: unknown) => Value) | undefined,
  input: unknown,
): Value | undefined {
  return typeof given === 'function' ? (given as (input: unknown) => Value)(input) : given
}

function argumentsOf(name: string, args: CommandLineOptions['args'], input: unknown): readonly string[] {
  if (args === undefined) return []
  if (typeof args === 'function') {
    const made = args(input)
    if (Array.isArray(made) && made.every((one) => typeof one === 'string')) return made
    return refuse(`what args(input) of "${name}" returns`, 'an array of strings', made)
  }
  if (input === undefined || input === null) return []
  if (typeof input !== 'object' || Array.isArray(input)) {
    refuse(`the input of "${name}"`, 'an object, whose fields become arguments', input)
  }
  const dash = args === 'long' ? '--' : '-'
  return Object.entries(input).flatMap(([key, value]) => argumentOf(name, key, `${dash}${key}`, value))
}

function argumentOf(name: string, key: string, flag: string, value: unknown): string[] {
  if (value === undefined || value === null || value === false) return []
  if (value === true) return [flag]
  if (Array.isArray(value)) return value.flatMap((one) => argumentOf(name, key, flag, one))
  if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol') {
    refuse(`${key} of the input of "${name}"`, 'text, a number, true, false or an array of those', value)
  }
  return [flag, String(value)]
}

/** For a POSIX shell; cmd.exe knows double quotes only. */
function quote(text: string): string {
  return process.platform === 'win32'
    ? `"${text.replaceAll('"', '""')}"`
    : `'${text.replaceAll("'", "'\\''")}'`
}
