/**
 * One attempt of a command: its process group and its output.
 *
 * - `waiting`: the caller has its handle; nothing has been started, the input may be being checked.
 * - `running`: its own process lives.
 * - `leaving`: that has ended; what it started may still write. Nobody has to wait for long: after `LINGER_MS` the rest
 *   of the group is killed. In the stop ladder the rest has the time that the ladder gives it.
 * - `settled`: nothing of its group is left, and the listener has been told.
 *
 * The operating system is authoritative for who lives. No signal is sent once it is settled: the number of the group
 * may be somebody else's by then.
 */
import type { ChildProcess } from 'node:child_process'
import type { AttemptHandle, AttemptLease, AttemptListener, Job, Settlement } from './attempt.ts'
import type { CommandExit, CommandPlan, CommandSpec, CommandStream } from './command.ts'
import { OutputLines, OutputTail } from './command-output.ts'
import { commandStarter, type StartCommand, signalGroup } from './command-process.ts'
import type { AnyDefinition } from './definition.ts'
import { checkInput, issuesToText } from './schema.ts'

/** How long what a command left behind may hold its output. */
const LINGER_MS = 250

/** Told of the processes of attempts. */
export interface CommandOwner {
  /** There will be one in this turn, if it can start. */
  onStarting(): void
  onStarted(pid: number): void
  /** It may go on for `ms` milliseconds from now. */
  onLeased(pid: number, ms: number): void
  /** Of one that has no process, too. */
  onSettled(attempt: CommandAttempt, pid: number | undefined): void
}

export class CommandAttempt implements AttemptHandle {
  readonly #spec: CommandSpec
  readonly #schema: AnyDefinition['schema']
  readonly #job: Job
  readonly #listener: AttemptListener
  readonly #owner: CommandOwner
  readonly #tails: Readonly<Record<CommandStream, OutputTail>>
  readonly #lines: OutputLines[] = []
  #phase: 'waiting' | 'running' | 'leaving' | 'settled' = 'waiting'
  /** The last step of the stop ladder that was asked for. */
  #step: 'none' | 'signal' | 'terminate' | 'kill' = 'none'
  #child: ChildProcess | undefined
  #startedMono = 0
  /** On the clock of `performance.now()`; `undefined`: it may go on as long as it likes. */
  #leaseEndMono: number | undefined
  #exit: Pick<CommandExit, 'exitCode' | 'signal' | 'durationMs'> | undefined
  /** Bounds the one wait for what a command left behind. */
  #timer: NodeJS.Timeout | undefined

  constructor(
    spec: CommandSpec,
    schema: AnyDefinition['schema'],
    job: Job,
    listener: AttemptListener,
    owner: CommandOwner,
  ) {
    this.#spec = spec
    this.#schema = schema
    this.#job = job
    this.#listener = listener
    this.#owner = owner
    if (job.lease !== undefined) this.#leaseEndMono = performance.now() + job.lease.ms
    this.#tails = {
      stdout: new OutputTail(spec.maxOutputBytes),
      stderr: new OutputTail(spec.maxOutputBytes),
    }
  }

  /** Checks the input and starts the command. Never throws. */
  async begin(): Promise<void> {
    let start: StartCommand
    try {
      start = await commandStarter()
    } catch (error) {
      return this.#settle({ type: 'crashed', error })
    }
    try {
      const checked = this.#schema === undefined ? undefined : await checkInput(this.#schema, this.#job.input)
      // It may have been stopped meanwhile.
      if (this.#phase !== 'waiting' || this.#step !== 'none') return
      if (checked === undefined) this.#start(start, this.#job.input)
      else if (checked.ok) this.#start(start, checked.value)
      else this.#settle({ type: 'invalidInput', error: new TypeError(issuesToText(checked.issues)) })
    } catch (error) {
      this.#settle({ type: 'invalidInput', error })
    }
  }

  signal(): void {
    this.#climb('signal', 'SIGTERM')
  }

  terminate(): void {
    this.#climb('terminate', 'SIGTERM')
  }

  kill(): void {
    this.#climb('kill', 'SIGKILL')
  }

  lease({ ms }: AttemptLease): void {
    this.#leaseEndMono = performance.now() + ms
    if (this.#phase !== 'settled') this.#sayLease()
  }

  /** Said of one that has been started: the others are told when they are. */
  #sayLease(): void {
    const pid = this.#child?.pid
    if (pid !== undefined && this.#leaseEndMono !== undefined)
      this.#owner.onLeased(pid, this.#leaseEndMono - performance.now())
  }

  #climb(step: 'signal' | 'terminate' | 'kill', signal: NodeJS.Signals): void {
    if (this.#phase === 'settled' || this.#step === step || this.#step === 'kill') return
    this.#step = step
    if (this.#phase === 'waiting') return this.#settleLater({ type: 'returned', value: undefined })
    clearTimeout(this.#timer)
    const { pid } = this.#child as ChildProcess
    if (pid !== undefined) signalGroup(pid, signal)
    if (this.#phase === 'leaving' && step === 'kill') this.#linger()
  }

  #start(startCommand: StartCommand, input: unknown): void {
    let plan: CommandPlan
    try {
      plan = this.#spec.plan(input)
    } catch (error) {
      return this.#settle({ type: 'threw', error })
    }
    this.#owner.onStarting()
    let child: ChildProcess
    try {
      child = startCommand(plan)
    } catch (error) {
      return this.#settle({ type: 'threw', error: this.#spec.notStarted(plan, error) })
    }
    this.#child = child
    this.#phase = 'running'
    this.#listen(child, plan)
    if (child.pid === undefined) return
    this.#startedMono = performance.now()
    this.#owner.onStarted(child.pid)
    this.#sayLease()
    this.#listener.started(Date.now())
  }

  #listen(child: ChildProcess, plan: CommandPlan): void {
    this.#read(child, 'stdout')
    this.#read(child, 'stderr')
    child.on('error', (error) => {
      // Also told of a signal that could not be sent; then it goes on.
      if (child.pid === undefined) this.#settle({ type: 'threw', error: this.#spec.notStarted(plan, error) })
    })
    child.on('exit', (exitCode, signal) => this.#exited(exitCode, signal))
    child.on('close', () => this.#closed(plan))
  }

  #read(child: ChildProcess, name: CommandStream): void {
    const stream = child[name]
    if (stream === null) return
    const tail = this.#tails[name]
    const lines =
      this.#spec.onLine === undefined ? undefined : new OutputLines((line) => this.#tell(line, name))
    if (lines !== undefined) this.#lines.push(lines)
    stream.on('data', (chunk: Buffer) => {
      tail.push(chunk)
      lines?.push(chunk)
    })
    stream.on('error', () => {})
  }

  #tell(line: string, stream: CommandStream): void {
    try {
      this.#spec.onLine?.(line, stream, (percent, note) => this.#listener.progress(percent, note))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#listener.log({ level: 50, msg: `onLine threw: ${why}` })
    }
  }

  #exited(exitCode: number | null, signal: NodeJS.Signals | null): void {
    if (this.#phase !== 'running') return
    this.#phase = 'leaving'
    this.#exit = { exitCode, signal, durationMs: Math.round(performance.now() - this.#startedMono) }
    if (this.#step === 'none' || this.#step === 'kill') this.#linger()
  }

  /** Waits a moment for the output to be closed; then what holds it is killed, and then it is given up. */
  #linger(): void {
    this.#timer = setTimeout(() => {
      this.#killRest()
      this.#timer = setTimeout(() => {
        // A process that left the group may hold the pipes for ever.
        this.#child?.stdout?.destroy()
        this.#child?.stderr?.destroy()
      }, LINGER_MS)
    }, LINGER_MS)
  }

  #closed(plan: CommandPlan): void {
    if (this.#phase !== 'leaving' || this.#exit === undefined) return
    this.#killRest()
    for (const lines of this.#lines) lines.end()
    const { stdout, stderr } = this.#tails
    const exit: CommandExit = {
      ...this.#exit,
      stdout: stdout.text,
      stderr: stderr.text,
      truncated: stdout.truncated || stderr.truncated,
    }
    this.#settle(
      exit.exitCode === 0
        ? { type: 'returned', value: exit }
        : { type: 'threw', error: this.#spec.failed(plan, exit) },
    )
  }

  #killRest(): void {
    if (this.#child?.pid !== undefined) signalGroup(this.#child.pid, 'SIGKILL')
  }

  /** Whoever takes a step is not told of its end inside of it. */
  #settleLater(settlement: Settlement): void {
    queueMicrotask(() => this.#settle(settlement))
  }

  #settle(settlement: Settlement): void {
    if (this.#phase === 'settled') return
    this.#phase = 'settled'
    clearTimeout(this.#timer)
    this.#owner.onSettled(this, this.#child?.pid)
    this.#listener.settled(settlement)
  }
}
