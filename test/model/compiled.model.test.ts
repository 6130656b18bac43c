/** Compiled, the machines of the project take every edge as the interpreter takes it. */
import { expect, test } from 'vitest'
import { childMachine } from '../../src/machines/child.ts'
import { childGroupMachine } from '../../src/machines/child-group.ts'
import { loopMachine } from '../../src/machines/loop.ts'
import { supervisorMachine } from '../../src/machines/supervisor.ts'
import { taskMachine } from '../../src/machines/task.ts'
import { CHILD_WALK, GROUP_EVENTS, GROUP_INPUTS, projectGroup } from './child-walk.ts'
import { compareOnEveryEdge } from './compiled-walk.ts'
import { LOOP_EVENTS } from './loop-walk.ts'
import { projectSupervisor, SUPERVISOR_EVENTS } from './supervisor-walk.ts'
import { projectTask, TASK_EVENTS, TASK_INPUTS, walkTask } from './task-walk.ts'

// The smallest walk of each execution: what differs in the others is a count.
const INPUTS = TASK_INPUTS.filter(
  ({ execution, loop }, index) =>
    TASK_INPUTS.findIndex((other) => other.execution === execution && other.loop === loop) === index,
)

test.each(INPUTS)('compiled, a $execution task (loop $loop) takes every edge alike', (input) => {
  const options = { input, events: TASK_EVENTS, project: projectTask, limit: 100_000 }
  expect(compareOnEveryEdge(taskMachine, options)).toBe(walkTask(input).length)
})

test('compiled, the supervisor takes every edge alike', () => {
  const options = { input: { id: 's' }, events: SUPERVISOR_EVENTS, project: projectSupervisor, limit: 50_000 }
  expect(compareOnEveryEdge(supervisorMachine, options)).toBeGreaterThan(100)
})

test('compiled, a supervised child takes every edge alike', () => {
  expect(compareOnEveryEdge(childMachine, CHILD_WALK)).toBeGreaterThan(500)
})

test.each(GROUP_INPUTS)(
  'compiled, a $strategy group of intensity $intensity takes every edge alike',
  (input) => {
    const options = { input, events: GROUP_EVENTS, project: projectGroup, limit: 50_000 }
    expect(compareOnEveryEdge(childGroupMachine, options)).toBeGreaterThan(100)
  },
)

test('compiled, a loop takes every edge alike', () => {
  const options = { input: undefined, events: LOOP_EVENTS, project: () => '', limit: 1_000 }
  expect(compareOnEveryEdge(loopMachine, options)).toBeGreaterThan(100)
})
