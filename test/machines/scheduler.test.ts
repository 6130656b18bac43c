import { describe, expect, it } from 'vitest'
import { transition } from 'xstate'
import { adjacencyMapToArray, getAdjacencyMap } from 'xstate/graph'
import { type SchedulerEvent, schedulerMachine } from '../../src/machines/scheduler.ts'

const EVENTS: SchedulerEvent[] = [
  { type: 'scheduler.start' },
  { type: 'scheduler.stop' },
  { type: 'scheduler.kill' },
  { type: 'loop.ended' },
  { type: 'loop.failed', error: 'loop' },
  { type: 'scheduler.settled' },
]
const ENDS = ['done', 'failed', 'stopped', 'abandoned']
const REPORTS = ['reportDone', 'reportFailure', 'reportStopped']

const edges = adjacencyMapToArray(
  getAdjacencyMap(schedulerMachine, {
    events: (snapshot) => (snapshot.status === 'active' ? EVENTS : []),
    serializeState: (state) => JSON.stringify(state.value),
    limit: 1000,
  }),
).map(({ state, event }) => {
  const [next, actions] = transition(schedulerMachine, state, event)
  return { from: String(state.value), event, to: String(next.value), actions: actions.map((it) => it.type) }
})

describe('a scheduler', () => {
  it('reaches every state', () => {
    const states = new Set(edges.flatMap((it) => [it.from, it.to]))
    expect([...states].sort()).toEqual([...ENDS, 'idle', 'running', 'stopping'].sort())
  })

  it.each(edges)('$from, $event.type → $to', ({ from, event, to, actions }) => {
    // One exit, reported once, on the way into an end.
    expect(actions.filter((it) => REPORTS.includes(it))).toHaveLength(ENDS.includes(to) ? 1 : 0)
    // A stop is accepted wherever it lives, and a kill ends it within the step.
    if (event.type === 'scheduler.stop') expect(from === 'idle' ? to : 'stopping').toBe(to)
    if (event.type === 'scheduler.kill') expect(ENDS).toContain(to)
    // Told to go exactly once: the signal first, then stop().
    const told = actions.filter((it) => it === 'abortLoop' || it === 'callStop')
    const leaves = from === 'running' && (to === 'stopping' || to === 'abandoned')
    expect(told).toEqual(leaves ? ['abortLoop', 'callStop'] : [])
    expect(actions.includes('startLoop')).toBe(from === 'idle' && to === 'running')
    expect(actions.includes('reportReady')).toBe(actions.includes('startLoop'))
    expect(actions.includes('noteAbandoned')).toBe(to === 'abandoned')
    // What it throws once it was told to go is no failure.
    if (to === 'failed' || to === 'done') expect(from).toBe('running')
  })
})
