/** Every edge of the machine of a group of children, under every strategy, and what must hold on each. */
import assert from 'node:assert/strict'
import { describe, expect, test } from 'vitest'
import { type ChildEnded, type ChildGroupEffect, childGroupMachine } from '../../src/machines/child-group.ts'
import { decide } from '../../src/machines/restart.ts'
import { atomicStates, declaredTransitions } from '../../src/runtime/testing/machine-coverage.ts'
import { checkEdges } from '../../src/runtime/testing/machine-replay.ts'
import { count } from '../../src/runtime/testing/machine-walk.ts'
import { transitionTable } from '../../src/runtime/testing/transition-table.ts'
import { type ChildGroupEdge, GROUP_EVENTS, GROUP_INPUTS, walkGroup } from '../model/child-walk.ts'

const EFFECTS: Readonly<Record<ChildGroupEffect, true>> = {
  listStarts: true,
  listAffected: true,
  listHeld: true,
  listStops: true,
  restUnstarted: true,
  removeAll: true,
  startNext: true,
  stopNext: true,
  holdNext: true,
  hurryAll: true,
  killAll: true,
  followChild: true,
  leaveChild: true,
  giveUpChild: true,
  holdChild: true,
  armBackoff: true,
  disarmBackoff: true,
  forwardEnd: true,
  announce: true,
}
const RESTS = ['idle', 'stopped', 'failed']
const STOPPING = ['stopping.inOrder', 'stopping.hurried', 'stopping.killed']
const FOLLOWING = [
  'starting',
  'running',
  'recovering.stopping',
  'recovering.backingOff',
  'recovering.starting',
]
const TYPES = [...new Set(GROUP_EVENTS.map(({ type }) => type))]

const all = GROUP_INPUTS.flatMap((input) => walkGroup(input))
const asked = ({ effects }: ChildGroupEdge): string[] => effects.map(({ type }) => type)
const facts = ({ effects }: ChildGroupEdge): string[] =>
  effects
    .filter(({ type }) => type === 'announce')
    .map(({ params }) => (params as { readonly fact: string }).fact)
const isFollowed = ({ exit, child, isUnwanted }: ChildEnded): boolean =>
  !isUnwanted && decide(exit, child.restartType) === 'restart'

const INVARIANTS: Readonly<Record<string, (edge: ChildGroupEdge) => void>> = {
  'asks only for effects that exist'({ effects }) {
    for (const { type } of effects) assert.ok(Object.hasOwn(EFFECTS, type), type)
  },
  'accepts a stop and a kill in every state'({ source, target, event }) {
    if (source === 'removed') return assert.equal(target, source)
    if (event.type === 'group.stop') {
      if (source === 'stopped' || source === 'failed') assert.equal(target, 'stopped')
      else assert.ok(STOPPING.includes(target), target)
    }
    if (event.type !== 'group.kill') return
    assert.equal(target, source === 'stopped' || source === 'failed' ? 'stopped' : 'stopping.killed')
  },
  'is removed with all that is in it when it rests, and is not to be started again'(edge) {
    const { event, source, target } = edge
    const removes = event.type === 'group.remove' && RESTS.includes(source)
    assert.equal(count(edge, 'removeAll'), Number(removes))
    if (removes || source === 'removed') return assert.equal(target, 'removed')
    if (event.type === 'group.remove') assert.deepEqual([target, edge.effects], [source, []])
  },
  'answers every end of a child exactly once'(edge) {
    const { event, source, target } = edge
    if (event.type !== 'child.ended') return
    const follows = count(edge, 'followChild') + count(edge, 'listAffected') + count(edge, 'holdChild')
    assert.equal(follows + count(edge, 'leaveChild') + count(edge, 'giveUpChild'), 1)
    if (follows > 0 && count(edge, 'holdChild') === 0) assert.ok(isFollowed(event))
    if (count(edge, 'giveUpChild') > 0) assert.ok(isFollowed(event) && event.account === 'spent')
    if (!FOLLOWING.includes(source)) assert.equal(count(edge, 'leaveChild'), 1)
    if (count(edge, 'followChild') > 0) assert.equal(target, source)
  },
  'follows nobody once it stops, has stopped or gives up'({ source, effects }) {
    if (FOLLOWING.includes(source)) return
    for (const { type } of effects)
      assert.ok(!['followChild', 'listAffected', 'holdChild', 'giveUpChild'].includes(type))
  },
  'restarts within the intensity, and gives up beyond it'(edge) {
    const { source, event, from, to, target } = edge
    if (event.type !== 'child.ended' || !FOLLOWING.includes(source)) return
    if (event.isStartFailure && source === 'starting') {
      assert.equal(target, 'escalating')
      return assert.equal(to.context.failure?.reason, 'startFailed')
    }
    if (!isFollowed(event) || (event.isAffected && source === 'recovering.stopping')) return
    if (event.account !== 'shared') {
      assert.deepEqual([to.context, target], [from.context, source])
      return assert.equal(count(edge, event.account === 'own' ? 'followChild' : 'giveUpChild'), 1)
    }
    const { times, intensity } = from.context
    // All happen at one instant.
    if (times.length < intensity) {
      assert.equal(to.context.times.length, times.length + 1)
      return assert.notEqual(target, 'escalating')
    }
    assert.equal(target, 'escalating')
    assert.equal(to.context.failure?.reason, 'intensity')
    assert.equal(to.context.failure?.child, event.child)
  },
  'takes siblings along under one-for-all and rest-for-one only'({ from, target }) {
    if (from.context.strategy === 'one-for-one') assert.ok(!target.startsWith('recovering'))
  },
  'escalates once, with a failure'(edge) {
    const { source, target, to } = edge
    const escalates = target === 'escalating' && source !== target
    assert.equal(facts(edge).filter((fact) => fact === 'escalated').length, Number(escalates))
    if (escalates) assert.ok(to.context.failure !== undefined)
  },
  'lists anew what it goes through on every entry'(edge) {
    const { source, target, event } = edge
    const entered = (state: string): number =>
      Number(target.startsWith(state) && (!source.startsWith(state) || count(edge, 'noteRestart') > 0))
    assert.equal(count(edge, 'listStarts'), entered('starting'))
    assert.equal(count(edge, 'listHeld'), entered('recovering.starting'))
    const stops = (target === 'escalating' && source !== target) || entered('stopping') > 0
    assert.equal(count(edge, 'listStops'), Number(stops))
    const widened =
      target === 'recovering.stopping' &&
      (source !== target ||
        (event.type === 'child.ended' &&
          isFollowed(event) &&
          event.account === 'shared' &&
          count(edge, 'holdChild') === 0))
    assert.equal(count(edge, 'listAffected'), Number(widened))
  },
  'goes on with its list whenever one on it is settled'(edge) {
    const { source, event } = edge
    if (event.type !== 'child.settled') return
    const next: Record<string, string> = {
      starting: 'startNext',
      'recovering.stopping': 'holdNext',
      'recovering.starting': 'startNext',
      escalating: 'stopNext',
      'stopping.inOrder': 'stopNext',
      'stopping.hurried': 'stopNext',
      'stopping.killed': 'stopNext',
    }
    assert.deepEqual(asked(edge), next[source] === undefined ? [] : [next[source]])
  },
  'has its backoff timer exactly while it backs off': (edge) => {
    let armed = edge.source === 'recovering.backingOff'
    for (const type of asked(edge)) {
      if (type === 'armBackoff') armed = true
      if (type === 'disarmBackoff') armed = false
    }
    assert.equal(armed, edge.target === 'recovering.backingOff')
  },
  'tells each turn of its life once'(edge) {
    const { source, target } = edge
    const expected: string[] = []
    if (target === 'running' && source === 'starting') expected.push('started')
    if (target === 'running' && source === 'recovering.starting') expected.push('recovered')
    if (target === 'escalating' && source !== target) expected.push('escalated')
    if (target === 'failed' && source !== target) expected.push('failed')
    if (target === 'stopped' && STOPPING.includes(source)) expected.push('stopped')
    assert.deepEqual(facts(edge), expected)
  },
  'hears of ends of actors in every state'(edge) {
    if (!edge.event.type.startsWith('xstate.')) return
    assert.deepEqual([asked(edge), edge.target], [['forwardEnd'], edge.source])
  },
  'tells those that never lived when it has ended'({ source, target, effects }) {
    const ended = source !== target && (target === 'stopped' || target === 'failed')
    assert.equal(effects.filter(({ type }) => type === 'restUnstarted').length, ended ? 1 : 0)
  },
  'forgets restarts and failure when it is started'({ source, target, to }) {
    if (target !== 'starting' || source === target) return
    assert.deepEqual([to.context.times, to.context.failure], [[], undefined])
  },
}

test.each(Object.entries(INVARIANTS))('on every edge a group %s', (_, check) => {
  checkEdges(all, check)
})

test('every declared transition, with every branch of every guard, is walked', () => {
  const walked = new Set(all.flatMap(({ taken }) => taken))
  expect([...declaredTransitions(childGroupMachine).values()].filter((name) => !walked.has(name))).toEqual([])
})

test('every state is reached and every known event is sent', () => {
  const reached = new Set(all.flatMap(({ source, target }) => [source, target]))
  expect(atomicStates(childGroupMachine).filter((state) => !reached.has(state))).toEqual([])
  expect([...TYPES].sort()).toEqual([...childGroupMachine.events].sort())
})

describe('every state answers every event as the table says', () => {
  test.each(['one-for-one', 'one-for-all'])('%s', async (strategy) => {
    const edges = all.filter(({ from }) => from.context.strategy === strategy)
    const table = transitionTable(childGroupMachine, edges, TYPES)
    await expect(table).toMatchFileSnapshot(`../model/__snapshots__/child-group.${strategy}.table.txt`)
  })
})
