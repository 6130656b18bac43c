/**
 * One child process: its machine, its link, and the job in it.
 *
 * The link is Node's IPC channel. A second pipe (`stdio[4]`) leads to the watchdog in the child: it carries how long the
 * job may run, if that is bounded from here, and when this process dies the watchdog sees its end close. The watchdog says on
 * it that it kills, which is read before the exit is seen: the operating system tells of ended children last.
 */
import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import { compile } from '../machines/compile.ts'
import { type ProcessSlotEvent, processSlotMachine } from '../machines/process-slot.ts'
import type { ProcessAttempt } from './process-attempt.ts'
import { entryFile } from './remote/entry-file.ts'
import { leaseOverError } from './remote/lease-over.ts'
import { SlotDriver } from './remote/slot-driver.ts'
import type { Slot, SlotOwner } from './remote/slot-executor.ts'
import type { ProcessCommand, ProcessMessage } from './remote/wire.ts'

const logic = compile(processSlotMachine)

/** How long an idle process may take to exit by itself. */
const EXIT_MS = 500
/** How long after an exit its last messages may take; the link normally closes at once. */
const DRAIN_MS = 1000

let lastId = 0

export interface ProcessSlotOwner extends SlotOwner<ProcessSlot> {
  onMessage(slot: ProcessSlot, message: ProcessMessage): void
}

export class ProcessSlot implements Slot<ProcessAttempt> {
  readonly id: number
  readonly loaded = new Set<number>()
  attempt: ProcessAttempt | undefined
  idleSince: number | undefined
  readonly #child: ChildProcess
  readonly #driver: SlotDriver<typeof processSlotMachine>
  /** Bounds the one wait that is under way: for an exit, or for the last messages after one. */
  #timer: NodeJS.Timeout | undefined
  #isLeased = false
  /** What ended it, as far as is known. */
  #error: unknown
  #exit: { readonly exitCode: number | null; readonly signal: string | null } | undefined

  /** @throws if the operating system refuses another process. */
  constructor(owner: ProcessSlotOwner, execArgv: readonly string[] | undefined) {
    lastId += 1
    this.id = lastId
    this.#driver = new SlotDriver(logic, this.#effects(owner))
    this.#child = fork(entryFile('process-entry'), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
      windowsHide: true,
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    })
    this.#listen(owner)
  }

  get state(): string {
    return this.#driver.state
  }

  send(event: ProcessSlotEvent): void {
    this.#driver.send(event)
  }

  /** Throws if the message cannot be cloned. A link that is closed already tells of itself. */
  post(message: ProcessCommand): void {
    this.#child.send(message, () => {})
  }

  /** Its watchdog kills it in `ms` milliseconds, unless this is called again or its job ends. */
  lease(ms: number): void {
    this.#isLeased = true
    // An instant, since nobody knows when the line is read.
    lifelineOf(this.#child)?.write(`${process.hrtime.bigint() + BigInt(Math.floor(ms * 1e6))}\n`)
  }

  #effects(owner: ProcessSlotOwner): ConstructorParameters<typeof SlotDriver>[1] {
    return {
      noteIdle: () => {
        if (this.#isLeased) lifelineOf(this.#child)?.write('0\n')
        this.#isLeased = false
        this.idleSince = performance.now()
        this.#unref()
        owner.onIdle(this)
      },
      noteTaken: () => {
        this.#ref()
        owner.onTaken(this)
      },
      noteGone: () => {
        clearTimeout(this.#timer)
        owner.onGone(this)
      },
      askToExit: () => {
        this.post({ type: 'exit' })
        this.#timer = setTimeout(() => this.send({ type: 'slot.kill' }), EXIT_MS)
      },
      sendSigterm: () => this.#child.kill('SIGTERM'),
      sendSigkill: () => this.#child.kill('SIGKILL'),
      reportCrash: () => this.#reportCrash(),
      reportStartFailure: () => owner.onStartFailure(this.#exitError('START_FAILED', 'could not start')),
    }
  }

  #listen(owner: ProcessSlotOwner): void {
    const child = this.#child
    const lifeline = child.stdio[4]
    if (lifeline !== null && lifeline !== undefined && 'unref' in lifeline)
      (lifeline as { unref(): void }).unref()
    lifeline?.on('error', () => {})
    // Its watchdog has but one thing to say.
    lifeline?.on('data', () => this.noteError(leaseOverError()))
    child.on('message', (message) => owner.onMessage(this, message as unknown as ProcessMessage))
    child.on('disconnect', () => this.send({ type: 'link.closed' }))
    child.on('error', (error) => {
      this.noteError(error)
      // Without a pid there was no start, and no exit will be seen.
      if (child.pid === undefined) this.#exited(null, null)
    })
    child.on('exit', (exitCode, signal) => this.#exited(exitCode, signal))
  }

  /** Notes what is about to end it, for the error of its exit. */
  noteError(error: unknown): void {
    this.#error ??= error
  }

  #exited(exitCode: number | null, signal: string | null): void {
    if (this.#exit !== undefined) return
    this.#exit = { exitCode, signal }
    clearTimeout(this.#timer)
    lifelineOf(this.#child)?.destroy()
    this.send({ type: 'process.exited' })
    // A link that closed before the exit is not told again by itself.
    if (!this.#child.connected) this.send({ type: 'link.closed' })
    else if (this.state === 'draining') {
      this.#timer = setTimeout(() => this.send({ type: 'link.closed' }), DRAIN_MS)
    }
  }

  #ref(): void {
    this.#child.ref()
    this.#child.channel?.ref()
  }

  /** An idle process does not keep this one alive. */
  #unref(): void {
    this.#child.unref()
    this.#child.channel?.unref()
  }

  #reportCrash(): void {
    const { attempt } = this
    this.attempt = undefined
    attempt?.settle({
      type: 'crashed',
      error: this.#exitError('EXITED', `ended under task "${attempt.job.name}"`),
    })
  }

  #exitError(code: 'START_FAILED' | 'EXITED', what: string): Error {
    const { exitCode = null, signal = null } = this.#exit ?? {}
    const how = signal === null ? `it exited with code ${exitCode}` : `it was ended by ${signal}`
    const cause = this.#error
    const why = cause instanceof Error ? `${how}: ${cause.message}` : how
    const error = new Error(`Process ${this.#child.pid ?? '(none)'} ${what}: ${why}`, { cause })
    return Object.assign(error, { code: `ERR_PROCESS_${code}`, pid: this.#child.pid, exitCode, signal })
  }
}

/** Not there if the operating system refused to start the child. */
function lifelineOf(child: ChildProcess): Socket | undefined {
  return (child.stdio as ChildProcess['stdio'] | undefined)?.[4] as Socket | undefined
}
