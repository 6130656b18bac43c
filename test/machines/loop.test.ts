import { describe, expect, it } from 'vitest'
import { transition } from 'xstate'
import { adjacencyMapToArray, getAdjacencyMap } from 'xstate/graph'
import { loopMachine } from '../../src/machines/loop.ts'
import { stateOf } from '../../src/runtime/testing/machine-walk.ts'
import { LOOP_EVENTS } from '../model/loop-walk.ts'

const WITHOUT_THREAD = ['stopped', 'failed']
const COMING_DOWN = ['stopping', 'terminating', 'killing']
const ENDED = ['terminating', 'killing']
/** Which timer runs in each state. */
const TIMERS: Readonly<Record<string, string>> = {
  'running.busy': 'armPing',
  'running.asked': 'armSilence',
  'running.blocked': 'armBlockedTooLong',
  stopping: 'armExitBound',
  terminating: 'armExitBound',
  killing: 'armExitBound',
}

const edges = adjacencyMapToArray(
  getAdjacencyMap(loopMachine, {
    events: [...LOOP_EVENTS],
    serializeState: (state) => JSON.stringify(state.value),
    limit: 1000,
  }),
).map(({ state, event }) => {
  const [next, actions] = transition(loopMachine, state, event)
  return { from: stateOf(state), event, to: stateOf(next), actions: actions.map((it) => it.type as string) }
})

describe('loop', () => {
  it('reaches every state', () => {
    expect([...new Set(edges.flatMap((it) => [it.from, it.to]))].sort()).toEqual([
      'failed',
      'killing',
      'running.asked',
      'running.blocked',
      'running.busy',
      'running.idle',
      'starting',
      'stopped',
      'stopping',
      'terminating',
    ])
  })

  it('takes every event somewhere', () => {
    const taken = edges.filter(({ from, to, actions }) => from !== to || actions.length > 0)
    expect([...new Set(taken.map(({ event }) => event.type))].sort()).toEqual(
      LOOP_EVENTS.map(({ type }) => type).sort(),
    )
  })

  it.each(edges)('$from, $event.type → $to', ({ from, event, to, actions }) => {
    const runs = (state: string): boolean => state.startsWith('running')
    const has = (action: string): boolean => actions.includes(action)
    // A thread is started only where there is none, and what comes down never works again.
    expect(has('startThread')).toBe(to === 'starting' && from !== to)
    if (to === 'starting' && from !== to) expect(WITHOUT_THREAD).toContain(from)
    if (COMING_DOWN.includes(from)) expect([...COMING_DOWN, ...WITHOUT_THREAD]).toContain(to)
    // An exit is believed in every state that has a thread, and each one is reported once, as what it was.
    if (event.type === 'thread.exited') expect(WITHOUT_THREAD).toContain(to)
    const wanted = from === 'stopping' || from === 'terminating'
    const leaves = WITHOUT_THREAD.includes(to) && !WITHOUT_THREAD.includes(from)
    expect(has('reportStopped')).toBe(leaves && wanted)
    expect(has('reportFailed')).toBe(leaves && !wanted)
    expect(to === 'stopped' && leaves).toBe(leaves && wanted)
    expect(has('forsakeThread')).toBe(leaves && event.type === 'timer.exitBound')
    // It is ready once per thread.
    expect(has('reportReady')).toBe(runs(to) && !runs(from))
    // Whoever wants its end gets it wherever there is something to end.
    if (['loop.kill', 'loop.terminate'].includes(event.type) && !WITHOUT_THREAD.includes(from)) {
      expect(ENDED).toContain(to)
      if (!ENDED.includes(from)) expect(has('endThread')).toBe(true)
    }
    if (event.type === 'loop.stop' && !WITHOUT_THREAD.includes(from)) expect(COMING_DOWN).toContain(to)
    // Blocked is told when it begins and when it ends.
    expect(has('reportBlocked')).toBe(to === 'running.blocked' && from !== to)
    expect(has('reportUnblocked')).toBe(from === 'running.blocked' && from !== to)
    // Nothing is asked of a loop without work, and it has exactly the timer of its state.
    if (from === 'running.idle' || to === 'running.idle') expect(has('ping')).toBe(false)
    let armed = TIMERS[from]
    for (const action of actions) {
      if (action === 'disarmTimers') armed = undefined
      else if (action.startsWith('arm')) armed = action
    }
    expect(armed).toBe(TIMERS[to])
    // Every timer leads out of its state, or has somebody see to that.
    expect(has('replaceThread')).toBe(from === 'running.blocked' && event.type === 'timer.blockedTooLong')
    const due = {
      armPing: 'timer.ping',
      armSilence: 'timer.silence',
      armExitBound: 'timer.exitBound',
    }[TIMERS[from] ?? '']
    if (event.type === due) expect(to).not.toBe(from)
  })
})
