/**
 * What a dead daemon held is taken back within half a second after its lease, whatever else its taker does: the ways in which that
 * could come late. Time is moved by hand, so what happens without it happens at once.
 */
import { describe, expect, onTestFinished, test } from 'vitest'
import type { StoreOperation } from '../../src/actors/store/operations.ts'
import { StoreError } from '../../src/actors/store/store-error.ts'
import type { DaemonOptions } from '../../src/runtime/durable/daemon-options.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import { heldTask, taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { type DaemonRig, next, type Place, placeAround, records, startedDaemon } from './daemon-kit.ts'

const LEASE_MS = 2_000
/** A daemon looks for lost leases at least so often. */
const TURN_MS = 550
const LATER_MS = 3_600_000
const echo = taskOf<number, number>((value) => value)

type Types = readonly StoreOperation['type'][]

/** A place on a clock of its own, whose commits can be kept waiting. */
interface HeldPlace extends Place {
  readonly clock: ManualClock
  /** What was committed, in this order. */
  readonly commits: Types[]
  /** The next commit with such an operation waits. Resolves when it is there, with what lets it go on. */
  hold(type: StoreOperation['type']): Promise<() => void>
  setAway(away: boolean): void
}

async function heldPlace(): Promise<HeldPlace> {
  const clock = new ManualClock()
  const commits: Types[] = []
  let isAway = false
  let held: { type: StoreOperation['type']; arrived: (goOn: () => void) => void } | undefined
  const place = await placeAround(
    (commit) => async (operations) => {
      if (isAway) throw new StoreError('ERR_STORE_FAILED', 'The connection was lost.')
      const types = operations.map(({ type }) => type)
      if (held !== undefined && types.includes(held.type)) {
        const gate = Promise.withResolvers<void>()
        held.arrived(gate.resolve)
        held = undefined
        await gate.promise
      }
      commits.push(types)
      return commit(operations)
    },
    undefined,
    clock,
  )
  return {
    ...place,
    clock,
    commits,
    hold: (type) =>
      new Promise((arrived) => {
        held = { type, arrived }
      }),
    setAway(away) {
      isAway = away
    },
  }
}

/** A task that somebody holds who says nothing more. @returns its id */
async function heldByDead({ queue, store, clock }: HeldPlace, leaseMs: number): Promise<string> {
  // Not due, so that nobody else takes it first.
  const { id } = await queue.enqueue(echo, 7, { delayMs: LATER_MS })
  const room = { critical: 1, high: 1, normal: 1, low: 1 }
  const at = clock.now() + LATER_MS
  const leaseUntil = clock.now() + leaseMs
  await store.do({ type: 'claim', at, holder: 'dead', leaseUntil, room, limit: 1, ids: [id] })
  return id
}

async function started(
  place: HeldPlace,
  tasks: DaemonOptions['tasks'] = [],
  leaseMs = LEASE_MS,
): Promise<DaemonRig> {
  const { clock } = place
  const rig = await startedDaemon([echo, ...tasks], { place, supervisor: { clock }, daemon: { leaseMs } })
  onTestFinished(async () => {
    place.setAway(false)
    const over = rig.supervisor.stop({ wait: 0 })
    await clock.advance(1_000)
    await over
  })
  return rig
}

async function isTakenBack({ queue, store }: HeldPlace, id: string): Promise<void> {
  await records(store, [id])
  expect(await queue.wait(id)).toBe(7)
  expect((await queue.log(id)).map(({ act, detail }) => `${act} ${detail}`)).toContain('leaseLost dead')
}

describe('what a dead daemon held is taken back', () => {
  test('when a daemon starts, before it looks for work', async () => {
    const place = await heldPlace()
    const id = await heldByDead(place, 1)
    await place.clock.advance(2)
    const before = place.commits.length
    await started(place)
    await isTakenBack(place, id)
    const types = place.commits.slice(before).flat()
    expect(types.indexOf('reclaim')).toBeLessThan(types.indexOf('claim'))
  })

  test('as soon as a store that was slow has answered, where a turn was due meanwhile', async () => {
    const place = await heldPlace()
    await started(place)
    const id = await heldByDead(place, TURN_MS + 1)
    const arrived = place.hold('reclaim')
    await place.clock.advance(TURN_MS)
    const goOn = await arrived
    // Its lease is over now, and the turns that would see it find the store busy.
    await place.clock.advance(2 * TURN_MS)
    goOn()
    await isTakenBack(place, id)
  })

  test('as soon as the leases of the taker are renewed, where a turn was due meanwhile', async () => {
    const place = await heldPlace()
    const { task, calls } = heldTask<void>()
    const { queue, store } = await started(place, [task])
    const own = await queue.enqueue(task)
    await records(store, [own.id], ({ state }) => state === 'running')
    const id = await heldByDead(place, LEASE_MS / 2 + 1)
    const arrived = place.hold('renew')
    await place.clock.advance(LEASE_MS / 2)
    const goOn = await arrived
    // Its lease is over now, and the turns that would see it find the taker's own in doubt.
    await place.clock.advance(TURN_MS)
    goOn()
    await isTakenBack(place, id)
    calls[0]?.resolve()
    await records(store, [own.id])
  })

  test('at its next turn, however long the store was away', async () => {
    const place = await heldPlace()
    const { supervisor, daemon } = await started(place)
    const id = await heldByDead(place, 1)
    const lost = next(supervisor, 'daemon.storeLost')
    place.setAway(true)
    for (let turn = 0; turn < 40; turn += 1) await place.clock.advance(TURN_MS)
    await lost
    expect(daemon.state).toBe('backingOff')
    place.setAway(false)
    const found = next(supervisor, 'daemon.storeFound')
    // It would wait for seconds before it asked again for work.
    await place.clock.advance(TURN_MS)
    await found
    await isTakenBack(place, id)
  })
})

test('what has ended while the store was away is told as soon as anybody finds that it is back', async () => {
  const place = await heldPlace()
  const { task, calls } = heldTask<void>()
  const { supervisor, queue, store, daemon } = await started(place, [task], 600_000)
  const { id } = await queue.enqueue(task)
  await records(store, [id], ({ state }) => state === 'running')
  const lost = next(supervisor, 'daemon.storeLost')
  place.setAway(true)
  calls[0]?.resolve('kept')
  for (let turn = 0; turn < 40; turn += 1) await place.clock.advance(TURN_MS)
  await lost
  await until(() => daemon.info().held === 0)
  place.setAway(false)
  await place.clock.advance(TURN_MS)
  expect(await queue.wait(id)).toBe('kept')
})

test('a stop whose bound comes while ends are on their way counts them as untold', async () => {
  const place = await heldPlace()
  const { task, calls } = heldTask<void>()
  const { supervisor, queue, store, daemon } = await started(place, [task])
  const { id } = await queue.enqueue(task)
  await records(store, [id], ({ state }) => state === 'running')
  const arrived = place.hold('settle')
  calls[0]?.resolve('never told')
  const goOn = await arrived
  const stopped = next(supervisor, 'daemon.stopped')
  const over = daemon.stop({ wait: 100 })
  await place.clock.advance(1_000)
  await over
  expect(await stopped).toMatchObject({ held: 0, untold: 1 })
  goOn()
})
