/**
 * One side of an engine in a process of its own. Its orders come as messages, one at a time; each is answered by one.
 *
 * Tasks carry a number: 0 is a plain one, anything else the instant at which it was added, ms.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Place, Producer, Worker } from './engine.ts'
import { ENGINES, type EngineName } from './engines.ts'

export interface Setup {
  readonly engine: EngineName
  readonly role: 'producer' | 'worker'
  readonly place: Place
}

/** What the sides can be told to do, and what they answer. */
export interface Orders {
  /** Adds so many, one per call. @returns ms it took */
  add: { readonly count: number; readonly inFlight: number }
  /** Adds so many, a thousand per call. @returns ms it took */
  addMany: { readonly count: number }
  /** Adds for so long, one per call. @returns how many it has added */
  flow: { readonly forMs: number; readonly inFlight: number }
  /** Adds one, waits, adds the next one. @returns how many */
  trickle: { readonly count: number; readonly everyMs: number }
  /** @returns instant at which the first task began */
  began: Record<never, never>
  /** Waits until so many are done and stored. @returns instant at which they were */
  drained: { readonly count: number }
  /** @returns how many are done */
  done: Record<never, never>
  /** @returns ms from adding to the beginning of the handler, of tasks that say when they were added */
  delays: Record<never, never>
  /** @returns share of one core that it uses while nothing happens */
  idle: { readonly forMs: number }
  close: Record<never, never>
}
export type OrderName = keyof Orders

const BATCH = 1_000
const nowMs = (): number => performance.timeOrigin + performance.now()

if (process.send !== undefined) await serve(JSON.parse(process.argv[2] ?? '{}') as Setup)

async function serve({ engine, role, place }: Setup): Promise<void> {
  const seen: Seen = { beganAt: undefined, delays: [] }
  const { producer, worker } = await ENGINES[engine]()
  const side =
    role === 'producer'
      ? producerOrders(await producer(place))
      : workerOrders(
          await worker(place, (addedAt) => {
            seen.beganAt ??= nowMs()
            if (addedAt > 0) seen.delays.push(nowMs() - addedAt)
          }),
          seen,
        )
  process.on('message', async ([name, order]: [OrderName, never]) => {
    process.send?.((await side[name]?.(order)) ?? 'done')
    if (name === 'close') process.disconnect()
  })
  process.send?.('ready')
}

type Side = { readonly [Name in OrderName]?: (order: Orders[Name]) => Promise<unknown> }

function producerOrders(producer: Producer): Side {
  /** So many calls at a time, until one of them finds that there is no more. */
  const inLanes = (lanes: number, next: () => Promise<unknown> | undefined): Promise<unknown> =>
    Promise.all(
      Array.from({ length: lanes }, async () => {
        for (let added = next(); added !== undefined; added = next()) await added
      }),
    )
  return {
    async add({ count, inFlight }) {
      const startedAt = performance.now()
      let left = count
      await inLanes(inFlight, () => (left-- > 0 ? producer.add(0) : undefined))
      return performance.now() - startedAt
    },
    async addMany({ count }) {
      const startedAt = performance.now()
      for (let left = count; left > 0; left -= BATCH)
        await producer.addMany(Array.from({ length: Math.min(BATCH, left) }, () => 0))
      return performance.now() - startedAt
    },
    async flow({ forMs, inFlight }) {
      const until = performance.now() + forMs
      let added = 0
      await inLanes(inFlight, () => {
        if (performance.now() >= until) return undefined
        added += 1
        return producer.add(0)
      })
      return added
    },
    async trickle({ count, everyMs }) {
      for (let i = 0; i < count; i++) {
        await producer.add(nowMs())
        await sleep(everyMs)
      }
      return count
    },
    close: () => producer.close(),
  }
}

/** What the handler has seen. */
interface Seen {
  beganAt: number | undefined
  readonly delays: number[]
}

function workerOrders(worker: Worker, seen: Seen): Side {
  return {
    began: async () => seen.beganAt,
    async drained({ count }) {
      while (worker.done < count) await sleep(1)
      while (!(await worker.isStored(count))) await sleep(1)
      return nowMs()
    },
    done: async () => worker.done,
    delays: async () => seen.delays,
    async idle({ forMs }) {
      const before = process.cpuUsage()
      const startedAt = performance.now()
      await sleep(forMs)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000 / (performance.now() - startedAt)
    },
    close: () => worker.close(),
  }
}
