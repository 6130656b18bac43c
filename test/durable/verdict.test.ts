/** What a daemon says of an attempt whose lease may have ended it. */
import { expect, test } from 'vitest'
import type { HeldTask } from '../../src/actors/daemon/held-task.ts'
import { type VerdictContext, verdictOf } from '../../src/runtime/durable/verdict.ts'

const held = { task: { name: 'work', id: '1' } } as HeldTask

const say = (error: object, hasLapsed: boolean) => {
  const context = { now: 0, maxBytes: 1e6, leaseUntil: 0, hasLapsed, chain: undefined } as VerdictContext
  const whole = Object.assign(new Error('killed'), error)
  return verdictOf(held, { kind: 'failed', failure: { kind: 'crashed', error: whole } }, context)?.kind
}

const crash = { code: 'ERR_PROCESS_EXITED', signal: 'SIGKILL' }
const awol = { code: 'ERR_TASK_TERMINATED', reason: 'awol' }

test.each<[string, object, string | undefined, string | undefined]>([
  ['a process that died', crash, 'failed', undefined],
  ['a process that its watchdog ended', { ...crash, cause: awol }, undefined, undefined],
  ['a process that died of its handler', { ...crash, cause: new Error('boom') }, 'failed', undefined],
  ['a thread that died', { code: 'ERR_THREAD_EXITED' }, 'failed', undefined],
  ['a command that was killed', { code: 'ERR_COMMAND_FAILED', signal: 'SIGKILL' }, 'failed', undefined],
  ['a command that failed', { code: 'ERR_COMMAND_FAILED', signal: null }, 'failed', 'failed'],
  ['a handler that threw', { code: 'EFAIL' }, 'failed', 'failed'],
])('%s: said while the lease holds, and after', (_, error, whileHeld, after) => {
  expect([say(error, false), say(error, true)]).toEqual([whileHeld, after])
})
