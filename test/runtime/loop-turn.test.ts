/** However short handlers are and whatever begins the next run: timers, I/O and other work have their turns. */
import { describe, expect, test } from 'vitest'
import { after, defineTask, type Supervisor, type TaskDefinition } from '../../src/index.ts'
import { errorOf, freshName, heldTask, startedSupervisor, taskOf, turns } from '../support/harness.ts'

/** So many runs without a turn are too many: the chain ends itself, so that a failure is no endless loop. */
const LIMIT = 50_000

class Chain {
  runs = 0
  isCut = false

  /** @returns false when it is to go no further */
  next(): boolean {
    this.runs += 1
    return !this.isCut && this.runs < LIMIT
  }

  *items(): Generator<number> {
    while (this.next()) yield this.runs
  }
}

const chains: Record<string, (supervisor: Supervisor, chain: Chain) => void> = {
  'a queue worker with an endless source'({ workers }, chain) {
    workers.queue({ name: 'q', source: chain.items(), handler: async () => {} })
  },
  'the same, with a task whose input is refused each time'({ workers }, chain) {
    const task = taskOf<number>(() => {}, {
      schema: {
        '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'no' }] }) },
      },
    })
    workers.queue({ name: 'q', source: chain.items(), task, onError: async () => {} })
  },
  'the same, with parameters that cannot be made'({ workers }, chain) {
    const parameters = {
      one: () => {
        throw new Error('none')
      },
    }
    const task = taskOf<number>(() => {}, { parameters })
    workers.queue({ name: 'q', source: chain.items(), task })
  },
  'the same, with submissions that are refused'({ workers }, chain) {
    const { task } = heldTask<number>({ multilaunch: false, onConflict: 'reject' })
    workers.queue({ name: 'q', source: chain.items(), task, concurrency: 2 })
  },
  'a queue worker that puts into itself'({ workers }, chain) {
    const queue = workers.queue<number>({
      name: 'q',
      handler: () => {
        if (chain.next()) queue.tryPut(1)
      },
    })
    queue.tryPut(1)
  },
  'an event worker that triggers itself'({ workers }, chain) {
    const worker = workers.event({
      name: 'e',
      handler: () => {
        if (chain.next()) worker.trigger()
      },
    })
    worker.trigger()
  },
  'workers in a ring of conditions'({ workers }, chain) {
    const one = taskOf(() => {})
    const other = taskOf(() => {
      if (!chain.next()) throw new Error('enough')
    })
    workers.event({ name: 'one', task: one, when: after(other) })
    workers.event({ name: 'other', task: other, when: after(one) }).trigger({ force: true })
  },
  'a task that is continued by itself'(supervisor, chain) {
    const task: TaskDefinition<undefined, unknown> = defineTask({ name: freshName() }, (_: undefined, ctx) =>
      chain.next() ? ctx.next(task.call(undefined)) : 'enough',
    )
    supervisor.submit(task, undefined)
  },
  'a program that awaits one run after another'(supervisor, chain) {
    const task = taskOf(() => {})
    void (async () => {
      while (chain.next()) await supervisor.submit(task).result
    })()
  },
}

describe('the event loop turns beside', () => {
  test.each(Object.entries(chains))('%s', async (_, start) => {
    const { supervisor } = await startedSupervisor()
    const chain = new Chain()
    start(supervisor, chain)
    for (let turn = 1; turn <= 3; turn += 1) {
      await turns()
      expect(chain.runs).toBeLessThan(LIMIT)
    }
    // It goes on all the same.
    const { runs } = chain
    while (chain.runs === runs) await turns()
    chain.isCut = true
    await turns(2)
  })
})

test('occurrences that are owed leave the loop its turns, however long they take', async () => {
  const { supervisor, clock } = await startedSupervisor()
  const chain = new Chain()
  const worker = supervisor.workers.interval({
    name: 'w',
    intervalMs: 1,
    missed: 'all',
    handler() {
      if (!chain.next()) return false
      for (const end = performance.now() + 1; performance.now() < end; );
      return undefined
    },
  })
  await turns()
  worker.pause()
  await clock.advance(1_000)
  worker.resume()
  await turns()
  expect(chain.runs).toBeLessThan(200)
  chain.isCut = true
  await turns(2)
})

test('a manual clock stands still while work is put off', async () => {
  const { supervisor, clock } = await startedSupervisor()
  const seen = new Set<number>()
  supervisor.workers.queue({
    name: 'q',
    source: Array.from({ length: 3_000 }, (_, item) => item),
    handler: async () => void seen.add(clock.monotonic()),
  })
  await clock.advance(5)
  expect([...seen]).toEqual([0])
})

test('an interval below a millisecond is refused', async () => {
  const { supervisor } = await startedSupervisor()
  for (const intervalMs of [0, -1, 0.5, Number.MIN_VALUE, Number.NaN, Number.POSITIVE_INFINITY]) {
    const made = (async () => supervisor.workers.interval({ name: 'w', handler: () => {}, intervalMs }))()
    expect(await errorOf(made)).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  }
  expect(supervisor.workers.list()).toEqual([])
})
