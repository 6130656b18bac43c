/** The parent's end of a side of an engine (engine-process.ts). */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { OrderName, Orders, Setup } from './engine-process.ts'

const PROGRAM = new URL('./engine-process.ts', import.meta.url)
/** Longer than any order may take: a side that hangs must not hang the rest. */
const LONGEST_MS = 120_000

export class EngineSide {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Resolves when it is ready. */
  static async start(setup: Setup): Promise<EngineSide> {
    const side = new EngineSide(
      fork(PROGRAM, [JSON.stringify(setup)], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    )
    await side.#answer()
    return side
  }

  async ask<Answer = number, Name extends OrderName = OrderName>(
    name: Name,
    order: Orders[Name],
  ): Promise<Answer> {
    const answer = this.#answer()
    this.#child.send([name, order])
    return (await answer) as Answer
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.send(['close', {}])
    await exited
  }

  /** Ends it, whatever it does. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async #answer(): Promise<unknown> {
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(LONGEST_MS)])
    try {
      return await Promise.race([
        once(this.#child, 'message', { signal }).then(([message]) => message),
        once(this.#child, 'exit', { signal }).then(([code]) => {
          throw new Error(`A side of an engine has ended with ${code}.`)
        }),
      ])
    } finally {
      over.abort()
    }
  }
}
