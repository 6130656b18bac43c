/**
 * Runs commands: an executor like that of child processes, on the same slots, but every command is a process group of its
 * own and nothing is kept warm.
 */
import type { AttemptHandle, AttemptListener, Executor, Job } from './attempt.ts'
import { commandOf } from './command.ts'
import { CommandAttempt, type CommandOwner } from './command-attempt.ts'
import { CommandGuard } from './command-guard.ts'
import type { AnyDefinition } from './definition.ts'

export class CommandExecutor implements Executor, CommandOwner {
  /** The definition of a job: a supervisor knows one per name. */
  readonly #definitionOf: (name: string) => AnyDefinition | undefined
  readonly #live: Set<CommandAttempt> = new Set()
  readonly #guard: CommandGuard = new CommandGuard()
  #empty: PromiseWithResolvers<void> | undefined

  constructor(definitionOf: (name: string) => AnyDefinition | undefined) {
    this.#definitionOf = definitionOf
  }

  get live(): number {
    return this.#live.size
  }

  get idle(): number {
    return 0
  }

  start(job: Job, listener: AttemptListener): AttemptHandle {
    const definition = this.#definitionOf(job.name)
    const spec = commandOf(definition)
    if (spec === undefined) throw new Error(`Task "${job.name}" is no command.`)
    const attempt = new CommandAttempt(spec, definition?.schema, job, listener, this)
    this.#live.add(attempt)
    // Not inside of it: the caller has no handle yet, and what is asked first is the user's code.
    queueMicrotask(() => void attempt.begin())
    return attempt
  }

  resize(): void {}

  warm(): Promise<void> {
    return Promise.resolve()
  }

  /** Kills what is left. */
  async close(): Promise<void> {
    if (this.#live.size > 0) {
      this.#empty ??= Promise.withResolvers<void>()
      for (const attempt of [...this.#live]) attempt.kill()
      await this.#empty.promise
    }
    await this.#guard.close()
  }

  onStarting(): void {
    this.#guard.start()
  }

  onStarted(pid: number): void {
    this.#guard.watch(pid)
  }

  onLeased(pid: number, ms: number): void {
    this.#guard.lease(pid, ms)
  }

  onSettled(attempt: CommandAttempt, pid: number | undefined): void {
    if (pid !== undefined) this.#guard.forget(pid)
    this.#live.delete(attempt)
    if (this.#live.size > 0) return
    this.#empty?.resolve()
    this.#empty = undefined
  }
}
