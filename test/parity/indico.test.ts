/** What docs/parity.md promises users of the Indico scheduler, as far as no other test shows it. */
import { expect, test } from 'vitest'
import { defineTask, type Outcome, type TaskState } from '../../src/index.ts'
import { exits } from '../fixtures/parity/tasks.ts'
import { errorOf, heldTask, slots, startedSupervisor, turns } from '../support/harness.ts'

test('a run goes created, scheduled, queued, running, and ends in one of four ways', async () => {
  const { supervisor, clock } = await startedSupervisor(slots(1))
  const walks: Record<string, TaskState[]> = {}
  supervisor.on('*', (_, payload) => {
    if (!('state' in payload)) return
    walks[payload.runId] ??= []
    if (walks[payload.runId]?.at(-1) !== payload.state) walks[payload.runId]?.push(payload.state)
  })
  const { task, calls } = heldTask({ runTimeoutMs: 500 })
  const ids = ['fine', 'bad', 'unwanted', 'late']
  const runs = ids.map((runId) => supervisor.submit(task, undefined, { runId, delayMs: 10 }))
  await clock.advance(10)
  calls[0]?.resolve()
  await turns()
  calls[1]?.reject(new Error('no'))
  await turns()
  runs[2]?.cancel()
  await clock.advance(500)
  const way = ['created', 'scheduled', 'queued', 'running']
  expect(walks).toEqual({
    fine: [...way, 'finished'],
    bad: [...way, 'failed'],
    unwanted: [...way, 'cancelled'],
    late: [...way, 'terminated'],
  })
})

test('teardown hears of a task whose process is gone, and of its outcome', async () => {
  const { supervisor } = await startedSupervisor()
  const torn: [number, string, Outcome['kind']][] = []
  const task = defineTask<number, never>(
    {
      name: exits.name,
      module: exits.module as string,
      execution: 'process',
      teardown: (input, ctx, outcome) => void torn.push([input, ctx.runId, outcome.kind]),
    },
    () => {
      throw new Error('not here')
    },
  )
  const run = supervisor.submit(task, 4)
  expect(await errorOf(run.result)).toMatchObject({ kind: 'crashed' })
  await turns()
  expect(torn).toEqual([[4, run.id, 'failed']])
})
