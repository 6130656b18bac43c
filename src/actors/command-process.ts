/**
 * Starts commands, and signals them: a command and whatever it started are one process group.
 *
 * The owner of tinyexec, which finds and quotes commands as each platform wants it. Its way of collecting output and
 * of ending a process is not used: output has to be bounded here, and whole groups have to end.
 */
import type { ChildProcess } from 'node:child_process'
import type { TinyExec } from 'tinyexec'
import type { CommandPlan } from './command.ts'

/** Windows knows no process groups: there only the command itself is signalled. */
const HAS_GROUPS = process.platform !== 'win32'

export type StartCommand = (plan: CommandPlan) => ChildProcess

/** Loaded with the first command: a program without any does not pay for it, nor has its standard streams opened. */
export async function commandStarter(): Promise<StartCommand> {
  const { x } = await import('tinyexec')
  return (plan) => start(x, plan)
}

/** @throws if it is plain at once that it cannot start; else the process says so with `error` and has no pid. */
function start(x: TinyExec, plan: CommandPlan): ChildProcess {
  const { file, args, shell, cwd, env, stdin } = plan
  const { process: child } = x(file, args, {
    // The command sees the PATH of this process, not one with `node_modules/.bin` before it.
    nodePath: false,
    ...(stdin === undefined ? {} : { stdin }),
    nodeOptions: {
      shell,
      detached: HAS_GROUPS,
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
    },
  })
  if (child === undefined) throw new Error('The command was not started.')
  // It may end without reading its input.
  child.stdin?.on('error', () => {})
  return child
}

/** @returns false when nothing of the command is left */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(HAS_GROUPS ? -pid : pid, signal)
    return true
  } catch (error) {
    // One that changed its user may not be signalled, but is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
