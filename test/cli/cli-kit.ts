/** The command line in this process with streams of the test, and as the program it is. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { CliIo, Output } from '../../src/runtime/cli/cli-io.ts'
import { runCli } from '../../src/runtime/cli/run-cli.ts'
import { gone, isAlive } from '../support/processes.ts'

const ENTRY = join(import.meta.dirname, '../../src/runtime/cli/cli-entry.ts')
export const TASKS = join(import.meta.dirname, '../fixtures/cli/tasks.ts')
export const NO_TASKS = join(import.meta.dirname, '../fixtures/cli/no-tasks.ts')

/** A stream that keeps what is written. */
export class Screen implements Output {
  text = ''
  readonly isTTY: boolean
  readonly columns = 80
  #grown: () => void = () => {}

  constructor(isTTY = false) {
    this.isTTY = isTTY
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1)
  }

  write(text: string): void {
    this.text += text
    this.#grown()
  }

  /** Resolves when it shows that. */
  async shows(part: string | RegExp): Promise<void> {
    while (typeof part === 'string' ? !this.text.includes(part) : !part.test(this.text)) {
      await new Promise<void>((resolve) => {
        this.#grown = resolve
      })
    }
  }
}

export interface CliRun {
  readonly out: Screen
  readonly err: Screen
  readonly code: Promise<number>
  interrupt(): void
}

/** Begins a command in this process. */
export function begin(
  args: readonly string[],
  { isTTY = false, stdin = '' }: { isTTY?: boolean; stdin?: string } = {},
): CliRun {
  const out = new Screen(isTTY)
  const err = new Screen(isTTY)
  const interruption = new AbortController()
  const io: CliIo = {
    stdin: (async function* () {
      yield stdin
    })(),
    stdout: out,
    stderr: err,
    interruptible: () => interruption.signal,
  }
  return { out, err, code: runCli(args, io), interrupt: () => interruption.abort() }
}

export interface Finished {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command in this process. */
export async function cli(
  args: readonly string[],
  options: Parameters<typeof begin>[1] = {},
): Promise<Finished> {
  const run = begin(args, options)
  const code = await run.code
  return { code, out: run.out.text, err: run.err.text }
}

/** Runs a command with `--json` that must succeed. @returns what it answers */
export async function answerOf(args: readonly string[]): Promise<unknown> {
  const { code, out, err } = await cli([...args, '--json'])
  if (code !== 0) throw new Error(`stateward ${args.join(' ')} ended with ${code}: ${err}`)
  return JSON.parse(out)
}

/** Runs the program. */
export function program(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [ENTRY, ...args],
      { env: { ...process.env, ...env } },
      (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })
}

/** Starts a daemon as its user does; it is killed with the test if it is still there. */
export async function startDaemon(
  url: string,
  ...more: readonly string[]
): Promise<{ pid: number; log: string }> {
  const { code, out, err } = await program(['daemon', 'start', '-q', url, '-t', TASKS, '--json', ...more])
  if (code !== 0) throw new Error(`The daemon did not start: ${err}`)
  const { pid, log } = JSON.parse(out) as { pid: number; log: string }
  onTestFinished(async () => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    await gone(pid)
  })
  return { pid, log }
}
