import { expect, test } from 'vitest'
import * as entry from '../../src/machines/index.ts'

test('stateward/machines exports the machines, the policies and compile', () => {
  expect(Object.keys(entry).sort()).toEqual([
    'BACKOFF_DEFAULTS',
    'EXECUTIONS',
    'PRIORITIES',
    'RESTART_TYPES',
    'STRATEGIES',
    'TASK_STATES',
    'UnsupportedMachineError',
    'admits',
    'admitsRestart',
    'affectedRange',
    'backoffMs',
    'childGroupMachine',
    'childMachine',
    'compile',
    'decide',
    'inheritDeadline',
    'laneLimits',
    'loopMachine',
    'mayRetry',
    'nextQueueTimer',
    'nextRunTimer',
    'nextStreak',
    'nextWaitTimer',
    'noteRestart',
    'openBands',
    'processSlotMachine',
    'supervisorMachine',
    'taskMachine',
    'threadSlotMachine',
    'threshold',
  ])
})

test('compile takes every machine', () => {
  for (const machine of [
    entry.taskMachine,
    entry.supervisorMachine,
    entry.threadSlotMachine,
    entry.processSlotMachine,
    entry.childMachine,
    entry.childGroupMachine,
  ]) {
    expect(entry.compile(machine).machine).toBe(machine)
  }
})

test('the states of a task are the top-level states of its machine', () => {
  expect(Object.keys(entry.taskMachine.states)).toEqual([...entry.TASK_STATES])
})
