/** What docs/parity.md promises about pools of real threads and processes, as far as no other test shows it. */
import { Piscina } from 'piscina'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type AttemptListener, createSupervisor, type Executor, type Job, type Run } from '../../src/index.ts'
import { dies, exits, inProcess, throws, waits, where } from '../fixtures/parity/tasks.ts'
import { errorOf, startedSupervisor, type TestSupervisor } from '../support/harness.ts'

const NO_RESERVES = { reserveNormal: 0, reserveHigh: 0 }

/** Resolves when the handlers of `runs` have begun: they report progress then. */
async function begun({ recorder }: TestSupervisor, runs: readonly Run[]): Promise<void> {
  const ids = runs.map(({ id }) => id)
  for (const id of ids) {
    await recorder.until(({ type, payload }) => type === 'task.progress' && payload.runId === id)
  }
}

const states = (runs: readonly Run[]): string[] => runs.map(({ state }) => state)

async function end(runs: readonly Run[]): Promise<void> {
  for (const run of runs) run.cancel()
  await Promise.allSettled(runs.map(({ result }) => result))
}

describe('threads', () => {
  test('minThreads are up, each its own, when start resolves', async () => {
    const started = await startedSupervisor({ pool: { size: 3, ...NO_RESERVES, minThreads: 'max' } })
    const { supervisor } = started
    expect(supervisor.info().threads).toEqual({ live: 3, idle: 3, min: 3, max: 3 })
    const runs = [0, 1, 2].map(() => supervisor.submit(waits, undefined, { execution: 'thread' }))
    await begun(started, runs)
    expect(new Set(runs.map(({ progressed }) => progressed?.note)).size).toBe(3)
    expect(supervisor.info().threads.live).toBe(3)
    await end(runs)
    const some = await startedSupervisor({ id: 'some', pool: { size: 4, minThreads: 1, maxThreads: 2 } })
    expect(some.supervisor.info().threads).toEqual({ live: 1, idle: 1, min: 1, max: 2 })
  })

  test('critical gets one on top, up to maxOverflowThreads, and is first in line beyond', async () => {
    const started = await startedSupervisor({ pool: { size: 1, ...NO_RESERVES, maxOverflowThreads: 1 } })
    const { supervisor } = started
    const submit = (priority: 'normal' | 'critical') =>
      supervisor.submit(waits, undefined, { execution: 'thread', priority })
    const runs = [submit('normal'), submit('normal'), submit('critical'), submit('critical')]
    const [first, patient, urgent, beyond] = runs as [Run, Run, Run, Run]
    expect(states(runs)).toEqual(['running', 'queued', 'running', 'queued'])
    await begun(started, [first, urgent])
    expect(supervisor.info()).toMatchObject({ pool: { active: 2 }, threads: { live: 2, max: 1 } })
    await end([first])
    expect(states([patient, beyond])).toEqual(['queued', 'running'])
    await end([urgent, beyond])
    expect(patient.state).toBe('running')
    await end([patient])
  })

  test('size 0 admits all, thread tasks only while there is a thread for them', async () => {
    const { supervisor } = await startedSupervisor({ pool: { size: 0, maxThreads: 2 } })
    const submit = (execution: 'thread' | 'async') => supervisor.submit(waits, undefined, { execution })
    const threads = [submit('thread'), submit('thread'), submit('thread')]
    const others = [submit('async'), submit('async'), submit('async')]
    expect(states(threads)).toEqual(['running', 'running', 'queued'])
    expect(states(others)).toEqual(['running', 'running', 'running'])
    await end([threads[0] as Run])
    expect(threads[2]?.state).toBe('running')
    await end([...threads, ...others])
  })

  test('fewer than slots keep the reserves at their top', async () => {
    const { supervisor } = await startedSupervisor({
      pool: { size: 4, reserveNormal: 0, reserveHigh: 1, maxThreads: 2 },
    })
    const submit = (priority: 'normal' | 'high') =>
      supervisor.submit(waits, undefined, { execution: 'thread', priority })
    const runs = [submit('normal'), submit('normal'), submit('high')]
    expect(states(runs)).toEqual(['running', 'queued', 'running'])
    expect(supervisor.submit(waits).state).toBe('running')
    await end([...runs, ...supervisor.list({ name: waits.name })])
  })

  test('a resize keeps the pool and what runs in it, grows and retires', async () => {
    const started = await startedSupervisor({ pool: { size: 1, ...NO_RESERVES } })
    const { supervisor } = started
    const thread = { execution: 'thread' } as const
    const before = await supervisor.submit(where, undefined, thread).result
    const runs = [supervisor.submit(waits, undefined, thread), supervisor.submit(waits, undefined, thread)]
    await begun(started, runs.slice(0, 1))
    expect(runs[0]?.progressed?.note).toBe(String(before.thread))
    supervisor.resize({ pool: { size: 3, minThreads: 3, maxThreads: 3 } })
    expect(states(runs)).toEqual(['running', 'running'])
    await begun(started, runs)
    expect(supervisor.info().threads).toMatchObject({ live: 3, min: 3, max: 3 })
    supervisor.resize({ pool: { size: 1, minThreads: 0, maxThreads: 1, maxOverflowThreads: 0 } })
    expect(states(runs)).toEqual(['running', 'running'])
    await expect.poll(() => supervisor.info().threads.live).toBe(2)
    const late = supervisor.submit(where, undefined, thread)
    await end([runs[1] as Run])
    expect(late.state).toBe('queued')
    await end(runs)
    await late.result
    await expect.poll(() => supervisor.info().threads.live).toBe(1)
  })

  test('of the user’s own Piscina run the tasks, and stay the user’s', async () => {
    const pool = new Piscina({ minThreads: 0, maxThreads: 1, idleTimeout: Number.POSITIVE_INFINITY })
    onTestFinished(() => pool.destroy())
    const { supervisor, stop } = await startedSupervisor({ executors: { thread: pool } })
    const { thread } = await supervisor.submit(where, undefined, { execution: 'thread' }).result
    expect(pool.threads.map(({ threadId }) => threadId)).toEqual([thread])
    await stop()
    expect(pool.threads.map(({ threadId }) => threadId)).toEqual([thread])
  })
})

describe('processes', () => {
  test('have a count of their own with the same bands, made on demand and resized', async () => {
    const started = await startedSupervisor({
      pool: { size: 2, ...NO_RESERVES },
      processes: { size: 1, reserveNormal: 0, reserveHigh: 1, idleTimeoutMs: 1 },
    })
    const { supervisor } = started
    const submit = (execution: 'main' | 'async' | 'thread' | 'process', priority = 'normal') =>
      supervisor.submit(waits, undefined, { execution, priority: priority as 'normal' })
    const shared = [submit('async'), submit('thread'), submit('async'), submit('thread')]
    expect(states(shared)).toEqual(['running', 'running', 'queued', 'queued'])
    expect(supervisor.info()).toMatchObject({ processes: { active: 0 }, children: { live: 0 } })
    const apart = [submit('process'), submit('process'), submit('process', 'high'), submit('process', 'high')]
    expect(states(apart)).toEqual(['running', 'queued', 'running', 'queued'])
    const critical = submit('process', 'critical')
    expect(critical.state).toBe('running')
    expect(supervisor.info()).toMatchObject({ pool: { active: 2 }, processes: { active: 3 } })
    supervisor.resize({ processes: { size: 6 } })
    expect(states(apart)).toEqual(['running', 'running', 'running', 'running'])
    expect(supervisor.info().processes).toMatchObject({ size: 6, reserveNormal: 0, reserveHigh: 1 })
    await begun(started, [...apart, critical])
    expect(supervisor.info().children.live).toBe(5)
    await end([...shared, ...apart, critical])
    await expect.poll(() => supervisor.info().children.live).toBe(0)
  })

  test('are used again, and are another program', async () => {
    const { supervisor } = await startedSupervisor({ defaults: { execution: 'process' } })
    const one = await supervisor.submit(where).result
    const two = await supervisor.submit(inProcess, undefined, { priority: 'high' }).result
    expect([one.pid === process.pid, two]).toEqual([false, one])
  })

  test('run a task delayed and in its band, and give its value to who awaits it', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const options = { execution: 'process', priority: 'high', delayMs: 50 } as const
    const run = supervisor.submit(where, undefined, options)
    expect(run).toMatchObject({ state: 'scheduled', priority: 'high', execution: 'process' })
    expect(supervisor.info().processes.active).toBe(0)
    await clock.advance(50)
    expect((await run.result).isMainThread).toBe(true)
  })

  test('that fail or die are seen at once, free their slot and keep no stop waiting', async () => {
    const { supervisor, of } = await startedSupervisor({ processes: { size: 1, ...NO_RESERVES } })
    const execution = 'process'
    const threw = supervisor.submit(throws, 'no good', { execution })
    const exited = supervisor.submit(exits, 7, { execution })
    const died = supervisor.submit(dies, undefined, { execution })
    const fine = supervisor.submit(where, undefined, { execution })
    expect(await errorOf(threw.result)).toMatchObject({
      code: 'ERR_TASK_THREW',
      cause: { name: 'RangeError', message: 'no good', code: 'ERR_OWN' },
    })
    expect(await errorOf(exited.result)).toMatchObject({ code: 'ERR_TASK_CRASHED', cause: { exitCode: 7 } })
    expect(await errorOf(died.result)).toMatchObject({
      kind: 'crashed',
      runId: died.id,
      taskName: dies.name,
      cause: { signal: 'SIGKILL' },
    })
    await fine.result
    expect(supervisor.info().processes.active).toBe(0)
    expect(supervisor.records({ action: 'crash' }).map(({ runId }) => runId)).toEqual([exited.id, died.id])
    const last = supervisor.submit(dies, undefined, { execution })
    await supervisor.stop({ wait: true })
    expect([last.state, of('task.failed').length]).toEqual(['failed', 4])
  })

  test('may be an executor of the user’s own', async () => {
    const jobs: Job[] = []
    const start = (job: Job, listener: AttemptListener) => {
      jobs.push(job)
      queueMicrotask(() => listener.settled({ type: 'returned', value: 'from elsewhere' }))
      return { signal() {}, terminate() {}, kill() {} }
    }
    const own: Executor = { live: 0, idle: 0, resize() {}, async warm() {}, async close() {}, start }
    const { supervisor } = await startedSupervisor({ executors: { process: own } })
    const run = supervisor.submit(inProcess)
    expect(await run.result).toBe('from elsewhere')
    expect(jobs).toMatchObject([{ runId: run.id, name: inProcess.name, module: inProcess.module }])
  })
})

test('no thread and no process is kept warm before a start or after a stop, also not by a resize', async () => {
  const supervisor = createSupervisor({ pool: { minThreads: 2 }, processes: { minProcesses: 1 } })
  const live = () => [supervisor.info().threads.live, supervisor.info().children.live]
  supervisor.resize({ pool: { minThreads: 1 } })
  expect(live()).toEqual([0, 0])
  await supervisor.start()
  expect(live()).toEqual([1, 1])
  await supervisor.stop()
  supervisor.resize({ pool: { minThreads: 2 } })
  expect(live()).toEqual([0, 0])
  await supervisor.start()
  expect(live()).toEqual([2, 1])
  await supervisor.stop()
  expect(live()).toEqual([0, 0])
})
