import { describe, expect, test } from 'vitest'
import type { TaskLogStore, TaskRecord } from '../../src/index.ts'
import {
  echoTask,
  errorOf,
  heldTask,
  startedSupervisor,
  taskOf,
  testSupervisor,
  turns,
} from '../support/harness.ts'

const record = (facts: Partial<TaskRecord>): TaskRecord => ({
  name: 'old',
  runId: 'r1',
  action: 'run',
  at: 1_000,
  startedAt: 1_000,
  endedAt: undefined,
  runtimeMs: undefined,
  error: undefined,
  ...facts,
})

function memoryStore(records: TaskRecord[] = []): TaskLogStore & { records: TaskRecord[] } {
  return { records, load: () => [...records], append: (one) => void records.push(one) }
}

describe('the task log', () => {
  test('keeps one run record per attempt and exactly one terminal record per run', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask<string>({ graceMs: 10, deaf: true })
    const names = ['success', 'fail', 'cancel', 'late', 'queued'] as const
    const runs = Object.fromEntries(names.slice(0, 4).map((name) => [name, supervisor.submit(task, name)]))
    runs.queued = supervisor.submit(task, 'queued', { delayMs: 5_000 })
    await clock.advance(30)
    calls[0]!.resolve()
    calls[1]!.reject(new Error('no'))
    runs.cancel!.cancel('why')
    runs.late!.cancel()
    runs.queued!.cancel()
    calls[2]!.resolve('raced')
    await clock.advance(10)
    calls[3]!.resolve('too late')
    await turns()
    const actions = (name: string) =>
      supervisor.records({ runId: runs[name]!.id }).map(({ action }) => action)
    expect(names.map((name) => actions(name).join(' '))).toEqual([
      'run success',
      'run fail',
      'run terminate',
      'run terminate',
      'terminate',
    ])
    const [fail] = supervisor.records({ action: 'fail' })
    expect(fail).toMatchObject({
      name: task.name,
      runtimeMs: 30,
      endedAt: clock.now() - 10,
      error: expect.stringContaining('no'),
    })
  })

  test('keeps the run times of parallel runs apart', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask<number>()
    const runs = [0, 1, 2].map((input) => supervisor.submit(task, input))
    await turns()
    for (const i of [2, 0, 1]) {
      await clock.advance(100)
      calls[i]!.resolve(i)
      await turns()
    }
    expect(runs.map(({ runMs }) => runMs)).toEqual([200, 300, 100])
    const byId = (id: string) => supervisor.records({ runId: id, action: 'success' })[0]?.runtimeMs
    expect(runs.map(({ id }) => byId(id))).toEqual([200, 300, 100])
    expect(await Promise.all(runs.map(({ result }) => result))).toEqual([0, 1, 2])
  })

  test('is bounded and can be asked by name, run, action, time and number', async () => {
    const { supervisor, clock } = await startedSupervisor({ taskLog: { keep: 6 } })
    const [one, two] = [echoTask(), echoTask()]
    for (let i = 0; i < 5; i += 1) {
      await supervisor.submit(i % 2 === 0 ? one : two).result
      await clock.advance(10)
    }
    expect(supervisor.records()).toHaveLength(6)
    expect(supervisor.records().map(({ at }) => at)).toEqual(
      [...supervisor.records().map(({ at }) => at)].sort(),
    )
    expect(supervisor.records({ name: two.name, action: 'success' })).toHaveLength(1)
    expect(supervisor.records({ since: clock.now() - 10 })).toHaveLength(2)
    expect(supervisor.records({ limit: 1 })[0]).toMatchObject({ name: one.name, action: 'success' })
    expect(supervisor.records({ limit: 0 })).toEqual([])
    expect(supervisor.last(one.name).get('success')).toBe(clock.now() - 10)
    expect(supervisor.last('nobody').size).toBe(0)
  })

  test('keep 0 remembers only the last facts', async () => {
    const { supervisor } = await startedSupervisor({ taskLog: { keep: 0 } })
    const task = echoTask()
    await supervisor.submit(task).result
    expect(supervisor.records()).toEqual([])
    expect(supervisor.last(task.name).has('success')).toBe(true)
  })

  test('restores an earlier life from its store and marks what never ended as crash', async () => {
    const store = memoryStore([
      record({ runId: 'done' }),
      record({ runId: 'done', action: 'success', at: 1_500 }),
      record({ runId: 'lost', startedAt: 1_200 }),
    ])
    const { supervisor, clock } = testSupervisor({ taskLog: { store } })
    expect(supervisor.records()).toEqual([])
    await supervisor.start()
    const crashes = supervisor.records({ action: 'crash' })
    expect(crashes).toMatchObject([{ runId: 'lost', name: 'old', at: clock.now(), startedAt: 1_200 }])
    expect(store.records.at(-1)).toMatchObject({ runId: 'lost', action: 'crash' })
    expect(supervisor.last('old').get('success')).toBe(1_500)
    expect(supervisor.records()).toHaveLength(4)
  })

  test('restores once: a second start doubles nothing', async () => {
    const store = memoryStore([record({}), record({ action: 'success' })])
    const { supervisor, stop } = await startedSupervisor({ taskLog: { store } })
    await supervisor.submit(echoTask()).result
    await stop()
    await supervisor.start()
    expect(supervisor.records()).toHaveLength(4)
    expect(supervisor.records({ action: 'crash' })).toEqual([])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('goes on when the store %s, and logs it', async (_, append) => {
    const { supervisor, lines } = await startedSupervisor({ taskLog: { store: { load: () => [], append } } })
    await expect(supervisor.submit(echoTask<number>(), 1).result).resolves.toBe(1)
    await turns(2)
    expect(supervisor.records()).toHaveLength(2)
    expect(lines.filter(({ msg }) => /task log store failed/.test(msg))).toHaveLength(2)
  })
})

describe('get and list', () => {
  test('know live runs and the last that ended, up to keep', async () => {
    const { supervisor } = await startedSupervisor({ keep: 3 })
    const task = echoTask<number>()
    const { task: held } = heldTask()
    const runs = [1, 2, 3, 4, 5].map((input) => supervisor.submit(task, input))
    const live = supervisor.submit(held)
    await turns(2)
    expect(runs.map(({ id }) => supervisor.get(id) !== undefined)).toEqual([false, false, true, true, true])
    expect(supervisor.list().map(({ id }) => id)).toEqual([...runs.slice(2), live].map(({ id }) => id))
    expect(supervisor.list({ state: 'running' })).toEqual([live])
    expect(supervisor.list({ name: task.name, state: 'finished' })).toHaveLength(3)
    expect(supervisor.get(live.id)).toBe(live)
    expect(supervisor.get('nobody')).toBeUndefined()
    await expect(runs[0]!.result).resolves.toBe(1)
  })

  test('keep 0 forgets a run when it ends; who holds its handle still reads it', async () => {
    const { supervisor } = await startedSupervisor({ keep: 0 })
    const run = supervisor.submit(taskOf(() => Promise.reject(new Error('x'))))
    await turns(2)
    expect([supervisor.get(run.id), supervisor.list()]).toEqual([undefined, []])
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_THREW' })
  })

  test('info counts every state', async () => {
    const { supervisor } = await startedSupervisor({ pool: { size: 1, reserveNormal: 0, reserveHigh: 0 } })
    const { task } = heldTask()
    supervisor.submit(task)
    supervisor.submit(task)
    supervisor.submit(task, undefined, { delayMs: 5 })
    supervisor.submit(task).cancel()
    expect(supervisor.info()).toMatchObject({
      id: 'test',
      state: 'running',
      runs: {
        created: 0,
        scheduled: 1,
        queued: 1,
        running: 1,
        retrying: 0,
        snoozed: 0,
        finished: 0,
        failed: 0,
        cancelled: 1,
        terminated: 0,
      },
      threads: { live: 0, idle: 0, min: 0 },
      children: { live: 0, idle: 0, min: 0 },
      abandoned: 0,
    })
    expect(JSON.parse(JSON.stringify(supervisor.info()))).toEqual(supervisor.info())
  })
})

test('a store that keeps records slowly gets them one at a time, in order, and stop waits for the last', async () => {
  const kept: string[] = []
  const gates: (() => void)[] = []
  const store: TaskLogStore = {
    load: () => [],
    append: ({ action }) =>
      new Promise((resolve) => {
        gates.push(() => {
          kept.push(action)
          resolve()
        })
      }),
  }
  const { supervisor, stop } = await startedSupervisor({ taskLog: { store } })
  await supervisor.submit(echoTask()).result
  await turns()
  expect(gates).toHaveLength(1)
  const stopped = stop()
  gates[0]?.()
  await turns()
  expect(kept).toEqual(['run'])
  gates[1]?.()
  await stopped
  expect(kept).toEqual(['run', 'success'])
})
