/** Faults that a test puts between any two statements of a durable queue: one that throws, or the death of this process. */
import type { FaultPoint } from '../../actors/store/fault-point.ts'
import { check, checkOptions } from '../check.ts'

/** Which of the next times. */
export interface FaultOptions {
  /** So many times it is passed unharmed before. @defaultValue 0 */
  readonly skip?: number
  /** So many times it then happens. @defaultValue 1 */
  readonly times?: number
}

interface Fault {
  readonly point: FaultPoint
  skip: number
  times: number
  happen(): void
}

const checks = { skip: check.count(0), times: check.count(1) }

/**
 * Given to `openQueue({ url, faults })`, it is told of every point that a commit of that queue passes:
 *
 * - `begun`: the transaction has begun; nothing was written.
 * - `operation`: before each operation (an enqueue, a claim, a settlement, …) in it. Where one fails, its
 *   neighbours are carried out all the same, and it may be tried once more: `times: 2` makes it fail for good.
 * - `committing`: all is written, nothing is durable.
 * - `committed`: it is durable, and nobody was told. What throws here is an answer that got lost.
 *
 * ```ts
 * const faults = new FaultPoints()
 * await using queue = await openQueue({ url: 'sqlite:./tasks.db', faults })
 * faults.fail('committing')
 * await queue.enqueue(sendMail, input) // rejects, and nothing is stored
 * ```
 */
export class FaultPoints {
  readonly #faults: Fault[] = []
  readonly #passed = new Map<FaultPoint, number>()

  /** How often the point was come by, faults included. */
  passed(point: FaultPoint): number {
    return this.#passed.get(point) ?? 0
  }

  /**
   * Throws there.
   *
   * @param options - also `error`: what is thrown. @defaultValue an Error that names the point
   * @throws OptionError
   */
  fail(point: FaultPoint, options: FaultOptions & { readonly error?: unknown } = {}): void {
    const { error, ...when } = options
    this.#arm('fail()', point, when, () => {
      throw error ?? new Error(`Fault at the point "${point}"`)
    })
  }

  /**
   * Ends this process there, as `kill -9` does: for a child process of the test.
   *
   * @throws OptionError
   */
  kill(point: FaultPoint, options: Omit<FaultOptions, 'times'> = {}): void {
    this.#arm('kill()', point, options, () => process.kill(process.pid, 'SIGKILL'))
  }

  /** Forgets the faults that have not happened. */
  clear(): void {
    this.#faults.length = 0
  }

  /** Called by the queue. */
  reach(point: FaultPoint): void {
    this.#passed.set(point, this.passed(point) + 1)
    const fault = this.#faults.find((one) => one.point === point)
    if (fault === undefined) return
    if (fault.skip > 0) {
      fault.skip -= 1
      return
    }
    fault.times -= 1
    if (fault.times === 0) this.#faults.splice(this.#faults.indexOf(fault), 1)
    fault.happen()
  }

  #arm(call: string, point: FaultPoint, when: FaultOptions, happen: () => void): void {
    check.oneOf('begun', 'operation', 'committing', 'committed')(`${call} point`, point)
    checkOptions(call, when, checks)
    const { skip = 0, times = 1 } = when
    this.#faults.push({ point, skip, times, happen })
  }
}
