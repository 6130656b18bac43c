import { expect, test } from 'vitest'
import * as entry from '../../src/machines/index.ts'

test('stateward/machines exports the machines, the policies and compile', () => {
  expect(Object.keys(entry).sort()).toEqual([
    'AHEAD_MS',
    'BACKOFF_DEFAULTS',
    'ENDED_STATES',
    'EXECUTIONS',
    'MISSED',
    'NO_PACE',
    'OVERLAPS',
    'PRIORITIES',
    'RESTART_TYPES',
    'STRATEGIES',
    'TASK_STATES',
    'UnsupportedMachineError',
    'WORKER_DEFAULTS',
    'WORKER_STATES',
    'admits',
    'admitsRestart',
    'affectedRange',
    'backoffMs',
    'childGroupMachine',
    'childMachine',
    'compile',
    'conditionText',
    'cronWorkerMachine',
    'daemonMachine',
    'decide',
    'dueOf',
    'evaluate',
    'eventWorkerMachine',
    'forgottenOf',
    'inheritDeadline',
    'intervalWorkerMachine',
    'laneLimits',
    'leaseKeeperMachine',
    'lookAtGrid',
    'loopMachine',
    'mayRetry',
    'mentions',
    'needsOwner',
    'nextChangeAt',
    'nextPace',
    'nextQueueTimer',
    'nextRunTimer',
    'nextStreak',
    'nextWaitTimer',
    'noteRestart',
    'onOverlap',
    'openBands',
    'outboxMachine',
    'owedFor',
    'plainWorkerMachine',
    'processSlotMachine',
    'publicState',
    'queueWorkerMachine',
    'rruleWorkerMachine',
    'schedulerMachine',
    'storedTaskMachine',
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
    entry.intervalWorkerMachine,
    entry.eventWorkerMachine,
    entry.cronWorkerMachine,
    entry.rruleWorkerMachine,
    entry.plainWorkerMachine,
    entry.queueWorkerMachine,
    entry.schedulerMachine,
    entry.storedTaskMachine,
  ]) {
    expect(entry.compile(machine).machine).toBe(machine)
  }
})

test('the states of a task are the top-level states of its machine', () => {
  expect(Object.keys(entry.taskMachine.states)).toEqual([...entry.TASK_STATES])
})
