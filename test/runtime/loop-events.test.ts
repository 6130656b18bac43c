import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EVENT_NAMES, type RecordedEvent } from '../../src/index.ts'
import { blocks, exits } from '../fixtures/loops/tasks.ts'
import { errorOf, startedSupervisor } from '../support/harness.ts'

test('events of a loop have exactly the fields that docs/events.md says, in order', async () => {
  const { supervisor, clock, recorder } = await startedSupervisor()
  const loop = supervisor.createLoop('io')
  await loop.start()
  const { threadId } = loop
  const run = loop.spawn(blocks, 60_000)
  await recorder.until(({ type }) => type === 'task.progress')
  await clock.advance(250)
  await clock.advance(500)
  run.cancel()
  await recorder.until(({ type }) => type === 'loop.unblocked')
  await errorOf(loop.run(exits, 3))
  await clock.advance(1_000)
  await recorder.until(({ type }) => type === 'loop.restarted')
  await supervisor.stopLoop('io')
  const brief = supervisor.createLoop('brief', { intensity: 0 })
  await errorOf(brief.run(exits, 3))

  const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8')
  const events = (recorder.events as RecordedEvent[]).filter(({ type }) => type.startsWith('loop.'))
  for (const { type, payload } of events) {
    const fields = new RegExp(`^\\| \`${type}\` \\| ([^|]*) \\|`, 'm').exec(page)?.[1] ?? ''
    const documented = [...fields.matchAll(/`(\w+)`/g)].map(([, field]) => field)
    expect([type, Object.keys(payload).sort()]).toEqual([type, ['at', 'supervisor', ...documented].sort()])
  }
  const names = EVENT_NAMES.filter((name) => name.startsWith('loop.'))
  expect(new Set(events.map(({ type }) => type))).toEqual(new Set(names))
  const at = expect.any(Number)
  expect(events.map(({ type, payload }) => ({ type, ...payload }))).toMatchObject([
    { type: 'loop.started', supervisor: 'test', at, loop: 'io', threadId },
    { type: 'loop.blocked', blockedMs: 500, runs: [run.id] },
    { type: 'loop.unblocked' },
    { type: 'loop.failed', attempts: 1, error: { code: 'ERR_LOOP_EXITED' } },
    { type: 'loop.restarted', restarts: 1 },
    { type: 'loop.stopped' },
    { type: 'loop.started', loop: 'brief' },
    { type: 'loop.failed' },
    { type: 'loop.gaveUp', loop: 'brief', error: { code: 'ERR_RESTART_INTENSITY' } },
  ])
})
