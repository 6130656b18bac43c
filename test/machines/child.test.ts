/** Every edge of the machine of one supervised child, and what must hold on each. */
import assert from 'node:assert/strict'
import { expect, test } from 'vitest'
import { type ChildEffect, childMachine } from '../../src/machines/child.ts'
import { atomicStates, declaredTransitions } from '../../src/runtime/testing/machine-coverage.ts'
import { checkEdges } from '../../src/runtime/testing/machine-replay.ts'
import { count } from '../../src/runtime/testing/machine-walk.ts'
import { transitionTable } from '../../src/runtime/testing/transition-table.ts'
import { CHILD_EVENTS, type ChildEdge, walkChild } from '../model/child-walk.ts'

const EFFECTS: Readonly<Record<ChildEffect, true>> = {
  begin: true,
  askToStop: true,
  hurry: true,
  kill: true,
  armSignal: true,
  armShutdown: true,
  armBackoff: true,
  disarmTimer: true,
  announce: true,
}
const LIVES = ['starting', 'running', 'stopping.asked', 'stopping.hurried', 'stopping.killing']
const TIMERS: Readonly<Record<string, string | undefined>> = {
  'stopping.asked': 'armSignal',
  'stopping.hurried': 'armShutdown',
  backingOff: 'armBackoff',
}
const TYPES = [...new Set(CHILD_EVENTS.map(({ type }) => type))]

const edges = walkChild()
const facts = ({ effects }: ChildEdge): string[] =>
  effects
    .filter(({ type }) => type === 'announce')
    .map(({ params }) => (params as { readonly fact: string }).fact)

const INVARIANTS: Readonly<Record<string, (edge: ChildEdge) => void>> = {
  'asks only for effects that exist'({ effects }) {
    for (const { type } of effects) assert.ok(Object.hasOwn(EFFECTS, type), type)
  },
  'begins a life exactly when it enters starting, or is told to end what runs elsewhere': (edge) => {
    const entered = edge.target === 'starting' && edge.source !== 'starting'
    const told = edge.source === 'waiting.outside' && edge.target === 'stopping.asked'
    assert.equal(count(edge, 'begin'), Number(entered || told))
    if (told) assert.equal(edge.effects[0]?.type, 'begin')
  },
  'begins none while one lives'({ source, target, event }) {
    if (target === 'starting' && LIVES.includes(source) && source !== target)
      assert.equal(event.type, 'child.exited')
  },
  'has exactly the timer of its state'({ source, target, effects }) {
    let armed = TIMERS[source]
    for (const { type } of effects) {
      if (type === 'disarmTimer') armed = undefined
      else if (type.startsWith('arm')) armed = type
    }
    // Held by its group it waits without a timer; the owner arms none for an infinite delay.
    if (source === 'backingOff' && target === source) return
    assert.equal(armed, TIMERS[target])
  },
  'leaves a living state only when its life has ended'({ source, target, event }) {
    if (!LIVES.includes(source) || LIVES.includes(target)) return
    assert.equal(event.type, 'child.exited')
  },
  'kills once, and only what lives': (edge) => {
    const killing = edge.target === 'stopping.killing' && edge.source !== 'stopping.killing'
    assert.equal(count(edge, 'kill'), Number(killing))
    if (killing) assert.equal(edge.to.context.step, 'kill')
  },
  'asks once, with a bound': (edge) => {
    const asked = edge.target === 'stopping.asked' && edge.source !== 'stopping.asked'
    assert.equal(count(edge, 'askToStop'), Number(asked))
    if (asked) assert.equal(count(edge, 'armSignal'), 1)
  },
  'hurries once, with a bound, and says so': (edge) => {
    const hurried = edge.target === 'stopping.hurried' && edge.source !== 'stopping.hurried'
    assert.equal(count(edge, 'hurry'), Number(hurried))
    if (!hurried) return
    assert.equal(count(edge, 'armShutdown'), 1)
    assert.equal(edge.to.context.step, 'signal')
  },
  'accepts a stop in every state, and no life follows it'({ source, target, event, to }) {
    if (event.type !== 'child.stop') return
    if (source === 'starting' || source === 'running' || source === 'waiting.outside')
      assert.equal(target, 'stopping.asked')
    else if (source === 'waiting.inside' || source === 'backingOff') assert.equal(target, 'stopped')
    else assert.equal(target, source)
    if (target.startsWith('stopping')) assert.ok(['rest', 'remove'].includes(to.context.sequel))
  },
  'is removed at once when nothing lives, else after its end'({ source, event, target, to }) {
    if (event.type !== 'child.remove') return
    const lives = LIVES.includes(source) || source === 'waiting.outside'
    if (!lives) return assert.equal(target, 'removed')
    assert.ok(target.startsWith('stopping'))
    assert.equal(to.context.sequel, 'remove')
  },
  'is never talked out of its removal'({ source, event, from, to, target }) {
    if (!source.startsWith('stopping') || from.context.sequel !== 'remove') return
    if (event.type === 'child.exited') assert.equal(target, 'removed')
    else assert.equal(to.context.sequel, 'remove')
  },
  'goes on from a stop as was asked'({ source, event, from, target }) {
    if (!source.startsWith('stopping') || event.type !== 'child.exited') return
    const expected = { rest: 'stopped', start: 'starting', hold: 'backingOff', remove: 'removed' }
    assert.equal(target, expected[from.context.sequel])
  },
  'follows a hold only when its group says so'({ source, event, from, to, target }) {
    const held = source.startsWith('stopping') && target === 'backingOff'
    if (held) assert.deepEqual([from.context.sequel, to.context.delayMs], ['hold', Number.POSITIVE_INFINITY])
    if (source === 'backingOff' && event.type === 'child.hold')
      assert.equal(to.context.delayMs, Number.POSITIVE_INFINITY)
  },
  'says exactly once how a life ended'(edge) {
    const { source, target, event } = edge
    const ends = facts(edge).filter((fact) => ['done', 'failed', 'stopped', 'held'].includes(fact))
    if (event.type !== 'child.exited' || !LIVES.includes(source)) return assert.deepEqual(ends, [])
    const asked = source.startsWith('stopping')
    const kind = event.exit.kind === 'stopped' ? 'stopped' : event.exit.kind
    assert.deepEqual(ends, [target === 'backingOff' ? 'held' : asked ? 'stopped' : kind])
    assert.deepEqual(edge.to.context.exit, event.exit)
  },
  'does not hear what a life says that is over'({ source, target, event, effects }) {
    if (LIVES.includes(source) || (event.type !== 'child.exited' && event.type !== 'child.ready')) return
    assert.deepEqual([target, effects.length], [source, 0])
  },
  'counts a restart whenever a life follows another one'({ source, target, from, to, event }) {
    const follows =
      target === 'starting' &&
      source !== target &&
      (source === 'backingOff' || (source.startsWith('stopping') && event.type === 'child.exited'))
    assert.equal(to.context.restarts - from.context.restarts, Number(follows))
  },
  'stays removed'({ source }) {
    assert.notEqual(source, 'removed')
  },
}

test.each(Object.entries(INVARIANTS))('on every edge a child %s', (_, check) => {
  checkEdges(edges, check)
})

test('every declared transition, with every branch of every guard, is walked', () => {
  const walked = new Set(edges.flatMap(({ taken }) => taken))
  expect([...declaredTransitions(childMachine).values()].filter((name) => !walked.has(name))).toEqual([])
})

test('every state is reached and every known event is sent', () => {
  const reached = new Set(edges.flatMap(({ source, target }) => [source, target]))
  expect(atomicStates(childMachine).filter((state) => !reached.has(state))).toEqual([])
  expect([...TYPES].sort()).toEqual([...childMachine.events].sort())
})

test('every state answers every event as the table says', async () => {
  const table = transitionTable(childMachine, edges, TYPES)
  await expect(table).toMatchFileSnapshot('../model/__snapshots__/child.table.txt')
})
