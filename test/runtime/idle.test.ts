import { expect, test } from 'vitest'
import { createSupervisor } from '../../src/runtime/supervisor.ts'
import {
  errorOf,
  heldTask,
  memoryLogger,
  slots,
  startedSupervisor,
  taskOf,
  turns,
} from '../support/harness.ts'

test('idle resolves at once when no run is live, else with the end of the last', async () => {
  const { supervisor } = await startedSupervisor(slots(1))
  await supervisor.idle()
  const { task, calls } = heldTask()
  const runs = [supervisor.submit(task), supervisor.submit(task)]
  let idle = false
  const waiting = supervisor.idle().then(() => {
    idle = true
  })
  await turns()
  calls[0]?.resolve(1)
  await runs[0]?.result
  await turns()
  expect(idle).toBe(false)
  calls[1]?.resolve(2)
  await waiting
  expect(runs.map((run) => run.state)).toEqual(['finished', 'finished'])
})

test("stop({ cancelTasks: 'queued' }) ends what is queued and lets what runs end", async () => {
  const { supervisor, stop } = await startedSupervisor(slots(1))
  const { task, calls } = heldTask()
  const running = supervisor.submit(task)
  const queued = supervisor.submit(task)
  await turns()
  const stopped = stop({ wait: true, cancelTasks: 'queued' })
  expect(await errorOf(queued.result)).toMatchObject({ code: 'ERR_TASK_TERMINATED', reason: 'stop' })
  expect(running.state).toBe('running')
  calls[0]?.resolve('done')
  expect(await running.result).toBe('done')
  await stopped
  expect(supervisor.state).toBe('stopped')
})

test('a stop that ends many tasks writes one line about them', async () => {
  const lines: Parameters<typeof memoryLogger>[0] = []
  const supervisor = createSupervisor({ logger: memoryLogger(lines), daemon: true, ...slots(1) })
  await supervisor.start()
  const { task } = heldTask()
  for (let i = 0; i < 50; i += 1) supervisor.submit(task)
  await turns()
  await supervisor.stop({ cancelTasks: true })
  const about = lines.filter((line) => JSON.stringify(line).includes('terminated'))
  expect(about).toHaveLength(1)
  expect(JSON.stringify(about[0])).toContain('50')
})

test.each([
  ['throws', () => JSON.parse('{')],
  ['gives no number', () => Number.NaN],
])('a source of chance that %s takes nothing down: the run is tried again', async (_, random) => {
  const { supervisor, clock } = await startedSupervisor({ random })
  let attempts = 0
  const task = taskOf(
    () => {
      attempts += 1
      if (attempts === 1) throw new Error('once')
      return attempts
    },
    { retry: { attempts: 2, backoff: { initialMs: 10 } } },
  )
  const run = supervisor.submit(task)
  await clock.advance(20)
  expect(await run.result).toBe(2)
})
