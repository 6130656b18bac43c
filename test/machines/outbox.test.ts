import assert from 'node:assert/strict'
import { expect, test } from 'vitest'
import { type OutboxEvent, outboxMachine } from '../../src/machines/outbox.ts'
import { atomicStates, declaredTransitions } from '../../src/runtime/testing/machine-coverage.ts'
import { checkEdges } from '../../src/runtime/testing/machine-replay.ts'
import { walkMachine } from '../../src/runtime/testing/machine-walk.ts'

const EVENTS: OutboxEvent[] = [
  { type: 'report.added' },
  { type: 'store.answered', rest: 0 },
  { type: 'store.answered', rest: 2 },
  { type: 'store.failed', error: 'away' },
  { type: 'timer.retry' },
  { type: 'store.found' },
]
const edges = walkMachine(outboxMachine, {
  input: undefined,
  events: EVENTS,
  project: ({ failures }: { failures: number }) => String(Math.min(failures, 1)),
  limit: 1_000,
})

test('every state and every declared transition is walked', () => {
  const seen = new Set(edges.flatMap(({ source, target }) => [source, target]))
  expect([...seen].sort()).toEqual(atomicStates(outboxMachine).sort())
  const taken = new Set(edges.flatMap((edge) => edge.taken))
  expect([...declaredTransitions(outboxMachine).values()].filter((name) => !taken.has(name))).toEqual([])
})

test('on every edge one batch is on its way at a time, and nothing is left when it says so', () => {
  checkEdges(edges, ({ source, target, event, effects, to }) => {
    const asked = effects.map(({ type }) => type)
    const answered = event.type === 'store.answered' || event.type === 'store.failed'
    const sends = target === 'sending' && (source !== 'sending' || answered)
    assert.equal(asked.filter((type) => type === 'send').length, Number(sends))
    assert.equal(asked.includes('sendEach'), target === 'checking' && source !== target)
    assert.equal(asked.includes('armRetry'), target === 'waiting' && source !== target)
    assert.equal(asked.includes('disarmRetry'), source === 'waiting' && source !== target)
    assert.equal(asked.includes('reportFailure'), target === 'waiting' && source === 'sending')
    assert.equal(asked.includes('reportEmptied'), target === 'empty' && source !== target)
    if (event.type === 'store.answered' && (source === 'sending' || source === 'checking')) {
      assert.equal(target, event.rest > 0 ? 'sending' : 'empty')
      assert.equal(to.context.failures, 0)
    }
  })
})
