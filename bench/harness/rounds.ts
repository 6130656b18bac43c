/** Sides that take turns: A B A B …, so that what else the machine does falls on all alike. */
import { Samples } from './samples.ts'

export interface Side {
  readonly name: string
  /** Does its work once. @returns what it cost per unit, in µs (or in whatever unit the table has) */
  round(): Promise<number> | number
}

export interface RoundsOptions {
  readonly rounds: number
  /** Rounds before those that count. */
  readonly warmUps?: number
}

/** @returns the samples of each side, in the order of the sides */
export async function takeTurns(
  sides: readonly Side[],
  { rounds, warmUps = 1 }: RoundsOptions,
): Promise<Samples[]> {
  const values: number[][] = sides.map(() => [])
  for (let round = -warmUps; round < rounds; round++) {
    for (const [i, side] of sides.entries()) {
      collectGarbage()
      const value = await side.round()
      if (round >= 0) values[i]?.push(value)
    }
  }
  return values.map((one) => new Samples(one))
}

/**
 * Repeats a batch until it has taken `leastMs`, because one short batch measures chance.
 *
 * @param batch - does `units` units of work and says how many ms they took
 * @returns µs per unit
 */
export async function perUnit(units: number, leastMs: number, batch: () => Promise<number>): Promise<number> {
  let elapsed = 0
  let done = 0
  do {
    elapsed += await batch()
    done += units
  } while (elapsed < leastMs)
  return (elapsed * 1000) / done
}

/** How many ms it takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('Start node with --expose-gc; bench/run.ts does.')
  globalThis.gc()
}

/** Bytes of JavaScript heap in use once nothing more can be collected. */
export async function heapInUse(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    // What finalizers and weak references still hold goes a turn later.
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  return process.memoryUsage().heapUsed
}
