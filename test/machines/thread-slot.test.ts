import { describe, expect, it } from 'vitest'
import { initialTransition, transition } from 'xstate'
import { adjacencyMapToArray, getAdjacencyMap } from 'xstate/graph'
import { type ThreadSlotEvent, threadSlotMachine } from '../../src/machines/thread-slot.ts'

const EVENTS: ThreadSlotEvent[] = [
  { type: 'thread.ready' },
  { type: 'thread.failed' },
  { type: 'thread.exited' },
  { type: 'job.assigned' },
  { type: 'job.settled', keep: true },
  { type: 'job.settled', keep: false },
  { type: 'slot.retire' },
  { type: 'slot.kill' },
]
const WITH_JOB = ['busy', 'killing']
const COMING_DOWN = ['killing', 'retiring', 'gone']

const edges = adjacencyMapToArray(
  getAdjacencyMap(threadSlotMachine, {
    events: EVENTS,
    serializeState: (state) => JSON.stringify(state.value),
    limit: 1000,
  }),
).map(({ state, event, nextState }) => {
  const [next, actions] = transition(threadSlotMachine, state, event)
  expect(next.value).toEqual(nextState.value)
  return {
    from: String(state.value),
    event,
    to: String(next.value),
    actions: actions.map((it) => it.type),
  }
})

describe('thread slot', () => {
  it('reaches every state', () => {
    const states = new Set(edges.flatMap((it) => [it.from, it.to]))
    expect([...states].sort()).toEqual(['busy', 'gone', 'idle', 'killing', 'retiring', 'starting'])
    expect(initialTransition(threadSlotMachine)[0].value).toBe('starting')
  })

  it.each(edges)('$from, $event.type → $to', ({ from, event, to, actions }) => {
    // Only an idle thread takes a job, and what comes down never works again.
    if (to === 'busy' && from !== 'busy') expect([from, event.type]).toEqual(['idle', 'job.assigned'])
    if (COMING_DOWN.includes(from)) expect(COMING_DOWN).toContain(to)
    // An exit is believed in every state, and tells exactly whom it concerns.
    if (event.type === 'thread.exited') expect(to).toBe('gone')
    expect(actions.includes('reportCrash')).toBe(event.type === 'thread.exited' && WITH_JOB.includes(from))
    expect(actions.includes('reportStartFailure')).toBe(event.type === 'thread.exited' && from === 'starting')
    expect(actions.includes('noteGone')).toBe(to === 'gone' && from !== 'gone')
    // A job leaves by its result or by the exit only.
    if (WITH_JOB.includes(from) && !WITH_JOB.includes(to)) {
      expect(['job.settled', 'thread.exited']).toContain(event.type)
    }
    // A kill is obeyed wherever there is something to end.
    if (event.type === 'slot.kill' && !COMING_DOWN.includes(from)) expect(actions).toContain('endThread')
    if (event.type === 'slot.retire' && from === 'busy') expect(to).toBe('busy')
    // The executor's bench follows the state.
    expect(actions.includes('noteIdle')).toBe(to === 'idle' && from !== 'idle')
    expect(actions.includes('noteTaken')).toBe(from === 'idle' && to !== 'idle')
  })
})
