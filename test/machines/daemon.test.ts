/** Every edge of the daemon machine, and what must hold on each. */
import assert from 'node:assert/strict'
import { expect, test } from 'vitest'
import { type DaemonEffect, daemonMachine } from '../../src/machines/daemon.ts'
import { atomicStates, declaredTransitions } from '../../src/runtime/testing/machine-coverage.ts'
import { checkEdges } from '../../src/runtime/testing/machine-replay.ts'
import { count } from '../../src/runtime/testing/machine-walk.ts'
import { transitionTable } from '../../src/runtime/testing/transition-table.ts'
import { DAEMON_EVENT_TYPES, type DaemonEdge, walkDaemon } from '../model/daemon-walk.ts'

const EFFECTS: Readonly<Record<DaemonEffect, true>> = {
  listen: true,
  unlisten: true,
  register: true,
  claim: true,
  takeClaimed: true,
  returnClaimed: true,
  awaitDue: true,
  awaitPlace: true,
  armBackoff: true,
  disarmBackoff: true,
  returnUnstarted: true,
  signalRuns: true,
  killRuns: true,
  emptyOutbox: true,
  leave: true,
  armSignal: true,
  armKill: true,
  armEnd: true,
  disarmBound: true,
  announce: true,
}
/** The bound that runs in each state. */
const BOUNDS: Readonly<Record<string, string | undefined>> = {
  'draining.waiting': 'armSignal',
  'draining.signalled': 'armKill',
  'draining.killing': 'armEnd',
  'leaving.emptying': 'armEnd',
  'leaving.deregistering': 'armEnd',
  'leaving.waiting': 'armEnd',
}
const CLAIMING = ['working.claiming', 'working.nudged', 'backingOff.asking', 'backingOff.silent']
const BACKING_OFF = ['backingOff.waiting', 'leaving.waiting']
const top = (state: string): string => state.split('.')[0] as string
const isUp = (state: string): boolean => ['working', 'backingOff'].includes(top(state))
const isEnding = (state: string): boolean => ['draining', 'leaving', 'stopped'].includes(top(state))

const edges = walkDaemon()
const order = ({ effects }: DaemonEdge): string[] => effects.map(({ type }) => type)
const facts = ({ effects }: DaemonEdge): string[] =>
  effects.flatMap(({ type, params }) => (type === 'announce' ? [(params as { fact: string }).fact] : []))

const INVARIANTS: Readonly<Record<string, (edge: DaemonEdge) => void>> = {
  'asks only for effects that it declares'(edge) {
    for (const type of order(edge)) assert.ok(type in EFFECTS, type)
  },
  'has one claim on its way, and only where it awaits an answer'(edge) {
    const { source, target, event } = edge
    const asks = count(edge, 'claim')
    assert.ok(asks <= 1)
    const answered = event.type === 'claim.answered' || event.type === 'store.failed'
    const wasOnItsWay = CLAIMING.includes(source) && !answered
    assert.equal(asks, Number(CLAIMING.includes(target) && !wasOnItsWay))
  },
  'asks once more where news has come since the claim was sent'({ source, target, event }) {
    // News in `claiming` leads to `nudged`; all others that await an answer have no place for it.
    if (event.type === 'daemon.nudge' && source === 'working.claiming') assert.equal(target, 'working.nudged')
    if (event.type !== 'claim.answered' || !CLAIMING.includes(source)) return
    if (source !== 'working.claiming') assert.equal(target, 'working.claiming')
  },
  'asks a store that did not answer as soon as it answers anybody'({ source, target, event }) {
    if (event.type !== 'store.answered') return
    assert.equal(target, source === 'backingOff.waiting' ? 'backingOff.asking' : source)
  },
  'takes what a claim brings while it works, and else hands it back'(edge) {
    const { source, event } = edge
    const isAnswer = event.type === 'claim.answered' && source !== 'stopped'
    const takes = isAnswer && CLAIMING.includes(source)
    assert.equal(count(edge, 'takeClaimed'), Number(takes))
    assert.equal(count(edge, 'returnClaimed'), Number(isAnswer && !takes))
  },
  'claims nothing once a stop was asked for, and never works again'({ source, target, ...edge }) {
    if (!isEnding(source)) return
    assert.ok(isEnding(target))
    assert.equal(count(edge as DaemonEdge, 'claim'), 0)
  },
  'is stopped or on its way to it after every stop and kill'({ source, target, event }) {
    if (event.type !== 'daemon.stop' && event.type !== 'daemon.kill') return
    assert.ok(isEnding(target))
    if (source === 'idle') assert.equal(target, 'stopped')
  },
  'listens from its start to its end'(edge) {
    const { source, target } = edge
    const starts = source === 'idle' && target === 'starting'
    assert.equal(count(edge, 'listen'), Number(starts))
    assert.equal(count(edge, 'register'), Number(starts))
    const ends = source !== 'idle' && top(target) === 'draining' && top(source) !== 'draining'
    assert.equal(count(edge, 'unlisten'), Number(ends))
    assert.equal(count(edge, 'returnUnstarted'), Number(ends))
  },
  'has exactly the bound of its state'(edge) {
    const { source, target, effects } = edge
    let armed = BOUNDS[source]
    for (const { type } of effects) {
      if (type === 'disarmBound') armed = undefined
      else if (['armSignal', 'armKill', 'armEnd'].includes(type)) armed = type
    }
    assert.equal(armed, BOUNDS[target])
  },
  'waits before it asks a store again that did not answer'(edge) {
    const { source, target, effects } = edge
    let armed = BACKING_OFF.includes(source) && edge.event.type !== 'timer.backoff'
    for (const { type } of effects) {
      if (type === 'armBackoff') armed = true
      else if (type === 'disarmBackoff') armed = false
    }
    assert.equal(armed, BACKING_OFF.includes(target))
  },
  'says once each that it is up, that the store is gone and back, that it stops and has stopped'(edge) {
    const { source, target, event } = edge
    const said: string[] = []
    if (source === 'starting' && isUp(target)) said.push('started')
    if (top(target) === 'backingOff' && top(source) !== 'backingOff') said.push('storeLost')
    if (top(source) === 'backingOff' && top(target) === 'working') said.push('storeFound')
    if (top(target) === 'draining' && top(source) !== 'draining') said.push('stopping')
    if (target === 'stopped' && source !== 'stopped') said.push('stopped')
    assert.deepEqual(facts(edge), said, event.type)
  },
  'brings the instants of a stop only ever nearer'({ source, from, to, event }) {
    if (!isEnding(source) || event.type !== 'daemon.stop') return
    assert.ok(to.context.plan.signalAt <= from.context.plan.signalAt)
    assert.ok(to.context.plan.killAt <= from.context.plan.killAt)
    if (source === 'draining.waiting' || source === 'draining.signalled' || top(source) === 'leaving') {
      assert.ok(to.context.plan.killAt <= event.plan.killAt)
    }
  },
  'tells its runs to end when the signal is due, and kills them at the bound'(edge) {
    const { source, target } = edge
    const signals = target === 'draining.signalled' && source !== target
    const again = target === source && count(edge, 'armKill') > 0
    assert.equal(count(edge, 'signalRuns'), Number(signals || again))
    assert.equal(count(edge, 'killRuns'), Number(target === 'draining.killing' && source !== target))
  },
  'leaves only when nothing runs, and is taken off the list before it has stopped in time'(edge) {
    const { source, target, event } = edge
    if (top(target) === 'leaving' && top(source) !== 'leaving') assert.equal(event.type, 'daemon.drained')
    assert.equal(count(edge, 'leave'), Number(target === 'leaving.deregistering' && source !== target))
    if (target !== 'stopped' || source === 'idle') return
    const inTime = source === 'leaving.deregistering' && event.type === 'daemon.left'
    assert.ok(inTime || event.type === 'timer.end', event.type)
  },
  'counts failures of the store until it answers'({ source, from, to, event }) {
    const { failures } = from.context
    if (event.type === 'claim.answered' && source === 'backingOff.asking')
      assert.equal(to.context.failures, 0)
    else if (event.type !== 'store.failed') assert.equal(to.context.failures, failures)
    else assert.ok(to.context.failures === failures || to.context.failures === failures + 1)
  },
}

test.each(Object.entries(INVARIANTS))('on every edge a daemon %s', (_, check) => {
  checkEdges(edges, check)
})

test('every declared transition, with every branch of every guard, is walked', () => {
  const walked = new Set(edges.flatMap(({ taken }) => taken))
  const missing = [...declaredTransitions(daemonMachine).values()].filter((name) => !walked.has(name))
  expect(missing).toEqual([])
})

test('every state is reached and every known event is sent', () => {
  const reached = new Set(edges.flatMap(({ source, target }) => [source, target]))
  expect(atomicStates(daemonMachine).filter((state) => !reached.has(state))).toEqual([])
  expect([...DAEMON_EVENT_TYPES].sort()).toEqual([...daemonMachine.events].sort())
})

test('every state answers every event as the table says', async () => {
  const table = transitionTable(daemonMachine, edges, DAEMON_EVENT_TYPES)
  await expect(table).toMatchFileSnapshot('../model/__snapshots__/daemon.table.txt')
})
