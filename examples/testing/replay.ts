import { equal } from 'node:assert/strict'
import { setup } from 'xstate'
import { defineTask, type Run } from '../../src/index.ts'
import { createTestSupervisor, replay, walkMachine } from '../../src/runtime/testing/index.ts'

// What we believe of a report: it is tried once more, waits for a slot at night, and can always be called off.
const reportModel = setup({
  types: { events: {} as { type: 'admit' | 'deliver' | 'fail' | 'wait' | 'callOff' } },
}).createMachine({
  id: 'report',
  initial: 'queued',
  states: {
    queued: { on: { admit: 'running', callOff: 'cancelled' } },
    running: { on: { deliver: 'finished', fail: 'retrying', callOff: 'cancelled' } },
    retrying: { on: { wait: 'queuedAgain', callOff: 'cancelled' } },
    queuedAgain: { on: { admit: 'runningAgain', callOff: 'cancelled' } },
    runningAgain: { on: { deliver: 'finished', fail: 'failed', callOff: 'cancelled' } },
    finished: { type: 'final' },
    failed: { type: 'final' },
    cancelled: { type: 'final' },
  },
})

const report = defineTask(
  { name: 'report', retry: { attempts: 2, backoff: { kind: 'fixed', initialMs: 1_000, jitter: 'none' } } },
  async () => 'a long one',
)

const edges = walkMachine(reportModel, {
  events: (['admit', 'deliver', 'fail', 'wait', 'callOff'] as const).map((type) => ({ type })),
}).filter(({ taken }) => taken.length > 0)

const { paths, edges: walked } = await replay(edges, {
  async begin() {
    const test = createTestSupervisor()
    await test.supervisor.start()
    test.supervisor.pause()
    return { test, run: test.supervisor.submit(report) as Run }
  },
  async act({ test, run }, { event }) {
    if (event.type === 'admit') {
      test.supervisor.resume()
      test.supervisor.pause()
    } else if (event.type === 'wait') await test.clock.advance(1_000)
    else if (event.type === 'callOff') run.cancel()
    else if (event.type === 'deliver') test.attemptOf(run).return('done')
    else test.attemptOf(run).throw(new Error('no data'))
    await test.turn()
  },
  check: ({ run }, { target }) => equal(run.state, target.replace('Again', '')),
  end: ({ test }) => test.stop(),
})
console.log(`${walked} edges in ${paths} paths`) // → 12 edges in 8 paths
