import { describe, expect, it } from 'vitest'
import { initialTransition, transition } from 'xstate'
import { adjacencyMapToArray, getAdjacencyMap } from 'xstate/graph'
import { type ProcessSlotEvent, processSlotMachine } from '../../src/machines/process-slot.ts'

const EVENTS: ProcessSlotEvent[] = [
  { type: 'process.ready' },
  { type: 'process.exited' },
  { type: 'link.closed' },
  { type: 'job.assigned' },
  { type: 'job.settled', keep: true },
  { type: 'job.settled', keep: false },
  { type: 'slot.retire' },
  { type: 'slot.terminate' },
  { type: 'slot.kill' },
]
const WITH_JOB = ['busy', 'terminating', 'killing', 'draining']
const COMING_DOWN = ['terminating', 'killing', 'draining', 'retiring', 'ending', 'gone']
const ALIVE = ['starting', 'idle', 'busy', 'terminating', 'retiring']

const edges = adjacencyMapToArray(
  getAdjacencyMap(processSlotMachine, {
    events: EVENTS,
    serializeState: (state) => JSON.stringify(state.value),
    limit: 1000,
  }),
).map(({ state, event }) => {
  const [next, actions] = transition(processSlotMachine, state, event)
  return {
    from: String(state.value),
    event,
    to: String(next.value),
    actions: actions.map((it) => it.type),
  }
})

describe('process slot', () => {
  it('reaches every state', () => {
    const states = new Set(edges.flatMap((it) => [it.from, it.to]))
    expect([...states].sort()).toEqual([
      'busy',
      'draining',
      'ending',
      'gone',
      'idle',
      'killing',
      'retiring',
      'starting',
      'terminating',
    ])
    expect(initialTransition(processSlotMachine)[0].value).toBe('starting')
  })

  it.each(edges)('$from, $event.type → $to', ({ from, event, to, actions }) => {
    // Only an idle process takes a job, and what was sent a signal or asked to leave never works again.
    if (to === 'busy' && from !== 'busy') expect([from, event.type]).toEqual(['idle', 'job.assigned'])
    if (COMING_DOWN.includes(from)) expect(COMING_DOWN).toContain(to)
    // A job leaves by its result or by a crash, and a crash is told only of a job, or of a start.
    if (WITH_JOB.includes(from) && !WITH_JOB.includes(to)) {
      expect(event.type === 'job.settled' || actions.includes('reportCrash')).toBe(true)
    }
    if (actions.includes('reportCrash')) expect([from, event.type]).toEqual(['draining', 'link.closed'])
    expect(actions.includes('reportStartFailure')).toBe(
      event.type === 'process.exited' && from === 'starting',
    )
    // Signals go to what may still live, and rise.
    if (event.type === 'slot.kill' && ALIVE.includes(from)) expect(actions).toContain('sendSigkill')
    if (actions.includes('sendSigterm')) expect([from, event.type]).toEqual(['busy', 'slot.terminate'])
    if (event.type === 'slot.retire' && from === 'busy') expect(to).toBe('busy')
    // An exit is believed in every state: gone, or waiting for the last messages of its job.
    if (event.type === 'process.exited') {
      expect(to).toBe(WITH_JOB.includes(from) ? 'draining' : 'gone')
    }
    // The executor's bench follows the state.
    expect(actions.includes('noteIdle')).toBe(to === 'idle' && from !== 'idle')
    expect(actions.includes('noteTaken')).toBe(from === 'idle' && to !== 'idle')
    expect(actions.includes('noteGone')).toBe(to === 'gone' && from !== 'gone')
  })

  it('an exit and a closed link, in either order, end it from every state', () => {
    const sources = new Map(edges.map((it) => [it.from, it]))
    for (const from of sources.keys()) {
      for (const order of [
        ['process.exited', 'link.closed'],
        ['link.closed', 'process.exited', 'link.closed'],
      ] as const) {
        let snapshot = processSlotMachine.resolveState({ value: from as 'idle' })
        for (const type of order) snapshot = transition(processSlotMachine, snapshot, { type })[0]
        expect(snapshot.value).toBe('gone')
      }
    }
  })
})
