/** What docs/parity.md promises users of neotasker, as far as no other test shows it. */
import { expect, test } from 'vitest'
import { startedSupervisor, taskOf, testSupervisor } from '../support/harness.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

test('a supervisor leaves the signals to its host', async () => {
  const listeners = () => SIGNALS.map((signal) => process.listenerCount(signal))
  const before = listeners()
  const { supervisor, stop } = testSupervisor()
  await supervisor.start()
  expect(listeners()).toEqual(before)
  await stop()
  expect(listeners()).toEqual(before)
})

test('a host hears of every end by events: its own id, and the value or a typed error with its cause', async () => {
  const { supervisor } = await startedSupervisor()
  const reports: unknown[] = []
  supervisor.on('task.finished', ({ runId, value }) => reports.push([runId, value]))
  supervisor.on('task.failed', ({ runId, kind, error }) => reports.push([runId, kind, error]))
  const task = taskOf<number, number>((input) => {
    if (input < 0) throw new RangeError('negative')
    return input * 2
  })
  supervisor.submit(task, 21, { runId: 'host-1' })
  supervisor.submit(task, -1, { runId: 'host-2' })
  await supervisor.idle()
  expect(reports).toEqual([
    ['host-1', 42],
    ['host-2', 'threw', expect.objectContaining({ code: 'ERR_TASK_THREW', runId: 'host-2' })],
  ])
  expect((reports[1] as [string, string, Error])[2].cause).toEqual(new RangeError('negative'))
  expect(await supervisor.get('host-1')?.result).toBe(42)
})
