/** Every edge of the supervisor machine, and what must hold on each. */
import assert from 'node:assert/strict'
import { expect, test } from 'vitest'
import { type SupervisorEffect, supervisorMachine } from '../../src/machines/supervisor.ts'
import { atomicStates, declaredTransitions } from '../../src/runtime/testing/machine-coverage.ts'
import { checkEdges } from '../../src/runtime/testing/machine-replay.ts'
import { count } from '../../src/runtime/testing/machine-walk.ts'
import { transitionTable } from '../../src/runtime/testing/transition-table.ts'
import { SUPERVISOR_EVENT_TYPES, type SupervisorEdge, walkSupervisor } from '../model/supervisor-walk.ts'

const EFFECTS: Readonly<Record<SupervisorEffect, true>> = {
  prepare: true,
  beginReport: true,
  startLoops: true,
  runStartup: true,
  startChildren: true,
  stopChildren: true,
  hurryChildren: true,
  killChildren: true,
  stopLoops: true,
  killLoops: true,
  runShutdown: true,
  skipShutdown: true,
  openAdmission: true,
  openEarly: true,
  holdAdmission: true,
  endWaiting: true,
  signalAll: true,
  killAll: true,
  closeExecutors: true,
  leaveExecutors: true,
  armSignalTimer: true,
  armKillTimer: true,
  armCloseTimer: true,
  disarmTimers: true,
  announce: true,
}
const TIMERS: Readonly<Record<string, string | undefined>> = {
  'draining.asked': 'armSignalTimer',
  'draining.givingUp': 'armSignalTimer',
  'stopping.signalling': 'armKillTimer',
  'stopping.finishing.undisturbed': 'armSignalTimer',
  'stopping.finishing.signalled': 'armKillTimer',
  'stopping.endingLoops': 'armKillTimer',
  'stopping.closing': 'armCloseTimer',
}
const FINISHING = ['stopping.finishing.undisturbed', 'stopping.finishing.signalled']
/** Whom a state admits. */
const ADMITS: Readonly<Record<string, 'all' | 'early' | undefined>> = {
  running: 'all',
  'draining.asked': 'all',
  'draining.givingUp': 'all',
  'starting.initiating': 'early',
  'stopping.finishing.undisturbed': 'early',
  'stopping.finishing.signalled': 'early',
}
const ADMITTED = ['running', 'paused']
const NEVER_RAN = ['idle', 'failed']
const DRAINING = ['draining.asked', 'draining.givingUp']
const ENDING = [
  ...DRAINING,
  'stopping.signalling',
  'stopping.killing',
  ...FINISHING,
  'stopping.endingLoops',
  'stopping.closing',
]
const STARTING = [
  'starting.preparing',
  'starting.startingLoops',
  'starting.initiating',
  'starting.bringingUp',
]

const edges = walkSupervisor()
const order = ({ effects }: SupervisorEdge): string[] => effects.map(({ type }) => type)
const facts = ({ effects }: SupervisorEdge): string[] =>
  effects
    .filter(({ type }) => type === 'announce')
    .map(({ params }) => (params as { readonly fact: string }).fact)

const INVARIANTS: Readonly<Record<string, (edge: SupervisorEdge) => void>> = {
  'asks only for effects that exist'({ effects }) {
    for (const { type } of effects) assert.ok(Object.hasOwn(EFFECTS, type), type)
  },
  'answers a stop, with the plan in its context'({ event, source, target, to, taken }) {
    if (event.type !== 'supervisor.stop') return
    assert.ok(taken.length > 0)
    if (source === 'stopped') return assert.equal(target, 'stopped')
    assert.ok(ENDING.includes(target), target)
    if (!ENDING.includes(source)) assert.deepEqual(to.context.plan, event.plan)
  },
  'can be started unless it lives': ({ event, source, target, to, effects }) => {
    if (event.type !== 'supervisor.start') return
    const starts = source === 'idle' || source === 'stopped' || source === 'failed'
    assert.equal(target, starts ? 'starting.preparing' : source)
    if (!starts) return assert.equal(effects.length, 0)
    assert.deepEqual([to.context.plan, to.context.error], [undefined, undefined])
    assert.deepEqual(
      effects.map(({ type }) => type),
      ['prepare'],
    )
  },
  'admits all in running and draining, its own tasks at start and end, and nobody else'({
    source,
    target,
    effects,
  }) {
    let open = ADMITS[source]
    for (const { type } of effects) {
      if (type === 'openAdmission') open = 'all'
      if (type === 'openEarly') open = 'early'
      if (type === 'holdAdmission') open = undefined
    }
    assert.equal(open, ADMITS[target])
  },
  'holds admission before it signals, kills or closes'(edge) {
    const asked = order(edge)
    for (const type of ['signalAll', 'stopLoops']) {
      if (asked.includes(type) && ADMITS[edge.source] === 'all') {
        assert.ok(asked.includes('holdAdmission') && asked.indexOf('holdAdmission') < asked.indexOf(type))
      }
    }
  },
  'ends what waits once, before admission opens, when it drains'(edge) {
    const { from, event } = edge
    const drains = DRAINING.includes(edge.target) && !DRAINING.includes(edge.source)
    // A second stop may want the queued ones ended that the first one let run.
    const endsMore =
      DRAINING.includes(edge.target) &&
      event.type === 'supervisor.stop' &&
      event.plan.endQueued &&
      from.context.plan?.endQueued === false
    assert.equal(count(edge, 'endWaiting'), Number(drains || endsMore))
    if (drains) assert.ok(order(edge).indexOf('endWaiting') < order(edge).indexOf('openAdmission'))
  },
  'runs nothing when a supervisor that never ran is stopped'({ source, target, event, effects }) {
    if (event.type !== 'supervisor.stop' || !NEVER_RAN.includes(source)) return
    assert.equal(target, 'stopping.signalling')
    assert.ok(!effects.some(({ type }) => type === 'openAdmission'))
  },
  'has exactly the timer of its state'({ source, target, effects }) {
    let armed = TIMERS[source]
    for (const { type } of effects) {
      if (type === 'disarmTimers') armed = undefined
      else if (type.startsWith('arm')) armed = type
    }
    assert.equal(armed, TIMERS[target])
  },
  'never puts a bound off'({ source, from, to }) {
    const { plan } = from.context
    if (!ENDING.includes(source) || plan === undefined) return
    assert.ok((to.context.plan?.signalAt ?? Number.NaN) <= plan.signalAt)
    assert.ok((to.context.plan?.killAt ?? Number.NaN) <= plan.killAt)
  },
  'takes a sooner bound while handlers still have their grace'(edge) {
    const { source, target, event, to, from } = edge
    const drains = DRAINING.includes(source)
    if (event.type !== 'supervisor.stop' || (!drains && source !== 'stopping.signalling')) return
    assert.equal(to.context.plan?.killAt, Math.min(event.plan.killAt, from.context.plan?.killAt ?? 0))
    const sooner = event.plan.killAt < (from.context.plan?.killAt ?? 0)
    const signalsSooner = sooner || event.plan.signalAt < (from.context.plan?.signalAt ?? 0)
    if (drains && target === source) {
      const endsMore = event.plan.endQueued && from.context.plan?.endQueued === false
      const effects = endsMore ? ['armSignalTimer', 'endWaiting'] : signalsSooner ? ['armSignalTimer'] : []
      assert.deepEqual(order(edge), effects)
    }
    if (source === 'stopping.signalling' && sooner) {
      assert.deepEqual(order(edge), ['armKillTimer', 'signalAll'])
    }
  },
  'never goes back while it ends'({ source, target }) {
    if (!ENDING.includes(source)) return
    const path = [...ENDING, 'stopped', 'failed']
    assert.ok(path.indexOf(target) >= path.indexOf(source), target)
  },
  'signals, kills and closes once per stop, in this order'(edge) {
    const { source, target, event } = edge
    const entered = (state: string): number => Number(target === state && source !== state)
    const again = event.type === 'supervisor.stop' && source === 'stopping.signalling' && target === source
    const finishing = FINISHING.includes(source)
    if (!again && !finishing) assert.equal(count(edge, 'signalAll'), entered('stopping.signalling'))
    if (!finishing) assert.equal(count(edge, 'killAll'), entered('stopping.killing'))
    assert.equal(count(edge, 'killChildren'), entered('stopping.killing'))
    assert.equal(count(edge, 'stopLoops'), entered('stopping.endingLoops'))
    assert.equal(count(edge, 'closeExecutors'), entered('stopping.closing'))
    const isOver = target === 'stopped' || target === 'failed'
    if (isOver && source !== target) assert.equal(source, 'stopping.closing')
  },
  'announces each turn of its life once'(edge) {
    const { source, target } = edge
    // A start that fails is undone; nobody asked for a stop.
    const undone = STARTING.includes(source) && edge.event.type === 'supervisor.startFailed'
    const begins = ENDING.includes(target) && !ENDING.includes(source) && !undone
    const turn = source === target ? undefined : begins ? 'stopping' : target
    const said: Record<string, string> = {
      running: source === 'paused' ? 'resumed' : 'started',
      paused: 'paused',
      stopping: 'stopping',
      stopped: 'stopped',
      failed: 'failed',
    }
    const fact = turn === undefined ? undefined : said[turn]
    assert.deepEqual(facts(edge), fact === undefined ? [] : [fact])
    assert.equal(count(edge, 'beginReport'), Number(fact === 'stopping'))
  },
  'keeps the error that it failed with until it is started again'({ source, target, from, to, event }) {
    const fails = event.type === 'supervisor.startFailed' && STARTING.includes(source)
    const escalates = event.type === 'supervisor.escalate' && ADMITTED.includes(source)
    if (fails || escalates) return assert.equal(to.context.error, (event as { error: unknown }).error)
    const stopped = source === 'failed' && event.type === 'supervisor.stop'
    const forgets = stopped || (event.type === 'supervisor.start' && target !== source)
    assert.equal(to.context.error, forgets ? undefined : from.context.error)
  },
  'ends as failed exactly when it has an error'({ source, target, from }) {
    if (source !== 'stopping.closing' || target === source) return
    assert.equal(target, from.context.error === undefined ? 'stopped' : 'failed')
  },
  'leaves behind what does not close in time, and nothing else'(edge) {
    const { source, event } = edge
    const late = source === 'stopping.closing' && event.type === 'timer.kill'
    assert.equal(count(edge, 'leaveExecutors'), Number(late))
    if (source === 'stopping.closing' && (late || event.type === 'supervisor.closed'))
      assert.ok(['stopped', 'failed'].includes(edge.target))
  },
  'starts its loops, its startup tasks and its children one after the other, and then runs'(edge) {
    const { source, target } = edge
    const steps = [...STARTING, 'running']
    const effects = ['prepare', 'startLoops', 'runStartup', 'startChildren', 'openAdmission']
    for (const [index, state] of steps.entries()) {
      const enters = target === state && source !== target
      if (index < 4) assert.equal(count(edge, effects[index] as string), Number(enters))
      if (enters && index > 0 && source !== 'paused') assert.equal(source, steps[index - 1])
    }
  },
  'stops its children as soon as a stop begins, and hurries them with the signal'(edge) {
    const { source, target } = edge
    assert.equal(count(edge, 'stopChildren'), Number(DRAINING.includes(target) && source !== target))
    assert.equal(count(edge, 'hurryChildren'), Number(target === 'stopping.signalling' && source !== target))
  },
  'ends the loops only when neither run nor child lives'({ source, target, event }) {
    if (target !== 'stopping.endingLoops' || source === target) return
    const undone = STARTING.includes(source) && event.type === 'supervisor.startFailed'
    assert.ok(undone || event.type === 'supervisor.drained' || event.type === 'shutdown.ended')
  },
  'runs its shutdown tasks once all has ended, if it has ever run and the bound has not come'(edge) {
    const { source, target, from, event } = edge
    const enters = FINISHING.includes(target) && !FINISHING.includes(source)
    assert.equal(count(edge, 'runShutdown'), Number(enters))
    if (event.type !== 'supervisor.drained' || source === target) return
    const isKilled = source === 'stopping.killing'
    assert.equal(enters, from.context.hasRun && !isKilled)
    assert.equal(count(edge, 'skipShutdown'), Number(isKilled))
  },
  'signals and ends its shutdown tasks when that is due, and leaves them time till then'(edge) {
    const { source, target, event } = edge
    if (!FINISHING.includes(source)) return
    const { length } = edge.effects
    if (event.type === 'timer.kill' && source === 'stopping.finishing.signalled')
      assert.deepEqual([order(edge), target], [['killAll'], source])
    else if (event.type === 'timer.signal' && source === 'stopping.finishing.undisturbed')
      assert.deepEqual([count(edge, 'signalAll'), target], [1, 'stopping.finishing.signalled'])
    else if (event.type === 'shutdown.ended') assert.equal(target, 'stopping.endingLoops')
    else if (event.type !== 'supervisor.stop') assert.deepEqual([length, target], [0, source])
  },
  'is escalated while it runs or is paused, and at no other time'({ source, target, event, to, taken }) {
    if (event.type !== 'supervisor.escalate') return
    if (!ADMITTED.includes(source)) return assert.equal(taken.length, 0)
    assert.equal(target, 'draining.givingUp')
    assert.deepEqual(to.context.plan, event.plan)
  },
  'that gives up signals its runs when its children have ended, within their grace'(edge) {
    const { source, target, event, to } = edge
    if (event.type !== 'children.ended') return
    if (source !== 'draining.givingUp') return assert.equal(edge.taken.length, 0)
    assert.deepEqual([target, count(edge, 'signalAll')], ['stopping.signalling', 1])
    assert.ok((to.context.plan?.killAt ?? Number.NaN) <= event.plan.killAt)
  },
}

test.each(Object.entries(INVARIANTS))('on every edge a supervisor %s', (_, check) => {
  checkEdges(edges, check)
})

test('every declared transition, with every branch of every guard, is walked', () => {
  const walked = new Set(edges.flatMap(({ taken }) => taken))
  const missing = [...declaredTransitions(supervisorMachine).values()].filter((name) => !walked.has(name))
  expect(missing).toEqual([])
})

test('every state is reached and every known event is sent', () => {
  const reached = new Set(edges.flatMap(({ source, target }) => [source, target]))
  expect(atomicStates(supervisorMachine).filter((state) => !reached.has(state))).toEqual([])
  expect([...SUPERVISOR_EVENT_TYPES].sort()).toEqual([...supervisorMachine.events].sort())
})

test('every state answers every event as the table says', async () => {
  const table = transitionTable(supervisorMachine, edges, SUPERVISOR_EVENT_TYPES)
  await expect(table).toMatchFileSnapshot('../model/__snapshots__/supervisor.table.txt')
})
