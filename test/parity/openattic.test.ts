/** What docs/parity.md promises users of the openATTIC task queue, as far as no other test shows it. */
import { expect, test } from 'vitest'
import { countDown, logs } from '../fixtures/parity/tasks.ts'
import { startedSupervisor } from '../support/harness.ts'

test.each(['async', 'thread', 'process'] as const)(
  'a call goes on as the next call under one id, step by step (%s)',
  async (execution) => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submit(countDown.call(20, { execution, runId: 'counting' }))
    await expect(run.result).resolves.toEqual({ arrived: true, runId: 'counting' })
    const actions = supervisor.records({ runId: 'counting' }).map(({ action }) => action)
    expect(actions).toEqual([...Array.from({ length: 21 }, () => 'run'), 'success'])
  },
)

test.each(['async', 'thread', 'process'] as const)(
  'a step reports its progress from inside, to who iterates the run (%s)',
  async (execution) => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submit(logs, 'on the way', { execution })
    const seen: unknown[] = []
    for await (const progress of run.progress()) seen.push(progress)
    expect(seen).toEqual([{ percent: 70, note: 'logged' }])
    expect(run.progressed).toEqual({ percent: 70, note: 'logged' })
  },
)
