import { describe, expect, test } from 'vitest'
import { defaultSupervisor } from '../../src/index.ts'
import {
  deferred,
  echoTask,
  errorOf,
  heldTask,
  startedSupervisor,
  testSupervisor,
  thrownBy,
  turns,
} from '../support/harness.ts'

describe('start', () => {
  test('resolves at once when it runs already, and every waiter of one start resolves', async () => {
    const { supervisor, of } = testSupervisor()
    await Promise.all([supervisor.start(), supervisor.start()])
    await supervisor.start()
    supervisor.pause()
    await supervisor.start()
    expect(supervisor.state).toBe('paused')
    expect(of('supervisor.started')).toHaveLength(1)
  })

  test('holds no timer and admits nothing while it prepares', async () => {
    const loaded = deferred<never[]>()
    const { supervisor, clock } = testSupervisor({
      taskLog: { store: { load: () => loaded.promise, append() {} } },
    })
    const started = supervisor.start()
    const run = supervisor.submit(heldTask({ queueWarningMs: Infinity, queueCriticalMs: Infinity }).task)
    await turns(2)
    expect([supervisor.state, run.state]).toEqual(['starting', 'queued'])
    loaded.resolve([])
    await started
    expect(run.state).toBe('running')
    run.cancel()
    await turns()
    expect(clock.pending).toBe(0)
  })

  test.each([
    ['rejects', () => Promise.reject(new Error('no disk'))],
    [
      'throws',
      () => {
        throw new Error('no disk')
      },
    ],
  ])('fails when the store of the task log %s, says why, and can be tried again', async (_, fail) => {
    let broken = true
    const store = { load: () => (broken ? fail() : []), append() {} }
    const { supervisor, of, lines } = testSupervisor({ taskLog: { store } })
    const run = supervisor.submit(echoTask<string>(), 'patient')
    const error = await errorOf(supervisor.start())
    expect(error).toMatchObject({ name: 'SupervisorStateError', code: 'ERR_SUPERVISOR_START_FAILED' })
    expect(error.cause).toEqual(new Error('no disk'))
    expect([supervisor.state, run.state]).toEqual(['failed', 'queued'])
    expect(of('supervisor.failed').map((payload) => payload.error)).toEqual([new Error('no disk')])
    expect(lines.find(({ msg }) => msg === 'supervisor.failed')).toMatchObject({
      err: { message: 'no disk' },
    })
    broken = false
    await supervisor.start()
    await expect(run.result).resolves.toBe('patient')
  })

  test('is refused while the supervisor stops', async () => {
    const { supervisor, clock } = await startedSupervisor()
    supervisor.submit(heldTask().task)
    await turns()
    const stopped = supervisor.stop({ wait: 0 })
    expect(await errorOf(supervisor.start())).toMatchObject({ code: 'ERR_SUPERVISOR_STATE' })
    await clock.advance(0)
    await stopped
  })

  test('after stop starts the same supervisor anew, with its settings, log and ids', async () => {
    const { supervisor, stop, of } = await startedSupervisor({
      pool: { size: 3, reserveNormal: 0, reserveHigh: 0 },
    })
    const task = echoTask<number>()
    for (let round = 0; round < 3; round += 1) {
      await supervisor.start()
      expect(await supervisor.submit(task, round).result).toBe(round)
      await stop()
      expect(thrownBy(() => supervisor.submit(task, 9)).code).toBe('ERR_SUPERVISOR_STOPPED')
    }
    await supervisor.start()
    expect(supervisor.info()).toMatchObject({
      state: 'running',
      pool: { size: 3, active: 0 },
      runs: { finished: 3 },
    })
    expect(of('supervisor.started')).toHaveLength(4)
    expect(supervisor.records({ action: 'success' })).toHaveLength(3)
  })

  test('is not made ready by what an earlier, stopped start was waiting for', async () => {
    const loads = [deferred<never[]>(), deferred<never[]>()]
    let load = 0
    const store = { load: () => loads[load++]!.promise, append() {} }
    const { supervisor, stop } = testSupervisor({ taskLog: { store } })
    void errorOf(supervisor.start())
    await stop()
    const second = supervisor.start()
    loads[0]!.resolve([])
    await turns(3)
    expect(supervisor.state).toBe('starting')
    loads[1]!.resolve([])
    await second
    expect(supervisor.state).toBe('running')
  })

  test.each([['pause'], ['resume']] as const)('must have been called before %s', (call) => {
    const { supervisor } = testSupervisor()
    expect(thrownBy(() => supervisor[call]())).toMatchObject({ code: 'ERR_SUPERVISOR_STATE' })
    expect(supervisor.state).toBe('idle')
  })
})

describe('a storm', () => {
  test('of ten starts and stops with fifty tasks each leaves nothing, and every task ends once', async () => {
    const { supervisor, stop, clock, recorder } = testSupervisor({
      pool: { size: 5, reserveNormal: 2, reserveHigh: 2 },
    })
    const { task } = heldTask({ graceMs: 20 })
    const deaf = heldTask({ deaf: true, graceMs: 20 })
    const quick = echoTask()
    const bands = ['low', 'normal', 'high', 'critical'] as const
    const results: Promise<unknown>[] = []
    for (let round = 0; round < 10; round += 1) {
      await supervisor.start()
      for (let i = 0; i < 50; i += 1) {
        const definition = i % 3 === 0 ? quick : i % 7 === 0 ? deaf.task : task
        const run = supervisor.submit(definition, undefined, {
          priority: bands[i % 4] as 'low',
          ...(i % 5 === 0 ? { delayMs: i } : {}),
          ...(i % 11 === 0 ? { runTimeoutMs: 5 } : {}),
        })
        results.push(run.result.catch(() => {}))
        if (i % 13 === 0) run.cancel()
      }
      await clock.advance(round * 3)
      if (round % 4 === 1) supervisor.pause()
      await stop([{ wait: false }, { wait: 50, graceMs: 10 }, { cancelTasks: true, graceMs: 5 }][round % 3])
      expect(clock.pending).toBe(0)
      expect(supervisor.info().pool).toMatchObject({
        active: 0,
        waiting: { critical: 0, high: 0, normal: 0, low: 0 },
      })
    }
    await Promise.all(results)
    const ends = recorder.events.filter(({ type }) =>
      /^task\.(finished|failed|cancelled|terminated)$/.test(type),
    )
    expect(new Set(ends.map(({ payload }) => (payload as { runId: string }).runId)).size).toBe(500)
    expect(ends).toHaveLength(500)
    const records = supervisor.records().filter(({ action }) => action !== 'run')
    expect(new Set(records.map(({ runId }) => runId)).size).toBe(records.length)
    const { finished, failed, cancelled, terminated } = supervisor.info().runs
    expect(finished + failed + cancelled + terminated).toBe(500)
  })
})

describe('defaultSupervisor', () => {
  test('is one per process, made when it is asked for, not started, and can be stopped', async () => {
    const supervisor = defaultSupervisor()
    expect(defaultSupervisor()).toBe(supervisor)
    expect([supervisor.id, supervisor.state]).toEqual(['default', 'idle'])
    await supervisor.start()
    expect(await supervisor.submit(echoTask<string>(), 'x').result).toBe('x')
    await supervisor.stop()
  })
})
