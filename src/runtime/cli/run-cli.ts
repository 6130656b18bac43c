/** One run of the command line, from its arguments to its exit code. */
import { CommanderError } from 'commander'
import { tellError } from './cli-error.ts'
import type { CliIo } from './cli-io.ts'
import type { Cli } from './command-kit.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts'
import { makeProgram } from './program.ts'

/** @param args - without the program's own name. Never rejects */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const cli: Cli = { io, exitCode: EXIT.ok }
  try {
    await makeProgram(cli).parseAsync(args, { from: 'user' })
    return cli.exitCode
  } catch (error) {
    // Help and version have been printed.
    const isTold =
      error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')
    if (!isTold) tellError(io, error, args.includes('--json'))
    return exitCodeOf(error)
  }
}
