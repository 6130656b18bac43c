/** What must hold on every edge of the task machine. Each one throws when it does not. */
import assert from 'node:assert/strict'
import type { TaskEffect } from '../../src/machines/task-model.ts'
import { count } from '../../src/runtime/testing/machine-walk.ts'
import type { TaskEdge } from './task-walk.ts'

const FINAL = ['finished', 'failed', 'cancelled', 'terminated']
const EFFECTS: Readonly<Record<TaskEffect, true>> = {
  armWakeUp: true,
  armQueueTimers: true,
  startRunClock: true,
  armRunTimers: true,
  armGrace: true,
  armKillBound: true,
  armProbeBound: true,
  disarmTimers: true,
  enqueue: true,
  dequeue: true,
  requeue: true,
  startAttempt: true,
  signalAttempt: true,
  probeLoop: true,
  terminateAttempt: true,
  killAttempt: true,
  abandonAttempt: true,
  releaseSlot: true,
  adoptCall: true,
  announce: true,
  settle: true,
}
/** Which timers a run may have armed in each state: `undefined` = none. */
const TIMERS: Readonly<Record<string, string | undefined>> = {
  scheduled: 'armWakeUp',
  queued: 'armQueueTimers',
  'running.starting': 'armRunTimers',
  'running.executing': 'armRunTimers',
  'running.stopping.signalled': 'armGrace',
  'running.stopping.probing': 'armProbeBound',
  'running.stopping.terminating': 'armKillBound',
  'running.stopping.killing': 'armKillBound',
  retrying: 'armWakeUp',
  snoozed: 'armWakeUp',
}
/** How far up the stop ladder an attempt is in each state. */
const RUNGS: Readonly<Record<string, number>> = {
  'running.stopping.signalled': 1,
  'running.stopping.probing': 1,
  'running.stopping.terminating': 2,
  'running.stopping.killing': 3,
}
const STEPS = [undefined, 'signal', 'terminate', 'kill'] as const
const LADDER = ['signalAttempt', 'terminateAttempt', 'killAttempt'] as const
const ENDING = ['task.cancel', 'task.terminate', 'task.kill', 'timer.deadline']

const runs = (state: string): boolean => state.startsWith('running')
const stops = (state: string): boolean => state.startsWith('running.stopping')
const facts = ({ effects }: TaskEdge): string[] =>
  effects
    .filter(({ type }) => type === 'announce')
    .map(({ params }) => (params as { readonly fact: string }).fact)

/** `got` is asked for exactly when the edge enters, `given` exactly when it leaves what `inside` tells. */
function balanced(edge: TaskEdge, inside: (state: string) => boolean, got: string, given: string): void {
  const entered = inside(edge.target) && !inside(edge.source)
  const left = inside(edge.source) && !inside(edge.target)
  assert.deepEqual([count(edge, got), count(edge, given)], [Number(entered), Number(left)])
}

export const TASK_INVARIANTS: Readonly<Record<string, (edge: TaskEdge) => void>> = {
  'asks only for effects that exist'({ effects }) {
    for (const { type } of effects) assert.ok(Object.hasOwn(EFFECTS, type), type)
  },
  'has an outcome in a terminal state and only there, of its kind'({ target, to }) {
    const { outcome } = to.context
    assert.equal(outcome?.kind, FINAL.includes(target) ? target : undefined)
    assert.equal(to.status, FINAL.includes(target) ? 'done' : 'active')
    assert.equal(to.output, outcome)
  },
  'settles once, on entering a terminal state, after everything else'(edge) {
    assert.equal(count(edge, 'settle'), FINAL.includes(edge.target) ? 1 : 0)
    if (FINAL.includes(edge.target)) assert.equal(edge.effects.at(-1)?.type, 'settle')
  },
  'takes a slot when it begins to run and gives it back when it no longer does': (edge) =>
    balanced(edge, runs, 'startAttempt', 'releaseSlot'),
  'is in the queue exactly while it is queued': (edge) =>
    balanced(edge, (state) => state === 'queued', 'enqueue', 'dequeue'),
  'gives its slot back before it is queued again or told to settle'({ effects }) {
    const order = effects.map(({ type }) => type)
    const released = order.indexOf('releaseSlot')
    if (released < 0) return
    for (const later of ['enqueue', 'settle', 'adoptCall']) {
      if (order.includes(later)) assert.ok(released < order.indexOf(later), order.join(' '))
    }
  },
  'counts attempts up to the limit, one per start, given back by a snooze'({
    from,
    to,
    source,
    target,
    event,
  }) {
    const { attempt, attempts } = to.context
    assert.ok(attempt >= 0 && attempt <= attempts, `${attempt} of ${attempts}`)
    if (event.type === 'attempt.continued' && runs(source) && !stops(source)) {
      assert.deepEqual([attempt, attempts, to.context.execution], [0, event.attempts, event.execution])
      return
    }
    const begun = runs(target) && !runs(source) ? 1 : 0
    const givenBack = target === 'snoozed' && source !== 'snoozed' ? 1 : 0
    assert.equal(attempt, from.context.attempt + begun - givenBack)
  },
  'snoozes only when the handler asks for it, for as long as it asks'({ source, target, event, to }) {
    if (target !== 'snoozed' || source === 'snoozed') return
    assert.ok(event.type === 'attempt.snoozed' && !stops(source))
    assert.equal(to.context.delayMs, event.delayMs)
  },
  'retries only while attempts are left, after the wait it was told'({ source, target, from, to, event }) {
    if (target !== 'retrying' || source === 'retrying') return
    assert.ok(from.context.attempt < from.context.attempts)
    const told = 'retryInMs' in event && !stops(source) ? event.retryInMs : from.context.delayMs
    assert.equal(to.context.delayMs, told)
    assert.notEqual(to.context.lastFailure, undefined)
    assert.deepEqual([to.context.stop, to.context.graceMs, to.context.step], [undefined, undefined, 'none'])
  },
  'fails for good when no attempt is left or none is wanted'({ source, target, from, event }) {
    if (event.type !== 'attempt.failed' || !runs(source) || stops(source)) return
    const again = event.retryInMs !== undefined && from.context.attempt < from.context.attempts
    assert.equal(target, again ? 'retrying' : 'failed')
  },
  'drops what the handler returns after a stop signal'({ source, target }) {
    if (stops(source)) assert.ok(target !== 'finished' && target !== 'failed' && target !== 'snoozed', target)
  },
  'has a cause while it stops and when it was stopped, and none otherwise'({ target, to }) {
    const stopped = stops(target) || target === 'cancelled' || target === 'terminated'
    assert.equal(to.context.stop !== undefined, stopped)
  },
  'never loses its cause, and only a run timeout gives way'({ source, target, from, to, event }) {
    const { stop } = from.context
    if (!stops(source) || stop === undefined) return
    const timedOut = stop.by === 'terminate' && stop.reason === 'runTimeout'
    if (target === 'retrying') assert.ok(timedOut && from.context.delayMs >= 0)
    else if (!timedOut || !ENDING.includes(event.type)) assert.deepEqual(to.context.stop, stop)
  },
  'ends as cancelled once a cancel was taken'({ source, target, from, to, event }) {
    if (event.type === 'task.cancel') {
      const { stop } = from.context
      const ends = stop?.by === 'terminate' && stop.reason !== 'runTimeout'
      assert.deepEqual(
        to.context.stop,
        ends ? stop : { by: 'cancel', reason: stop?.by === 'cancel' ? stop.reason : 'asked' },
      )
      if (!runs(source)) assert.equal(target, 'cancelled')
    }
    if (from.context.stop?.by === 'cancel') assert.ok(stops(target) || target === 'cancelled', target)
  },
  'takes no run back that anybody wants to end for good'({ from, source, target, event }) {
    const { stop } = from.context
    if (!ENDING.includes(event.type)) return
    assert.ok(stops(target) || target === 'cancelled' || target === 'terminated', target)
    if (stop === undefined || !stops(source)) return
    assert.notEqual(target, 'retrying')
  },
  'is not tried again after a kill, a cancel or a termination'({ to, event, target }) {
    if (!ENDING.includes(event.type) || !stops(target)) return
    const { stop } = to.context
    assert.ok(!(stop?.by === 'terminate' && stop.reason === 'runTimeout' && to.context.delayMs >= 0))
  },
  'has exactly the timers of its state'({ source, target, effects }) {
    let armed = TIMERS[source]
    for (const { type } of effects) {
      if (type === 'disarmTimers') armed = undefined
      else if (type.startsWith('arm')) armed = type
    }
    assert.equal(armed, TIMERS[target])
  },
  'disarms in the state it leaves before it arms for the next'({ source, target, effects }) {
    const top = (state: string): string => state.split('.')[0] as string
    if (top(source) === top(target) || TIMERS[source] === undefined) return
    const order = effects.map(({ type }) => type)
    const armed = order.findIndex((type) => type.startsWith('arm'))
    assert.equal(order.filter((type) => type === 'disarmTimers').length, 1)
    assert.ok(armed < 0 || order.indexOf('disarmTimers') < armed)
  },
  'climbs the stop ladder and never goes down'({ source, target, effects }) {
    const from = RUNGS[source] ?? 0
    let at = from
    for (const { type } of effects) {
      const rung = LADDER.indexOf(type as never) + 1
      if (rung === 0) continue
      assert.ok(rung > at, `${type} on rung ${at}`)
      at = rung
    }
    if (stops(target)) assert.equal(at, RUNGS[target])
    else assert.equal(at, from)
  },
  'says which step was needed'({ target, from, to, effects }) {
    if (stops(target)) assert.equal(to.context.step, STEPS[RUNGS[target] as number])
    if (!FINAL.includes(target)) return
    const abandoned = effects.some(({ type }) => type === 'abandonAttempt')
    assert.equal(to.context.step, abandoned ? 'abandon' : from.context.step)
    const { outcome } = to.context
    if (outcome?.kind === 'cancelled' || outcome?.kind === 'terminated')
      assert.equal(outcome.step, to.context.step)
  },
  'abandons only what was signalled before'({ source, effects }) {
    if (effects.some(({ type }) => type === 'abandonAttempt')) assert.ok(stops(source))
  },
  'abandons only what runs on the own loop or on one that turns, and kills and terminates nothing there'({
    from,
    effects,
    event,
  }) {
    const { execution, loop } = from.context
    const own = execution === 'main' || (execution === 'async' && loop === undefined)
    const turns = event.type === 'loop.answered' || (event.type === 'timer.probe' && event.answered)
    for (const { type } of effects) {
      if (type === 'abandonAttempt') assert.ok(own || (loop !== undefined && turns))
      if (type === 'killAttempt') assert.ok(!own && !turns)
      if (type === 'probeLoop') assert.notEqual(loop, undefined)
      if (type === 'terminateAttempt') assert.equal(from.context.execution, 'process')
    }
  },
  'gives the warning before the critical alarm, each once per return to the queue'(edge) {
    const { from, to, source, target } = edge
    const given = facts(edge).filter((fact) => fact === 'queueWarning' || fact === 'queueCritical')
    if (target !== 'queued' || source !== 'queued') assert.deepEqual(given, [])
    if (target !== 'queued') return
    if (source !== 'queued') return assert.equal(to.context.alarms, 0)
    const expected = ['queueWarning', 'queueCritical'].slice(from.context.alarms, to.context.alarms)
    assert.deepEqual(given, expected)
  },
  'ages one band at a time, never above high, and waits on in the new one'(edge) {
    const { from, to, source, event } = edge
    const higher = { low: 'normal', normal: 'high' }[from.context.band as string]
    const ages = source === 'queued' && event.type === 'timer.aged' && higher !== undefined
    assert.equal(to.context.band, ages ? higher : from.context.band)
    assert.equal(count(edge, 'requeue'), ages ? 1 : 0)
  },
  'announces every state it enters, once'(edge) {
    const { source, target } = edge
    const words: Record<string, string> = { 'running.starting': 'admitted', 'running.executing': 'started' }
    const fact = words[target] ?? target
    const announced = !FINAL.includes(target) && !stops(target) && target !== 'created' && source !== target
    const given = facts(edge).filter((one) => one !== 'queueWarning' && one !== 'queueCritical')
    assert.deepEqual(given, announced ? [fact] : [])
  },
  'is ended by cancel, terminate and kill wherever it is'({ event, source, target, taken }) {
    if (event.type !== 'task.cancel' && event.type !== 'task.terminate' && event.type !== 'task.kill') return
    assert.ok(taken.length > 0, 'ignored')
    assert.ok(stops(target) || target === 'cancelled' || target === 'terminated')
    if (!runs(source)) assert.equal(target, event.type === 'task.cancel' ? 'cancelled' : 'terminated')
  },
  'leaves every rung of the ladder when its timer runs out'({ source, target, event }) {
    const due = {
      armGrace: 'timer.grace',
      armProbeBound: 'timer.probe',
      armKillBound: 'timer.killBound',
    }[TIMERS[source] ?? '']
    if (due === event.type) assert.notEqual(target, source)
    if (event.type === 'timer.killBound' && source.endsWith('killing')) assert.ok(!runs(target))
  },
  'lets a handler that has ended go, whatever it said'({ source, target, event }) {
    if (stops(source) && event.type.startsWith('attempt.') && event.type !== 'attempt.started') {
      assert.ok(!runs(target), target)
    }
  },
  'never lengthens a grace'({ source, target, from, to, event }) {
    if (!stops(source) || !stops(target) || event.type === 'task.kill') return
    const before = from.context.graceMs
    const after = to.context.graceMs
    if (before !== undefined) assert.ok(after !== undefined && after <= before, `${before} → ${after}`)
  },
  'arms the grace anew only for a shorter one'(edge) {
    const { source, target, from, to } = edge
    if (source !== 'running.stopping.signalled' || target !== source) return
    const shorter = from.context.graceMs !== to.context.graceMs
    assert.equal(count(edge, 'armGrace'), Number(shorter))
  },
}
