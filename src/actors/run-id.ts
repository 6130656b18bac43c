/**
 * Run ids: UUIDv7 (RFC 9562), increasing within a process also inside one millisecond (method 1 of
 * section 6.2: a counter in the random bits). Our own because the usual package takes 2 µs per id,
 * as long as everything else that a short task costs.
 */
import { randomFillSync } from 'node:crypto'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Random bytes for one millisecond. */
const PORTION = 10

/** 12 bits in `rand_a` and 14 in `rand_b` count; the rest is random per millisecond. */
const COUNTER_LIMIT = 2 ** 26

export class RunIds {
  #ms = 0
  #counter = 0
  #head = ''
  #tail = ''
  // Asking for random bytes costs 30 µs however few they are.
  readonly #random = Buffer.alloc(PORTION * 100)
  #used = this.#random.length

  /** @param now - wall clock, epoch ms; a clock that goes back keeps the last millisecond */
  next(now: number): string {
    this.#counter += 1
    if (now > this.#ms || this.#counter >= COUNTER_LIMIT) this.#renew(Math.max(now, this.#ms + 1))
    const counter = this.#counter
    const high = (counter >>> 14) & 0xfff
    const low = counter & 0x3fff
    return (
      this.#head +
      (HEX[0x70 | (high >>> 8)] as string) +
      (HEX[high & 0xff] as string) +
      '-' +
      (HEX[0x80 | (low >>> 8)] as string) +
      (HEX[low & 0xff] as string) +
      this.#tail
    )
  }

  #renew(ms: number): void {
    this.#ms = ms
    // A random start leaves at least half of the counter for one millisecond.
    const random = this.#portion()
    this.#counter = random.readUInt32BE(0) % (COUNTER_LIMIT / 2)
    const time = Math.floor(ms).toString(16).padStart(12, '0')
    this.#head = `${time.slice(0, 8)}-${time.slice(8)}-`
    this.#tail = `-${random.toString('hex', 4)}`
  }

  #portion(): Buffer {
    if (this.#used === this.#random.length) {
      randomFillSync(this.#random)
      this.#used = 0
    }
    this.#used += PORTION
    return this.#random.subarray(this.#used - PORTION, this.#used)
  }
}
