/** Workers whose runs leave the event loop: real threads, processes and loops, and pools of the user's own. */
import { Piscina } from 'piscina'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  createSupervisor,
  type IntervalWorkerOptions,
  type Supervisor,
  type WorkerRunContext,
} from '../../../src/index.ts'
import { endless, throws, where } from '../../fixtures/parity/tasks.ts'
import { memoryLogger, taskOf, thrownBy } from '../../support/harness.ts'

async function started(): Promise<Supervisor> {
  const supervisor = createSupervisor({ logger: memoryLogger([]), pool: { size: 2 }, processes: { size: 1 } })
  await supervisor.start()
  onTestFinished(async () => void (await supervisor.stop({ wait: 2_000, cancelTasks: true })))
  return supervisor
}

/** The first two values of a worker that runs `task` again and again. */
async function valuesOf(
  supervisor: Supervisor,
  options: Partial<IntervalWorkerOptions<void, unknown>>,
): Promise<unknown[]> {
  const values: unknown[] = []
  const worker = supervisor.workers.interval({
    name: 'w',
    delayAfterMs: 1,
    ...options,
    afterResult: (value: unknown) => values.push(value) < 2,
  } as IntervalWorkerOptions<void>)
  await expect(worker.ended).resolves.toMatchObject({ kind: 'done' })
  return values
}

describe('a worker', () => {
  test.each(['main', 'async', 'thread', 'process'] as const)(
    'submits runs to execution %s',
    async (execution) => {
      const supervisor = await started()
      const values = await valuesOf(supervisor, { task: where as never, run: { execution } })
      expect(values).toHaveLength(2)
      expect(supervisor.list().map(({ execution: own, worker }) => [own, worker])).toEqual([
        [execution, 'w'],
        [execution, 'w'],
      ])
    },
  )

  test('submits runs to a named loop', async () => {
    const supervisor = await started()
    supervisor.createLoop('side')
    expect(await valuesOf(supervisor, { task: where as never, run: { loop: 'side' } })).toHaveLength(2)
  })

  test('hears of errors from threads with their cause', async () => {
    const supervisor = await started()
    const failed = Promise.withResolvers<[unknown, WorkerRunContext<string>]>()
    supervisor.workers
      .event<string, void>({
        name: 'w',
        task: throws,
        input: 'far away',
        run: { execution: 'thread' },
        onError: (error, ctx) => failed.resolve([error, ctx]),
      })
      .trigger()
    const [error, { input, run }] = await failed.promise
    expect(error).toMatchObject({ code: 'ERR_TASK_THREW', cause: { message: 'far away', code: 'ERR_OWN' } })
    expect([input, run?.execution]).toEqual(['far away', 'thread'])
  })

  test('ends an endless loop in a thread within its bound', async () => {
    const supervisor = await started()
    const worker = supervisor.workers.event({ name: 'w', task: endless, run: { execution: 'thread' } })
    const running = new Promise((resolve) => supervisor.on('task.progress', resolve))
    worker.trigger()
    await running
    const at = performance.now()
    await worker.stop({ wait: 100 })
    expect(performance.now() - at).toBeLessThan(1_000)
    expect(worker.state).toBe('stopped')
  })

  test('runs its thread tasks in a pool of its own', async () => {
    const supervisor = await started()
    const own = new Piscina({ maxThreads: 1 })
    onTestFinished(() => own.destroy())
    const values = await valuesOf(supervisor, {
      task: where as never,
      run: { execution: 'thread' },
      executor: own,
    })
    expect(values).toHaveLength(2)
    expect([own.completed, supervisor.info().threads.live]).toEqual([2, 0])
  })

  test('refuses an executor where nothing is executed elsewhere', async () => {
    const supervisor = await started()
    const executor = { run() {}, on() {}, off() {} } as never
    const { workers } = supervisor
    for (const work of [{ handler: () => {} }, { task: taskOf<void>(() => {}) }]) {
      expect(thrownBy(() => workers.interval({ name: 'w', intervalMs: 1, ...work, executor }))).toMatchObject(
        {
          code: 'ERR_OPTION_INVALID',
        },
      )
    }
    expect(workers.list()).toEqual([])
  })
})
