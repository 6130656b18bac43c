import { describe, expect, test } from 'vitest'
import { taskMachine } from '../../src/machines/index.ts'
import { createSupervisor } from '../../src/runtime/supervisor.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'
import { sendsJunk, snoozes } from '../fixtures/parity/foreign.ts'
import {
  deferred,
  echoTask,
  errorOf,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  turns,
} from '../support/harness.ts'

/** A clock that goes on while its timers cannot fire. */
class LateClock extends ManualClock {
  lateMs = 0

  override monotonic(): number {
    return super.monotonic() + this.lateMs
  }
}

const unreadable = (): unknown[] =>
  [
    Object.assign(new Error(), { message: Symbol('q') }),
    Object.defineProperty(new Error(), 'message', {
      get() {
        throw new Error('unreadable')
      },
    }),
    Object.assign(new Error(), { message: Object.create(null) }),
    Proxy.revocable({}, {}),
  ].map((bad) => {
    if (!(bad instanceof Error)) {
      const { proxy, revoke } = bad as ReturnType<typeof Proxy.revocable>
      revoke()
      return proxy
    }
    return bad
  })

describe('what cannot be looked at without throwing', () => {
  test.each([0, 1, 2, 3])('thrown by a handler, fails its run and nothing else (%i)', async (index) => {
    const { supervisor } = await startedSupervisor()
    const bad = supervisor.submit(
      taskOf(() => {
        throw unreadable()[index]
      }),
    )
    const next = supervisor.submit(echoTask<number>(), 4)
    expect(await errorOf(bad.result)).toMatchObject({ code: 'ERR_TASK_THREW' })
    expect(await next.result).toBe(4)
  })

  test.each([0, 1, 2, 3])('given as the reason of a cancel, cancels (%i)', async (index) => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submit(heldTask().task)
    await turns()
    run.cancel(unreadable()[index])
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED' })
    expect(await supervisor.submit(echoTask<number>(), 5).result).toBe(5)
  })
})

test('an own executor that throws fails the run as crashed, and frees its slot', async () => {
  const executor = {
    start() {
      throw new Error('no thread today')
    },
    resize() {},
    async warm() {},
    live: 0,
    idle: 0,
    async close() {},
  }
  const { supervisor } = await startedSupervisor({ executors: { process: executor as never }, ...slots(1) })
  const run = supervisor.submit(sendsJunk)
  expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CRASHED' })
  expect(supervisor.info().processes.active).toBe(0)
})

test('a message on the IPC channel that is not ours is left alone', async () => {
  const { supervisor } = await startedSupervisor()
  expect(await supervisor.submit(sendsJunk).result).toBe(1)
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, -5])(
  'a thread that snoozes for %s fails',
  async (delayMs) => {
    const { supervisor } = await startedSupervisor()
    expect(await errorOf(supervisor.submit(snoozes, delayMs).result)).toMatchObject({
      code: 'ERR_TASK_THREW',
    })
  },
)

describe('a slot', () => {
  test.each([
    ['queueWarningMs', 'finished'],
    ['queueTimeoutMs', 'terminated'],
  ] as const)('comes back when the child it was lent to is overdue (%s)', async (clockName, state) => {
    const clock = new LateClock()
    const { supervisor } = await startedSupervisor({ clock, ...slots(1) })
    const child = echoTask<number>({ [clockName]: 10 })
    const parent = taskOf(async (_: undefined, ctx) => {
      const run = ctx.submit(child, 1)
      // The loop is blocked: time passes and no timer can fire.
      clock.lateMs = 50
      return run.result.catch(() => 'late')
    })
    await supervisor.submit(parent, undefined).result
    expect(supervisor.list({ name: child.name })[0]?.state).toBe(state)
    await turns()
    expect(supervisor.info().pool.active).toBe(0)
  })

  test('is found again when two runs wait for each other', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(2))
    const one = taskOf(async (_: undefined, ctx): Promise<unknown> => ctx.submit(other, undefined).result, {
      multilaunch: false,
      runTimeoutMs: 50,
      graceMs: 5,
    })
    const other = taskOf(async (_: undefined, ctx): Promise<unknown> => ctx.submit(one, undefined).result, {
      multilaunch: false,
      runTimeoutMs: 50,
      graceMs: 5,
    })
    const runs = [supervisor.submit(one, undefined), supervisor.submit(other, undefined)]
    await turns()
    expect(() => supervisor.submit(echoTask<number>(), 1)).not.toThrow()
    await clock.advance(200)
    for (const run of runs) expect(run.outcome).toBeDefined()
  })
})

test('a listener may submit and resize while an inspected run is at work', async () => {
  const { supervisor } = await startedSupervisor({ inspect: () => {}, ...slots(1) })
  let more = 3
  supervisor.on('task.queued', () => {
    supervisor.resize({ pool: { size: 1 + (more % 2) } })
    if (more > 0) {
      more -= 1
      supervisor.submit(echoTask<number>(), more)
    }
  })
  await supervisor.submit(echoTask<number>(), 9).result
  await supervisor.idle()
  expect(supervisor.info().runs.finished).toBe(4)
})

test('a run that is cancelled while its input is being checked is never called', async () => {
  const { supervisor, clock } = await startedSupervisor()
  const checking = deferred<{ value: number }>()
  let called = 0
  const schema = { '~standard': { version: 1, vendor: 'test', validate: () => checking.promise } } as const
  const task = taskOf<number, number>(
    () => {
      called += 1
      return called
    },
    { schema, graceMs: 100 },
  )
  const run = supervisor.submit(task, 1)
  await turns()
  run.cancel()
  checking.resolve({ value: 1 })
  await clock.advance(1)
  expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', step: 'signal' })
  expect([called, supervisor.info().abandoned]).toEqual([0, 0])
})

test('multilaunch: false does not wait for a run that is scheduled for later', async () => {
  const { supervisor, clock } = await startedSupervisor()
  const task = echoTask<number>({ multilaunch: false })
  const soon = supervisor.submit(task, 1, { delayMs: 20 })
  const later = supervisor.submit(task, 2, { delayMs: 1_000 })
  await clock.advance(25)
  expect([soon.state, later.state]).toEqual(['finished', 'scheduled'])
})

test('a stop while the task log is being read leaves no thread behind', async () => {
  const reading = deferred<[]>()
  const supervisor = createSupervisor({
    daemon: true,
    pool: { minThreads: 2 },
    taskLog: { store: { load: () => reading.promise, append() {} } },
  })
  const started = errorOf(supervisor.start())
  await supervisor.stop({ wait: false })
  reading.resolve([])
  expect(await started).toMatchObject({ code: 'ERR_SUPERVISOR_STOPPED' })
  await turns()
  expect(supervisor.info().threads.live).toBe(0)
})

test('a guard of the user is asked for every run', async () => {
  let delayed = false
  const task = taskMachine.provide({ guards: { isDelayed: () => delayed } })
  const { supervisor } = await startedSupervisor({ logic: { task } })
  const definition = echoTask<number>()
  expect(await supervisor.submit(definition, 1).result).toBe(1)
  delayed = true
  const run = supervisor.submit(definition, 2)
  expect(run.state).toBe('scheduled')
  run.cancel()
})

test("a second stop with cancelTasks: 'queued' ends what the first one let wait", async () => {
  const { supervisor, stop } = await startedSupervisor(slots(1))
  const { task, calls } = heldTask()
  const running = supervisor.submit(task)
  const queued = supervisor.submit(task)
  await turns()
  const stopped = [stop({ wait: true }), stop({ wait: true, cancelTasks: 'queued' })]
  expect(await errorOf(queued.result)).toMatchObject({ code: 'ERR_TASK_TERMINATED' })
  calls[0]?.resolve(1)
  await running.result
  await Promise.all(stopped)
})

test('a shorter grace of its own holds also when the supervisor stops', async () => {
  const { supervisor, clock } = await startedSupervisor()
  const run = supervisor.submit(heldTask({ deaf: true, graceMs: 50 }).task)
  await turns()
  const stopped = supervisor.stop({ cancelTasks: true, graceMs: 3_000 })
  await clock.advance(60)
  expect(run.outcome).toMatchObject({ kind: 'terminated', step: 'abandon' })
  await clock.advance(4_000)
  await stopped
})
