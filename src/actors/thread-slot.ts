/** One worker thread of our own pool: its machine, its control port, and the job in it. */
import type { Worker } from 'node:worker_threads'
import { compile } from '../machines/compile.ts'
import { type ThreadSlotEvent, threadSlotMachine } from '../machines/thread-slot.ts'
import { SlotDriver } from './remote/slot-driver.ts'
import type { Slot, SlotOwner } from './remote/slot-executor.ts'
import { LEASE_OVER } from './remote/thread-lease.ts'
import type { ThreadAttempt } from './thread-attempt.ts'
import type { ThreadLink } from './thread-link.ts'

const logic = compile(threadSlotMachine)

export class ThreadSlot implements Slot<ThreadAttempt> {
  readonly id: number
  readonly loaded = new Set<number>()
  attempt: ThreadAttempt | undefined
  idleSince: number | undefined
  /** Set when the thread's hello arrives, before it is ready. */
  link: ThreadLink | undefined
  readonly #driver: SlotDriver<typeof threadSlotMachine>
  /** What escaped in the thread. */
  #error: unknown

  constructor(worker: Worker, owner: SlotOwner<ThreadSlot>) {
    this.id = worker.threadId
    this.#driver = new SlotDriver(logic, {
      noteIdle: () => {
        this.idleSince = performance.now()
        owner.onIdle(this)
      },
      noteTaken: () => owner.onTaken(this),
      noteGone: () => owner.onGone(this),
      endThread: () => void worker.terminate(),
      reportCrash: () => this.#reportCrash(),
      reportStartFailure: () => owner.onStartFailure(this.#exitError('START_FAILED', 'could not start')),
    })
    worker.on('error', (error: unknown) => {
      this.#error = error
      this.send({ type: 'thread.failed' })
    })
    worker.on('exit', (code) => {
      const why = code === LEASE_OVER ? 'its lease was over' : `it exited with code ${code}`
      this.#error ??= new Error(why)
      this.link?.close()
      this.send({ type: 'thread.exited' })
    })
  }

  get state(): string {
    return this.#driver.state
  }

  send(event: ThreadSlotEvent): void {
    this.#driver.send(event)
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
    const cause = this.#error
    const why = cause instanceof Error ? cause.message : String(cause)
    const error = new Error(`Thread ${this.id} ${what}: ${why}`, { cause })
    return Object.assign(error, { code: `ERR_THREAD_${code}`, threadId: this.id })
  }
}
