/**
 * The host's view of one attempt that runs in a thread or process.
 *
 * - `waiting`: no thread or process has it yet.
 * - `dispatched`: handed over; the handler has not been seen to begin.
 * - `begun`: the handler runs.
 * - `settled`: the listener has heard the one settlement; nothing reaches it any more.
 */
import type { AttemptLease, AttemptListener, ControlMethod, Job, Settlement } from '../attempt.ts'
import { toNamedCall } from './named-call.ts'
import { packCalls, unpackCalls } from './packed-calls.ts'
import { fromThrown, type Thrown, toThrown } from './thrown.ts'
import type { ColdJob, HostMessage, RemoteMessage, WarmJob, WireResult, WireSettled } from './wire.ts'

/** One counter for all executors: attempts of several may meet in one thread. */
let lastToken = 0

/** A microtask, at less than half the price of `queueMicrotask`. */
const SOON = Promise.resolve()

export class HostAttempt {
  readonly job: Job
  readonly token: number
  /** Number of its definition on the wire. */
  readonly ref: number
  readonly #listener: AttemptListener
  #phase: 'waiting' | 'dispatched' | 'begun' | 'settled' = 'waiting'
  /** Reason of the first stop signal. */
  #stop: Thrown | undefined
  /** A value that came ahead of its result. */
  #posted: unknown
  /** On the clock of `performance.now()`; `undefined`: it may run as long as it likes. */
  #leaseEndMono: number | undefined
  #noticeMs = 0

  constructor(job: Job, ref: number, listener: AttemptListener) {
    lastToken += 1
    this.token = lastToken
    this.job = job
    this.ref = ref
    this.#listener = listener
    if (job.lease !== undefined) this.noteLease(job.lease)
  }

  protected noteLease({ ms, noticeMs }: AttemptLease): void {
    this.#leaseEndMono = performance.now() + ms
    this.#noticeMs = noticeMs
  }

  /** What is left of its lease; `undefined`: it needs none. */
  get leaseLeft(): AttemptLease | undefined {
    if (this.#leaseEndMono === undefined) return undefined
    return { ms: this.#leaseEndMono - performance.now(), noticeMs: this.#noticeMs }
  }

  get isWaiting(): boolean {
    return this.#phase === 'waiting'
  }

  get isSettled(): boolean {
    return this.#phase === 'settled'
  }

  /** Notes the first stop signal; gives what has to be sent to a remote that has the job. */
  stop(reason: unknown): HostMessage | undefined {
    if (this.#phase === 'settled' || this.#stop !== undefined) return undefined
    this.#stop = toThrown(reason)
    return this.stopMessage
  }

  /** What tells a remote of the stop signal, once there was one. */
  get stopMessage(): HostMessage | undefined {
    return this.#stop === undefined ? undefined : { type: 'abort', token: this.token, reason: this.#stop }
  }

  /** The job as it goes to a thread or process that has not loaded the definition, or may not have. */
  dispatchCold(logLevel: string): ColdJob {
    this.#phase = 'dispatched'
    const { name, module, supervisorId, isStored = false } = this.job
    const { runId, attempt, deadlineAt, context, parameters, trace } = this.job
    const input = packCalls(this.job.input)
    const { token, ref } = this
    const aborted = this.#stop
    const run = { runId, attempt, input, deadlineAt, context, parameters, trace, aborted }
    return { token, ref, name, module, supervisorId, logLevel, isStored, ...run }
  }

  /** The job as it goes to one that has. The handler begins at once, and no message has to say so. */
  dispatchWarm(): WarmJob {
    this.#phase = 'dispatched'
    const at = Date.now()
    // Never inside `start`: the caller has no handle yet.
    void SOON.then(() => this.begin(at))
    return this.#warmJob()
  }

  /** The same where the handler may have to wait for its turn: a message says when it begins. */
  dispatchReported(): WarmJob {
    this.#phase = 'dispatched'
    return this.#warmJob()
  }

  #warmJob(): WarmJob {
    const { runId, attempt, deadlineAt, context, parameters, trace } = this.job
    const input = packCalls(this.job.input)
    const job = [this.token, this.ref, runId, attempt, input, deadlineAt] as const
    if (trace !== undefined) return [...job, context, parameters, trace]
    if (parameters !== undefined) return [...job, context, parameters]
    return context === undefined ? job : [...job, context]
  }

  /** Whether a stop was asked for; such a job has to go cold, which carries the reason. */
  get isStopped(): boolean {
    return this.#stop !== undefined
  }

  begin(at: number): void {
    if (this.#phase !== 'dispatched') return
    this.#phase = 'begun'
    this.#listener.started(at)
  }

  /** Takes a message of the remote's. `answer` sends the reply of a call. */
  receive(message: RemoteMessage, answer: (reply: HostMessage) => void): void {
    if (this.#phase === 'settled') return
    switch (message.type) {
      case 'started':
        return this.begin(message.at)
      case 'progress':
        return this.#listener.progress(message.percent, message.note)
      case 'log':
        return this.#listener.log(JSON.parse(message.line))
      case 'value':
        this.#posted = message.value
        return
      case 'call':
        return this.#call(message.id, message.method, message.args, answer)
    }
  }

  /** The remote's result. */
  settleRemote(result: WireResult): void {
    const settlement: Settlement =
      'type' in result ? toSettlement(result, this.#posted) : { type: 'returned', value: result[0] }
    if (settlement.type !== 'returned' || this.job.isStored !== true) return this.settle(settlement)
    this.settle({ type: 'returned', value: unpackCalls(settlement.value, toNamedCall) })
  }

  settle(settlement: Settlement): void {
    if (this.#phase === 'settled') return
    this.#phase = 'settled'
    this.#listener.settled(settlement)
  }

  #call(id: number, method: ControlMethod, args: unknown, answer: (reply: HostMessage) => void): void {
    const token = this.token
    const refuse = (error: unknown) => answer({ type: 'refusal', token, id, error: toThrown(error) })
    this.#listener
      .call(method, args)
      .then((value) => answer({ type: 'reply', token, id, value }))
      // Also of a reply that cannot be cloned.
      .catch(refuse)
  }
}

function toSettlement(settled: WireSettled, posted: unknown): Settlement {
  switch (settled.type) {
    case 'returned':
      return { type: 'returned', value: settled.value }
    case 'posted':
      return { type: 'returned', value: posted }
    case 'skipped':
      return { type: 'skipped', reason: settled.reason }
    case 'snoozed':
      return { type: 'snoozed', delayMs: settled.delayMs }
    case 'continued':
      return { type: 'continued', call: settled.call }
    default:
      return { type: settled.type, error: fromThrown(settled.error as Thrown) }
  }
}
