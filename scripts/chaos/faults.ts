/** The kinds of faults: what is done to the daemons, the producer and their store, round by round. */
import { setTimeout } from 'node:timers/promises'
import type { Queue } from '../../src/runtime/durable/index.ts'
import { noop } from '../../test/fixtures/durable/daemon-tasks.ts'
import type { Fleet } from './fleet.ts'
import { pauseRound } from './pauses.ts'
import type { Place } from './place.ts'

/** What a kind works on. */
export interface Scene {
  readonly place: Place
  readonly queue: Queue
  readonly fleet: Fleet
  readonly leaseMs: number
  /** Where attempts say when they begin and end. */
  readonly journal: string
  readonly problems: string[]
  /** When nobody could reach the store, epoch ms: leases may be lost then, and a while later, without a kill. */
  readonly gaps: { readonly from: number; readonly to: number }[]
  say(text: string): void
}

/** What a kind tells of itself. */
export interface Told {
  /** From the return of the store to the end of the next task, ms. */
  readonly backMs?: number
  /** Tasks that only child processes work on, so that a pause of their daemon cannot make two attempts of them overlap. */
  readonly childIds?: ReadonlySet<string>
}

export interface Kind {
  readonly name: string
  readonly rounds: number
  /** Whether tasks come all the time meanwhile. */
  readonly isLoaded: boolean
  /** What it may take at most, beyond which it hangs. */
  readonly boundMs: number
  act(scene: Scene): Promise<Told>
}

export interface Wanted {
  readonly rounds: number
  readonly hasty: number
  readonly pauses: number
  readonly awayMs: number
  readonly restarts: number
}

const RESTART_EVERY_MS = 5_000
const BACK_MS = 60_000

/** Those that are wanted, and possible with this store. */
export function kindsOf(place: Place, { rounds, hasty, pauses, awayMs, restarts }: Wanted): Kind[] {
  const all: (Kind | undefined)[] = [
    {
      name: 'kill -9',
      rounds,
      isLoaded: true,
      boundMs: 60_000 + rounds * 15_000,
      act: (scene) => kill(scene, rounds),
    },
    {
      name: 'kill -9, also while no daemon is there',
      rounds: hasty,
      isLoaded: true,
      boundMs: 60_000 + hasty * 15_000,
      act: (scene) => killHastily(scene, hasty),
    },
    {
      name: 'SIGSTOP for longer than a lease',
      rounds: pauses,
      isLoaded: false,
      boundMs: 60_000 + pauses * 120_000,
      act: (scene) => pause(scene, pauses),
    },
    place.takeAway && {
      name: `store away for ${awayMs} ms`,
      rounds: Math.min(1, awayMs),
      isLoaded: true,
      boundMs: awayMs + 2 * BACK_MS,
      act: (scene) => away(scene, awayMs),
    },
    place.restart && {
      name: `server restarted every ${RESTART_EVERY_MS} ms`,
      rounds: restarts,
      isLoaded: true,
      boundMs: 60_000 + restarts * 30_000 + BACK_MS,
      act: (scene) => restart(scene, restarts),
    },
  ]
  return all.flatMap((kind) => (kind === undefined || kind.rounds === 0 ? [] : kind))
}

const moment = (): Promise<void> => setTimeout(200 + Math.random() * 1_300)

async function kill({ fleet, say }: Scene, rounds: number): Promise<Told> {
  for (let round = 0; round < rounds; round += 1) {
    await moment()
    await fleet.killOne()
  }
  const { a, b, producer } = fleet.kills
  say(`${rounds} kills: daemon a ${a}, daemon b ${b}, producer ${producer}`)
  return {}
}

async function killHastily({ fleet }: Scene, rounds: number): Promise<Told> {
  const replaced: Promise<void>[] = []
  for (let round = 0; round < rounds; round += 1) {
    await moment()
    replaced.push(fleet.killOne())
  }
  await Promise.all(replaced)
  return {}
}

async function pause(scene: Scene, rounds: number): Promise<Told> {
  const childIds = new Set<string>()
  let held = 0
  let children = 0
  let again = 0
  for (let round = 0; round < rounds; round += 1) {
    const done = await pauseRound(scene)
    held += done.held
    children += done.children
    again += done.inCommits
    for (const id of done.childIds) childIds.add(id)
  }
  scene.say(`${rounds} pauses: ${held} tasks of stopped daemons ran again, ${children} of them in processes`)
  if (again > 0)
    scene.say(
      `  (stopped in the middle of a commit and continued at once, since nobody can write then: ${again})`,
    )
  return { childIds }
}

async function away(scene: Scene, awayMs: number): Promise<Told> {
  const from = Date.now()
  const bringBack = await scene.place.takeAway?.()
  await setTimeout(awayMs)
  await bringBack?.()
  scene.gaps.push({ from, to: Date.now() })
  return { backMs: await backAfter(scene) }
}

async function restart(scene: Scene, rounds: number): Promise<Told> {
  const from = Date.now()
  for (let round = 0; round < rounds; round += 1) {
    await setTimeout(RESTART_EVERY_MS)
    await scene.place.restart?.()
  }
  scene.gaps.push({ from, to: Date.now() })
  return { backMs: await backAfter(scene) }
}

/** @returns how long after the store was back the first task had run, ms */
async function backAfter({ queue, problems }: Scene): Promise<number> {
  const backAt = performance.now()
  for (const end = backAt + BACK_MS; performance.now() < end; await setTimeout(20)) {
    try {
      await queue.wait(await queue.enqueue(noop, 1, { priority: 'critical' }), { timeoutMs: 30_000 })
      return Math.round(performance.now() - backAt)
    } catch {
      // Its connections are the old ones, perhaps.
    }
  }
  problems.push('no task ran within a minute after the store was back')
  return Number.POSITIVE_INFINITY
}
