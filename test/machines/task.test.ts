/** Every edge of the task machine, and what must hold on each. */
import { expect, test } from 'vitest'
import { taskMachine } from '../../src/machines/task.ts'
import { atomicStates, declaredTransitions } from '../../src/runtime/testing/machine-coverage.ts'
import { checkEdges } from '../../src/runtime/testing/machine-replay.ts'
import { transitionTable } from '../../src/runtime/testing/transition-table.ts'
import { TASK_INVARIANTS } from '../model/task-invariants.ts'
import { TASK_EVENT_TYPES, TASK_INPUTS, type TaskEdge, walkTask } from '../model/task-walk.ts'

const edges: TaskEdge[] = TASK_INPUTS.flatMap(walkTask)

test.each(Object.entries(TASK_INVARIANTS))('on every edge a task %s', (_, check) => {
  checkEdges(edges, check)
})

test('every declared transition, with every branch of every guard, is walked', () => {
  const walked = new Set(edges.flatMap(({ taken }) => taken))
  const missing = [...declaredTransitions(taskMachine).values()].filter((name) => !walked.has(name))
  expect(missing).toEqual([])
})

test('every state is reached', () => {
  const reached = new Set(edges.flatMap(({ source, target }) => [source, target]))
  expect(atomicStates(taskMachine).filter((state) => !reached.has(state))).toEqual([])
})

test('every event that the machine knows is sent', () => {
  const known = taskMachine.events.filter((type) => type !== 'attempt.*')
  expect([...TASK_EVENT_TYPES].sort()).toEqual([...known].sort())
})

test('every state answers every event as the table says', async () => {
  const table = transitionTable(taskMachine, edges, TASK_EVENT_TYPES)
  await expect(table).toMatchFileSnapshot('../model/__snapshots__/task.table.txt')
})

test('from every state the timers alone lead out of a stop', () => {
  const next = new Map<string, Set<string>>()
  for (const { event, source, target } of edges) {
    if (!['timer.grace', 'timer.probe', 'timer.killBound'].includes(event.type)) continue
    if (!next.has(source)) next.set(source, new Set())
    if (target !== source) next.get(source)?.add(target)
  }
  const leadsOut = (state: string, rungs: number): boolean => {
    if (!state.startsWith('running.stopping')) return true
    const onward = [...(next.get(state) ?? [])]
    return rungs > 0 && onward.length > 0 && onward.every((target) => leadsOut(target, rungs - 1))
  }
  for (const state of atomicStates(taskMachine)) expect([state, leadsOut(state, 3)]).toEqual([state, true])
})
