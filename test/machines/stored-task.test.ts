import assert from 'node:assert/strict'
import { describe, expect, it } from 'vitest'
import {
  ENDED_STATES,
  publicState,
  type StoredLife,
  type StoredTaskEvent,
  storedTaskMachine,
} from '../../src/machines/stored-task.ts'
import { atomicStates, declaredTransitions } from '../../src/runtime/testing/machine-coverage.ts'
import { checkEdges } from '../../src/runtime/testing/machine-replay.ts'
import { walkMachine } from '../../src/runtime/testing/machine-walk.ts'

const FENCES = [1, 2]
const EVENTS: StoredTaskEvent[] = [
  { type: 'task.claim', at: 10, leaseUntil: 20 },
  { type: 'task.claim', at: 5, leaseUntil: 20 },
  { type: 'lease.expired', at: 20, lostLimit: 1 },
  { type: 'lease.expired', at: 19, lostLimit: 1 },
  { type: 'task.cancel' },
  { type: 'task.replace' },
  { type: 'task.retry', runAt: 10, waits: false },
  { type: 'task.retry', runAt: 10, waits: true },
  { type: 'children.ended', at: 10 },
  { type: 'task.move', runAt: 10 },
  { type: 'task.overdue', reason: 'deadline' },
  { type: 'task.overdue', reason: 'expired' },
  { type: 'task.remove' },
  ...FENCES.flatMap((fence): StoredTaskEvent[] => [
    { type: 'lease.renew', fence, leaseUntil: 25 },
    { type: 'attempt.finished', fence },
    { type: 'attempt.failed', fence, retryAt: undefined },
    { type: 'attempt.failed', fence, retryAt: 10 },
    { type: 'attempt.terminated', fence },
    { type: 'attempt.cancelled', fence },
    { type: 'attempt.snoozed', fence, until: 10 },
    { type: 'attempt.continued', fence, runAt: 10 },
    { type: 'attempt.forked', fence, runAt: 10 },
    { type: 'attempt.returned', fence },
  ]),
]
const edges = walkMachine(storedTaskMachine, {
  input: { runAt: 10 },
  events: EVENTS,
  project: (context: StoredLife) => JSON.stringify(context),
  accepts: (snapshot) => (snapshot.context as StoredLife).fence < 4,
  limit: 100_000,
})
const top = (state: string): string => state.split('.')[0] as string
const isEnded = (state: string): boolean => (ENDED_STATES as readonly string[]).includes(state)

describe('a task in its store', () => {
  it('is walked through every state and every declared transition', () => {
    const seen = new Set(edges.flatMap(({ source, target }) => [source, target]))
    expect([...seen].sort()).toEqual(atomicStates(storedTaskMachine).sort())
    const taken = new Set(edges.flatMap((edge) => edge.taken))
    expect([...declaredTransitions(storedTaskMachine).values()].filter((name) => !taken.has(name))).toEqual(
      [],
    )
  })

  it('keeps what must hold on every edge', () => {
    checkEdges(edges, ({ from, to, source, target, event }) => {
      const [a, b] = [from.context, to.context]
      // Who does not hold the fence changes nothing.
      if ('fence' in event && (top(source) !== 'running' || event.fence !== a.fence)) {
        assert.equal(target, source)
        assert.deepEqual(b, a)
      }
      // Only a claim takes a fence, and never an old one.
      assert.equal(b.fence - a.fence, event.type === 'task.claim' && target !== source ? 1 : 0)
      // A lease is held exactly while it runs.
      assert.equal(b.leaseUntil > 0, top(target) === 'running')
      // Running begins by a claim of what is due only.
      if (top(source) !== 'running' && top(target) === 'running') {
        assert.equal(event.type, 'task.claim')
        assert.equal(target, 'running.held')
        assert.ok(event.type === 'task.claim' && a.runAt <= event.at)
      }
      // A lease ends before its time only by its holder.
      if (top(source) === 'running' && top(target) !== 'running' && !('fence' in event)) {
        assert.ok(event.type === 'lease.expired' && a.leaseUntil <= event.at)
      }
      // Overdue is only what waits, and that ends it at once.
      if (event.type === 'task.overdue') {
        const end = event.reason === 'expired' ? 'failed' : 'terminated'
        assert.equal(target, top(source) === 'pending' ? end : source)
      }
      // What was asked to end never waits again.
      if (source === 'running.asked' || source === 'running.replaced') {
        assert.notEqual(top(target), 'pending')
        assert.notEqual(target, 'running.held')
      }
      // An end is an end, unless a person wants it once more; a result is for good.
      if (isEnded(source) && target !== source) {
        assert.ok(event.type === 'task.remove' || (event.type === 'task.retry' && source !== 'finished'))
      }
      // Attempts count what began and was neither snoozed nor handed back.
      assert.ok(b.attempt >= 0)
      if (target === 'pending.snooze' || target === 'pending.returned') {
        if (source !== target) assert.equal(b.attempt, a.attempt - 1)
      }
      if (event.type === 'lease.expired' && target === 'pending.retry' && source !== target) {
        assert.equal(b.lost, a.lost + 1)
        assert.ok(b.lost <= event.lostLimit)
      }
    })
  })

  it('is called in public by what it waits for, and queued once it may run', () => {
    expect(publicState('pending', 'new', 11, 10)).toBe('scheduled')
    expect(publicState('pending', 'retry', 11, 10)).toBe('retrying')
    expect(publicState('pending', 'snooze', 11, 10)).toBe('snoozed')
    expect(publicState('pending', 'step', 11, 10)).toBe('scheduled')
    expect(publicState('pending', 'snooze', 10, 10)).toBe('queued')
    expect(publicState('running', 'asked', 0, 10)).toBe('running')
    expect(publicState('forked', null, 0, 10)).toBe('running')
    for (const state of ENDED_STATES) expect(publicState(state, null, 0, 10)).toBe(state)
  })
})
