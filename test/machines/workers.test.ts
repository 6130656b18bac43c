/** Every edge of every worker machine, and what must hold on each. */
import { describe, expect, test } from 'vitest'
import {
  cronWorkerMachine,
  eventWorkerMachine,
  intervalWorkerMachine,
  plainWorkerMachine,
  rruleWorkerMachine,
  WORKER_STATES,
} from '../../src/machines/index.ts'
import { atomicStates, declaredTransitions } from '../../src/runtime/testing/machine-coverage.ts'
import { checkEdges } from '../../src/runtime/testing/machine-replay.ts'
import { transitionTable } from '../../src/runtime/testing/transition-table.ts'
import { WORKER_INVARIANTS } from '../model/worker-invariants.ts'
import { WORKER_EVENT_TYPES, WORKER_SETTINGS, walkWorker } from '../model/worker-walk.ts'

const MACHINES = {
  interval: intervalWorkerMachine,
  event: eventWorkerMachine,
  plain: plainWorkerMachine,
}

describe.each(Object.entries(MACHINES))('the %s worker machine', (kind, machine) => {
  const edges = WORKER_SETTINGS.flatMap((settings) => walkWorker(machine, settings))

  test.each(Object.entries(WORKER_INVARIANTS))('on every edge %s', (_, check) => {
    checkEdges(edges, check)
  })

  test('is walked in every declared transition, with every branch of every guard', () => {
    const walked = new Set(edges.flatMap(({ taken }) => taken))
    const missing = [...declaredTransitions(machine).values()].filter(
      (name) => !walked.has(name) && !/ #\d+ \[noneLive|hasFailedAndNoneLive\]$/.test(name),
    )
    expect(missing).toEqual([])
  })

  test('is reached in every state and sent every event that it knows', () => {
    const reached = new Set(edges.flatMap(({ source, target }) => [source, target]))
    // Left within the step that enters it, when nothing is live.
    expect(atomicStates(machine).filter((state) => !reached.has(state))).toEqual([])
    expect(machine.events.filter((event) => !WORKER_EVENT_TYPES.includes(event))).toEqual([])
  })

  test('answers every event in every state as the table says', async () => {
    const table = transitionTable(machine, edges, WORKER_EVENT_TYPES)
    await expect(table).toMatchFileSnapshot(`../model/__snapshots__/${kind}-worker.table.txt`)
  })

  test('has no state that workers do not have', () => {
    expect(Object.keys(machine.states).filter((state) => !WORKER_STATES.includes(state as never))).toEqual([])
  })
})

test('cron and rrule workers have the chart of the interval worker, under names of their own', () => {
  expect(cronWorkerMachine.config.states).toEqual(intervalWorkerMachine.config.states)
  expect(rruleWorkerMachine.config.states).toEqual(intervalWorkerMachine.config.states)
  expect([cronWorkerMachine.id, rruleWorkerMachine.id]).toEqual(['cronWorker', 'rruleWorker'])
})
