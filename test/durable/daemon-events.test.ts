import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type AnyEvent, EVENT_NAMES, type RecordedEvent, type SupervisorEvents } from '../../src/index.ts'
import { recordEvents } from '../../src/runtime/testing/index.ts'
import { recordChannels } from '../support/channels.ts'
import { heldTask } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { awayPlace, next, records, startedDaemon } from './daemon-kit.ts'

const isOfDaemon = (type: string): boolean => type.startsWith('daemon.') || type.startsWith('schedule.')

test('events of a daemon have exactly the fields that docs/events.md says', async () => {
  const { task, calls } = heldTask<number>()
  const place = await awayPlace()
  const rig = await startedDaemon([task], { place, daemon: { leaseMs: 3_000 } })
  const { queue, store, daemon, supervisor } = rig
  await daemon.stop()
  const recorder = recordEvents<AnyEvent>(supervisor)
  const channels = recordChannels()
  await daemon.start()
  const { id: daemonId } = daemon

  const isRunning = ({ state }: { state: string }): boolean => state === 'running'
  const [fenced, lost] = [await queue.enqueue(task, 1), await queue.enqueue(task, 2)]
  await records(store, [fenced.id, lost.id], isRunning)
  // As another daemon does to one that gives no sign of life.
  await store.do({ type: 'reclaim', at: store.now() + 60_000, by: 'other', lostLimit: 0, limit: 10 })
  const told = next(supervisor, 'daemon.leaseLost')
  calls[0]?.resolve('too late')
  await next(supervisor, 'daemon.fenced')
  await told
  const overdue = next(supervisor, 'daemon.overdue')
  const late = await queue.enqueue(task, 3, { delayMs: 1e9, deadlineMs: 20 })
  expect(await overdue).toMatchObject({ name: task.name, state: 'terminated', reason: 'deadline' })
  const at = store.now() + 50
  const ended = next(supervisor, 'schedule.ended')
  await queue.schedule('once', task, 3, { everyMs: 1e9, startAt: at, endAt: at })
  await until(() => calls.length === 3)
  calls[2]?.resolve('the last one')
  await ended
  const held = await queue.enqueue(task, 4)
  await records(store, [held.id], isRunning)
  const failing = next(supervisor, 'daemon.renewalFailed')
  const away = next(supervisor, 'daemon.storeLost')
  place.setAway(true)
  expect(await failing).toMatchObject({ held: 1, error: { code: 'ERR_STORE_FAILED' } })
  await away
  const works = next(supervisor, 'daemon.renewalWorks')
  const found = next(supervisor, 'daemon.storeFound')
  place.setAway(false)
  expect(await works).toMatchObject({ held: 1 })
  await found
  calls[3]?.resolve('the last but none')
  await records(store, [held.id])
  await queue.shutdown('enough')
  await next(supervisor, 'daemon.stopped')
  recorder.stop()
  expect(channels).toEqual(recorder.events)

  const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8')
  const events = (recorder.events as RecordedEvent[]).filter(({ type }) => isOfDaemon(type))
  for (const { type, payload } of events) {
    const fields = new RegExp(`^\\| \`${type}\` \\| ([^|]*) \\|`, 'm').exec(page)?.[1] ?? ''
    const documented = [...fields.matchAll(/`(\w+)`/g)].map(([, field]) => field)
    const base = ['at', 'daemon', 'daemonId', 'supervisor']
    expect([type, Object.keys(payload).sort()]).toEqual([type, [...base, ...documented].sort()])
    expect(payload).toMatchObject({ daemon: 'default', daemonId })
  }
  const of = <Name extends keyof SupervisorEvents>(name: Name): SupervisorEvents[Name] | undefined =>
    events.find(({ type }) => type === name)?.payload as SupervisorEvents[Name] | undefined
  expect(of('daemon.fenced')?.runId).toBe(fenced.id)
  expect(of('daemon.leaseLost')).toMatchObject({ runId: lost.id, name: task.name })
  expect(of('daemon.overdue')?.runId).toBe(late.id)
  expect(of('daemon.told')?.reason).toBe('enough')
  const names = EVENT_NAMES.filter(isOfDaemon)
  expect(new Set(events.map(({ type }) => type))).toEqual(new Set(names))
})
