/**
 * The lease of the job in a thread, in memory that the thread shares with its host. The host writes until when it holds, and
 * the thread looks at it by a timer of its own: so it needs no turn of the host's event loop, which may be blocked when the lease
 * ends and somebody else begins the job again.
 *
 * - none: no job, or one without a lease.
 * - held: the next look is when the notice is due.
 * - ending: the handler has been told; the next look is at the end, unless the host has moved it.
 * - over: the thread ends itself, and the job with it. The host sees a crash, as soon as it sees anything.
 *
 * A handler that blocks its thread is told and ended only when it asks `ctx.aborted`, or lets its event loop turn.
 *
 * The host is authoritative. What it writes names the job, so that a late word about one is none about the next.
 */
import type { AttemptLease } from '../attempt.ts'
import { leaseOverError } from './lease-over.ts'

/** Instants are ns of the machine's monotonic clock, which all threads share. */
export type LeaseMemory = BigInt64Array<SharedArrayBuffer>

const [END, NOTICE, TOKEN] = [0, 1, 2]

/** Exit code of a thread that has ended itself. */
export const LEASE_OVER = 75

export function leaseMemory(): LeaseMemory {
  return new BigInt64Array(new SharedArrayBuffer(3 * BigInt64Array.BYTES_PER_ELEMENT))
}

/** Says until when the job may run, from now on. */
export function grantLease(memory: LeaseMemory, token: number, { ms, noticeMs }: AttemptLease): void {
  Atomics.store(memory, NOTICE, toNs(noticeMs))
  Atomics.store(memory, END, process.hrtime.bigint() + toNs(ms))
  Atomics.store(memory, TOKEN, BigInt(token))
}

const toNs = (ms: number): bigint => BigInt(Math.round(ms * 1e6))
const toMs = (ns: bigint): number => Number(ns) / 1e6

/** The thread's side. */
export class LeaseWatch {
  readonly #memory: LeaseMemory
  readonly #tell: (reason: Error) => void
  /** Of the job that runs. */
  #token = 0n
  #timer: NodeJS.Timeout | undefined

  /** @param tell - aborts the handler */
  constructor(memory: LeaseMemory, tell: (reason: Error) => void) {
    this.#memory = memory
    this.#tell = tell
  }

  begin(token: number): void {
    this.#token = BigInt(token)
    this.look()
  }

  end(): void {
    this.#token = 0n
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Does what is due by now. */
  look(): void {
    if (this.#token === 0n || Atomics.load(this.#memory, TOKEN) !== this.#token) return
    const leftNs = Atomics.load(this.#memory, END) - process.hrtime.bigint()
    if (leftNs <= 0n) return process.exit(LEASE_OVER)
    const noticeNs = Atomics.load(this.#memory, NOTICE)
    const isDue = leftNs <= noticeNs
    if (isDue) this.#tell(leaseOverError())
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.look(), toMs(isDue ? leftNs : leftNs - noticeNs))
    this.#timer.unref()
  }
}
