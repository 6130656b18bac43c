import assert from 'node:assert/strict'
import { expect, test } from 'vitest'
import { type LeaseKeeperEvent, leaseKeeperMachine } from '../../src/machines/lease-keeper.ts'
import { atomicStates, declaredTransitions } from '../../src/runtime/testing/machine-coverage.ts'
import { checkEdges } from '../../src/runtime/testing/machine-replay.ts'
import { walkMachine } from '../../src/runtime/testing/machine-walk.ts'

const EVENTS: LeaseKeeperEvent[] = [
  { type: 'lease.taken' },
  { type: 'store.answered', held: 0 },
  { type: 'store.answered', held: 3 },
  { type: 'store.failed', error: 'away' },
  { type: 'store.locked' },
  { type: 'keeper.look', isOver: false },
  { type: 'keeper.look', isOver: true },
  { type: 'timer.renew' },
  { type: 'timer.overdue' },
  { type: 'keeper.stop' },
]
const edges = walkMachine(leaseKeeperMachine, {
  input: undefined,
  events: EVENTS,
  project: () => '',
  limit: 1_000,
})
const isDoubtful = (state: string): boolean => state.startsWith('doubtful')
const TIMED = ['resting', 'doubtful.retrying', 'doubtful.locked']
const ASKING = ['doubtful.renewing', 'doubtful.again']

test('every state and every declared transition is walked', () => {
  const seen = new Set(edges.flatMap(({ source, target }) => [source, target]))
  expect([...seen].sort()).toEqual(atomicStates(leaseKeeperMachine).sort())
  const taken = new Set(edges.flatMap((edge) => edge.taken))
  expect([...declaredTransitions(leaseKeeperMachine).values()].filter((name) => !taken.has(name))).toEqual([])
})

test('on every edge it has the timers of its state, and asks once for each answer', () => {
  checkEdges(edges, ({ source, target, event, effects }) => {
    const asked = effects.map(({ type }) => type)
    let timer = TIMED.includes(source) && event.type !== 'timer.renew'
    let watch = isDoubtful(source) && event.type !== 'timer.overdue'
    for (const type of asked) {
      if (type === 'armRenew' || type === 'armRetry') timer = true
      else if (type === 'disarm') timer = false
      else if (type === 'armOverdue') watch = true
      else if (type === 'disarmOverdue') watch = false
    }
    assert.equal(timer, TIMED.includes(target))
    assert.equal(watch, isDoubtful(target))
    assert.equal(
      asked.filter((type) => type === 'renew').length,
      Number(ASKING.includes(target) && source !== target),
    )
    // A failure is told once, and so is that it works again.
    const told = effects.flatMap(({ type, params }) => (type === 'announce' ? [params] : []))
    const fact =
      event.type === 'store.failed' && source === 'doubtful.renewing'
        ? 'renewalFailed'
        : ['store.answered', 'store.locked'].includes(event.type) &&
          source === 'doubtful.again' &&
          'renewalWorks'
    assert.deepEqual(told, fact ? [{ fact }] : [])
    assert.equal(asked.includes('endOverdue'), event.type === 'timer.overdue' && isDoubtful(source))
    // Nothing is taken back, which asks in `idle` or `resting`, before a lease that is over was renewed.
    if (event.type === 'keeper.look') {
      assert.equal(target, event.isOver && source === 'resting' ? 'doubtful.renewing' : source)
    }
    // Who wanted to take something back meanwhile hears when he may.
    assert.equal(asked.includes('reportCalm'), isDoubtful(source) && event.type === 'store.answered')
    if (event.type === 'keeper.stop') assert.equal(target, 'idle')
  })
})
