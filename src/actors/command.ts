/** Commands as every layer above the machines sees them: what a command definition carries besides its handler. */
import type { AnyDefinition } from './definition.ts'

/** Brand of command definitions; survives several copies of this package in one process. */
export const COMMAND: unique symbol = Symbol.for('stateward.command') as never

export type CommandStream = 'stdout' | 'stderr'

/** What to start. Everything about it has been checked. */
export interface CommandPlan {
  readonly file: string
  readonly args: readonly string[]
  /** `true`: the system's shell; a string: that shell. The file is its text then. */
  readonly shell: boolean | string
  readonly cwd: string | undefined
  /** On top of this process's own variables; `undefined` takes one away. */
  readonly env: Readonly<Record<string, string | undefined>> | undefined
  /** Written to its stdin, which is closed then. `undefined`: it has none. */
  readonly stdin: string | undefined
}

/** How a command ended. */
export interface CommandExit {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Output was left out: each stream keeps its end. */
  readonly truncated: boolean
  readonly durationMs: number
}

/** What makes a definition a command. No method but `onLine` may be called more than once per attempt. */
export interface CommandSpec {
  readonly maxOutputBytes: number
  /** Says what to start for this input. Throws what the user's functions throw, or what is wrong with it. */
  plan(input: unknown): CommandPlan
  /** Told of every line. What it throws fails nothing. */
  readonly onLine:
    | ((line: string, stream: CommandStream, progress: (percent: number, note?: string) => void) => void)
    | undefined
  /** The error of a command that ended badly. */
  failed(plan: CommandPlan, exit: CommandExit): Error
  /** The error of one that did not start. */
  notStarted(plan: CommandPlan, cause: unknown): Error
}

/** The command of a definition, if it is one. */
export function commandOf(definition: AnyDefinition | undefined): CommandSpec | undefined {
  return (definition as { [COMMAND]?: CommandSpec } | undefined)?.[COMMAND]
}
