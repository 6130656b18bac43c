/** Sides that take turns: A B A B …, so that what else the machine does falls on all alike. */
import { Samples } from './samples.ts'

export interface Side<Value> {
  readonly name: string
  /** Does its work once. @returns what it cost */
  round(): Promise<Value> | Value
}

export interface RoundsOptions {
  readonly rounds: number
  /** Rounds before those that count. */
  readonly warmUps?: number
}

/** @returns what each round of each side cost, in the order of the sides */
export async function takeTurns<Value>(
  sides: readonly Side<Value>[],
  { rounds, warmUps = 1 }: RoundsOptions,
): Promise<Value[][]> {
  const values: Value[][] = sides.map(() => [])
  for (let round = -warmUps; round < rounds; round++) {
    for (const [i, side] of sides.entries()) {
      collectGarbage()
      const value = await side.round()
      if (round >= 0) values[i]?.push(value)
    }
  }
  return values
}

/** What one unit of work costs, in µs. */
export interface Cost {
  readonly wall: number
  /** Of the main thread alone: what other programs do to the machine hardly shows in it. */
  readonly cpu: number
}

/** The wall times and the CPU times of rounds. */
export function costs(rounds: readonly Cost[]): { readonly wall: Samples; readonly cpu: Samples } {
  return {
    wall: new Samples(rounds.map(({ wall }) => wall)),
    cpu: new Samples(rounds.map(({ cpu }) => cpu)),
  }
}

/** Repeats a batch of `units` until it has taken `leastMs`, because one short batch measures chance. */
export async function perUnit(units: number, leastMs: number, batch: () => Promise<Cost>): Promise<Cost> {
  let wall = 0
  let cpu = 0
  let done = 0
  do {
    const cost = await batch()
    wall += cost.wall
    cpu += cost.cpu
    done += units
  } while (wall < leastMs * 1000)
  return { wall: wall / done, cpu: cpu / done }
}

export async function timed(work: () => Promise<unknown>): Promise<Cost> {
  const cpuBefore = process.threadCpuUsage()
  const startedAt = performance.now()
  await work()
  const wall = (performance.now() - startedAt) * 1000
  const { user, system } = process.threadCpuUsage(cpuBefore)
  return { wall, cpu: user + system }
}

function collectGarbage(): void {
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
