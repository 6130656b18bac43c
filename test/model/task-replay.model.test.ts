/** The task machine as the plan, a real supervisor on a manual clock as what is tested: every edge that can be caused from outside. */
import { expect, test } from 'vitest'
import { taskMachine } from '../../src/machines/task.ts'
import type { TaskContext, TaskEvent } from '../../src/machines/task-model.ts'
import { defineTask } from '../../src/runtime/define-task.ts'
import type { Run } from '../../src/runtime/run.ts'
import {
  createTestSupervisor,
  replay,
  stateOf,
  type TestSupervisor,
  walkMachine,
} from '../../src/runtime/testing/index.ts'
import { projectTask } from './task-walk.ts'

const DELAY_MS = 10
const QUEUE_TIMEOUT_MS = 1_000
const RUN_TIMEOUT_MS = 700
const GRACE_MS = 300
const ATTEMPTS = 2

const task = defineTask<void, unknown>(
  {
    name: 'replayed',
    module: 'test:replayed',
    queueTimeoutMs: QUEUE_TIMEOUT_MS,
    runTimeoutMs: RUN_TIMEOUT_MS,
    graceMs: GRACE_MS,
    retry: { attempts: ATTEMPTS, backoff: { kind: 'fixed', initialMs: DELAY_MS, jitter: 'none' } },
  },
  () => undefined,
)

/** Where each timer runs. */
const TIMERS: Readonly<Record<string, { readonly states: RegExp; readonly ms: number }>> = {
  'timer.wakeUp': { states: /^(scheduled|retrying|snoozed)$/, ms: DELAY_MS },
  'timer.queueTimeout': { states: /^queued$/, ms: QUEUE_TIMEOUT_MS },
  'timer.runTimeout': { states: /^running\.executing$/, ms: RUN_TIMEOUT_MS },
  'timer.grace': { states: /^running\.stopping\.signalled$/, ms: GRACE_MS },
}

const EVENTS: readonly TaskEvent[] = [
  { type: 'task.submit', delayMs: 0 },
  { type: 'task.submit', delayMs: DELAY_MS },
  { type: 'task.admit' },
  { type: 'task.cancel', reason: 'asked' },
  { type: 'task.terminate', reason: 'demanded' },
  { type: 'attempt.started' },
  { type: 'attempt.returned', value: 'value' },
  { type: 'attempt.skipped', reason: 'nothing to do' },
  { type: 'attempt.snoozed', delayMs: DELAY_MS },
  { type: 'attempt.failed', kind: 'threw', error: 'error', retryInMs: DELAY_MS },
  { type: 'timer.wakeUp' },
  { type: 'timer.queueTimeout' },
  { type: 'timer.runTimeout', retryInMs: DELAY_MS },
  { type: 'timer.grace' },
]

interface System {
  readonly test: TestSupervisor
  run: Run | undefined
}

/** What only the supervisor itself, or the run itself, can do comes when it can. */
function canCome(state: string, { type }: TaskEvent): boolean {
  if (type === 'task.submit') return state === 'created'
  if (state === 'created') return false
  if (type === 'task.admit') return state === 'queued'
  if (type.startsWith('attempt.')) return state.startsWith('running')
  return TIMERS[type]?.states.test(state) ?? true
}

/** Nothing is admitted but when the plan says so. */
async function admit({ test }: System): Promise<void> {
  test.supervisor.resume()
  test.supervisor.pause()
  await test.turn()
}

const ACTS: Readonly<Record<string, (system: System, event: TaskEvent) => unknown>> = {
  'task.submit': (system, event) => {
    const delayMs = 'delayMs' in event ? event.delayMs : 0
    system.run = system.test.supervisor.submit(task, undefined, { delayMs })
  },
  'task.admit': admit,
  'task.cancel': ({ run }) => run?.cancel('asked'),
  'task.terminate': ({ test }) => test.supervisor.terminateAll(task),
  // It has begun when it was admitted.
  'attempt.started': () => {},
  'attempt.returned': ({ test, run }) => test.attemptOf(run as Run).return('value'),
  'attempt.skipped': ({ test, run }) => test.attemptOf(run as Run).skip('nothing to do'),
  'attempt.snoozed': ({ test, run }) => test.attemptOf(run as Run).snooze(DELAY_MS),
  'attempt.failed': ({ test, run }) => test.attemptOf(run as Run).throw(new Error('error')),
}

async function act(system: System, event: TaskEvent): Promise<void> {
  const timer = TIMERS[event.type]
  if (timer === undefined) await ACTS[event.type]?.(system, event)
  else await system.test.clock.advance(timer.ms)
  await system.test.turn()
}

test('a real run takes every edge of the task machine that can be caused from outside', async () => {
  const edges = walkMachine(taskMachine, {
    input: { name: 'replayed', execution: 'async', priority: 'normal', attempts: ATTEMPTS },
    events: EVENTS,
    project: (context: TaskContext) => projectTask(context),
    accepts: (snapshot, event) => canCome(stateOf(snapshot), event),
  })
  const report = await replay(edges, {
    async begin(): Promise<System> {
      const made = createTestSupervisor({ deaf: true, pool: { size: 1 } })
      await made.supervisor.start()
      made.supervisor.pause()
      return { test: made, run: undefined }
    },
    act: (system, { event }) => act(system, event),
    check({ run }, { to, target }) {
      const [state] = target.split('.')
      expect([run?.state, run?.attempt]).toEqual([state, to.context.attempt])
      expect(run?.outcome?.kind).toBe(to.context.outcome?.kind)
    },
    end: ({ test }) => test[Symbol.asyncDispose](),
  })
  expect(report.edges).toBeGreaterThan(60)
})
