/** What the benchmarks of durable queues do in a round: with one engine, in one fresh place. */
import type { Samples } from '../harness/samples.ts'
import type { Place } from './engine.ts'
import { EngineSide } from './engine-side.ts'
import type { EngineName } from './engines.ts'

/** Calls that a producer has under way at a time. */
export const IN_FLIGHT = 100

/** Where the rounds of one engine take place. */
export interface Ground {
  readonly engine: EngineName
  /** A queue that nobody has used. */
  fresh(): Promise<Place>
}

/** Does `work` with these sides of a queue, and ends them. */
export async function withSides<Value>(
  engine: EngineName,
  place: Place,
  roles: readonly ('producer' | 'worker')[],
  work: (...sides: EngineSide[]) => Promise<Value>,
): Promise<Value> {
  const sides: EngineSide[] = []
  try {
    const starting = roles.map((role) => EngineSide.start({ engine, role, place }))
    for (const start of await Promise.allSettled(starting))
      if (start.status === 'fulfilled') sides.push(start.value)
    await Promise.all(starting)
    const value = await work(...sides)
    await Promise.all(sides.map((side) => side.close()))
    return value
  } finally {
    for (const side of sides) side.kill()
  }
}

export interface Flow {
  /** Per second. */
  readonly added: number
  readonly done: number
}

/** Producers add as fast as they can, while a worker runs what it finds. */
export function flow(engine: EngineName, place: Place, producers: number, forMs: number): Promise<Flow> {
  const roles = ['worker' as const, ...Array.from({ length: producers }, () => 'producer' as const)]
  return withSides(engine, place, roles, async (worker, ...adding) => {
    // A first stretch off the clock: code gets compiled.
    const lap = { forMs: forMs / 5, inFlight: IN_FLIGHT }
    const first = await Promise.all(adding.map((side) => side.ask('flow', lap)))
    await worker?.ask('drained', { count: total(first) })
    const startedAt = performance.now()
    const counts = await Promise.all(adding.map((side) => side.ask('flow', { forMs, inFlight: IN_FLIGHT })))
    const tookS = (performance.now() - startedAt) / 1000
    const done = ((await worker?.ask('done', {})) ?? 0) - total(first)
    await worker?.ask('drained', { count: total(first) + total(counts) })
    return { added: total(counts) / tookS, done: done / tookS }
  })
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)

export const ALONE = ['one per call', 'a thousand per call', 'drain'] as const
export type Alone = (typeof ALONE)[number]

/** Adds `tasks` while nobody runs them, then runs them while nobody adds. @returns tasks per second */
export async function alone(engine: EngineName, place: Place, tasks: number, how: Alone): Promise<number> {
  const isMany = how !== 'one per call'
  const addMs = await withSides(engine, place, ['producer'], async (producer) =>
    isMany
      ? await (producer as EngineSide).ask('addMany', { count: tasks })
      : await (producer as EngineSide).ask('add', { count: tasks, inFlight: IN_FLIGHT }),
  )
  if (how !== 'drain') return tasks / (addMs / 1000)
  return withSides(engine, place, ['worker'], async (worker) => {
    const side = worker as EngineSide
    const endedAt = await side.ask('drained', { count: tasks })
    return tasks / ((endedAt - (await side.ask('began', {}))) / 1000)
  })
}

export const perSecond = (samples: Samples): string => {
  const round = (value: number): string => Math.round(value).toLocaleString('en')
  const { values, median } = samples
  if (values.length === 1) return round(median)
  return `${round(median)} (${round(Math.min(...values))}–${round(Math.max(...values))})`
}
