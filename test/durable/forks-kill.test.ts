/** Daemons that die while chains and forks are under way: the result is that of plain recursion, and no step runs twice that was stored. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { TaskCall } from '../../src/actors/definition.ts'
import { chain } from '../../src/index.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { all } from '../../src/task.ts'
import { hand, handProcess, joined, leaf, leafProcess, readLeaves } from '../fixtures/durable/fork-tasks.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { until } from '../support/until.ts'
import { daemonProcess } from './daemon-processes.ts'
import { testQueue } from './queue-kit.ts'

const LEASE_MS = 1_500
const ROUNDS = 4
const TREES = 8
const DEPTH = 4

/** A call, and what plain recursion makes of it. */
interface Made {
  readonly call: TaskCall
  readonly value: unknown
}

/** Trees that are the same every time, of every kind of node and as many leaves. */
function makerOf(file: string, seed: number): (depth: number) => Made {
  let state = seed
  let serial = 0
  const pick = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
  const make = (depth: number): Made => {
    const kind = depth === 0 ? 0 : 1 + pick(5)
    if (kind === 0) {
      const word = `${seed}-${++serial}`
      const task = pick(6) === 0 ? leafProcess : leaf
      return { call: task.call({ file, word, ms: 20 + pick(60) }) as TaskCall, value: word }
    }
    if (kind === 1) {
      const { call, value } = make(depth - 1)
      return { call: (pick(3) === 0 ? handProcess : hand).call(call) as TaskCall, value }
    }
    const made = Array.from({ length: 2 + pick(3) }, () => make(depth - 1))
    const calls = made.map(({ call }) => call)
    const values = made.map(({ value }) => value)
    if (kind <= 3) return { call: chain(calls) as TaskCall, value: values.at(-1) }
    if (kind === 4) return { call: all(calls) as TaskCall, value: values }
    return { call: all(calls, joined as never) as TaskCall, value: { joined: values } }
  }
  return make
}

test('kill -9 of daemons, again and again, during chains and forks', async () => {
  const folder = await temporaryFolder()
  const url = `sqlite:${join(folder, 'tasks.db')}`
  const file = join(folder, 'leaves.txt')
  const queue = await testQueue({ url })
  const leaves = (): ReturnType<typeof readLeaves> => {
    try {
      return readLeaves(file)
    } catch {
      return []
    }
  }
  const setup = { url, leaseMs: LEASE_MS, size: 3 }
  const daemons = [await daemonProcess({ ...setup, name: 'a' }), await daemonProcess({ ...setup, name: 'b' })]
  const made = Array.from({ length: TREES }, (_, tree) => makerOf(file, 17 + tree)(DEPTH))
  const queued = await queue.enqueueMany(made.map(({ call }) => call))
  const isOver = async (): Promise<boolean> => {
    const { queued: due, scheduled, running, retrying } = await queue.counts()
    return due + scheduled + running + retrying === 0
  }
  let kills = 0
  while (kills < ROUNDS && !(await isOver())) {
    const begun = leaves().length
    await until(async () => leaves().length >= begun + 12 || (await isOver()))
    await daemons[kills % 2]?.kill()
    kills += 1
    daemons[(kills - 1) % 2] = await daemonProcess({ ...setup, name: `${kills}` })
  }
  expect(kills).toBeGreaterThan(1)
  const values = await Promise.all(queued.map(({ id }) => queue.wait(id)))
  expect(values).toEqual(made.map(({ value }) => value))
  // One that began again was lost before it was stored, and no more often than that.
  const begun = Map.groupBy(leaves(), ({ id }) => id)
  expect(begun.size).toBeGreaterThan(20)
  let allLost = 0
  for (const [id, words] of begun) {
    const again = words.length - new Set(words.map(({ word }) => word)).size
    const lost = (await queue.log(id)).filter(({ act }) => act === 'leaseLost').length
    allLost += lost
    expect(again, id).toBeLessThanOrEqual(lost)
  }
  expect(allLost).toBeGreaterThan(0)
  expect(await storeOf(queue).store.check()).toMatchObject({ ok: true, problems: [] })
}, 90_000)
