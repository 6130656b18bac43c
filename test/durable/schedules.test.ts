import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineTask } from '../../src/index.ts'
import type { Queue, ScheduleOptions } from '../../src/runtime/durable/index.ts'
import { Occurrences } from '../../src/runtime/durable/occurrences.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { readRule, toScheduleRule } from '../../src/runtime/durable/schedule-rule.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import { echoTask, errorOf, thrownBy } from '../support/harness.ts'
import { done, freshUrl, settle, take, testQueue } from './queue-kit.ts'

const HOUR = 3_600_000
const report = defineTask(
  { name: 'report', priority: 'low', description: (day: string) => `report of ${day}` },
  (day: string) => day,
)

async function setting(at = '2026-03-01T10:30:00Z') {
  const clock = new ManualClock({ startAt: Date.parse(at) })
  const queue = await testQueue({ clock })
  return { clock, queue }
}

/** What a daemon does when a schedule is due. @returns the instants of the occurrences that it began */
async function look(queue: Queue, occurrences = new Occurrences(storeOf(queue))): Promise<string[]> {
  const store = storeOf(queue)
  const begun: string[] = []
  for (const record of await store.store.schedules(store.now())) {
    for (const operation of occurrences.look(record, store.now(), 'daemon').operations) {
      const answer = await store.do(operation)
      if (answer.kind === 'occurred' && operation.task !== null) begun.push(operation.task.id)
    }
  }
  return begun.map((id) => id.replace(/^.*@|~.*$/g, ''))
}

describe('a schedule', () => {
  test('is kept, shown, said again and taken away', async () => {
    const { clock, queue } = await setting()
    const made = await queue.schedule('nightly', report, 'today', {
      cron: '0 2 * * *',
      timezone: 'Europe/Berlin',
      missed: 'once',
      runTimeoutMs: 5_000,
      metadata: { kind: 'night' },
    })
    expect(made).toEqual({
      name: 'nightly',
      state: 'waiting',
      task: 'report',
      input: 'today',
      priority: 'low',
      description: 'report of today',
      times: {
        cron: '0 2 * * *',
        timezone: 'Europe/Berlin',
        missed: 'once',
        overlap: 'skip',
        from: 'due',
        enabled: true,
      },
      nextAt: Date.parse('2026-03-02T01:00:00Z'),
      runId: undefined,
      lastEndedAt: undefined,
      createdAt: clock.now(),
      createdBy: 'web',
    })
    expect(await queue.schedules()).toEqual([made])
    const changed = await queue.schedule('nightly', report.call('tomorrow', { priority: 'high' }), {
      rrule: 'FREQ=HOURLY',
      timezone: 'UTC',
    })
    expect(changed).toMatchObject({
      input: 'tomorrow',
      priority: 'high',
      nextAt: Date.parse('2026-03-01T10:30:00Z'),
    })
    expect(await queue.schedules()).toHaveLength(1)
    expect([await queue.unschedule('nightly'), await queue.unschedule('nightly')]).toEqual([true, false])
    expect(await queue.schedules()).toEqual([])
  })

  test('makes tasks at its times, with what its call says; one of two daemons makes each', async () => {
    const { clock, queue } = await setting()
    await queue.schedule('hourly', report, 'now', { cron: '0 * * * *', timezone: 'UTC', metadata: { a: 1 } })
    expect(await look(queue)).toEqual([])
    await clock.advance(HOUR / 2)
    const store = storeOf(queue)
    const [record] = await store.store.schedules(store.now())
    const both = [1, 2].map(
      () => new Occurrences(store).look(record as never, store.now(), 'd').operations[0],
    )
    const answers = await Promise.all(both.map((operation) => store.do(operation as never)))
    expect(answers).toMatchObject([{ kind: 'occurred' }, { kind: 'stale' }])
    const { tasks } = await queue.list({ schedule: 'hourly' })
    expect(tasks).toMatchObject([
      {
        name: 'report',
        input: 'now',
        priority: 'low',
        description: 'report of now',
        metadata: { a: 1 },
        schedule: 'hourly',
        createdBy: 'd',
        id: expect.stringContaining('hourly@2026-03-01T11:00:00.000Z~'),
      },
    ])
    expect(await queue.schedules()).toMatchObject([
      { runId: tasks[0]?.id, nextAt: Date.parse('2026-03-01T12:00:00Z') },
    ])
  })

  test('that is said again with the same rule loses no occurrence, whatever starts first', async () => {
    const { clock, queue } = await setting()
    const say = (given: ScheduleOptions = {}) =>
      queue.schedule('every', report, 'x', { everyMs: HOUR, missed: 'all', overlap: 'allow', ...given })
    const { nextAt } = await say()
    expect(nextAt).toBe(clock.now())
    await clock.advance(2.5 * HOUR)
    expect(await say({ priority: 'high' })).toMatchObject({ nextAt, priority: 'high' })
    expect(await look(queue)).toEqual([
      '2026-03-01T10:30:00.000Z',
      '2026-03-01T11:30:00.000Z',
      '2026-03-01T12:30:00.000Z',
    ])
    expect(await say({ missed: 'once' })).toMatchObject({ nextAt: clock.now() })
  })

  test("waits for the end of its run before the next one, from: 'end', however it ended", async () => {
    const { clock, queue } = await setting()
    await queue.schedule('poll', report, 'x', { everyMs: HOUR, from: 'end' })
    expect(await look(queue)).toHaveLength(1)
    await clock.advance(3 * HOUR)
    expect(await look(queue)).toEqual([])
    const [task] = await take(queue)
    await settle(queue, task as never, { kind: 'failed', error: null, reason: 'threw' })
    expect(await look(queue)).toEqual([])
    expect(await queue.schedules()).toMatchObject([{ nextAt: clock.now() + HOUR, lastEndedAt: clock.now() }])
    await clock.advance(HOUR)
    expect(await look(queue)).toHaveLength(1)
    const { runId } = (await queue.schedules())[0] as { runId: string }
    await clock.advance(1_000)
    await queue.cancel(runId)
    expect(await look(queue)).toEqual([])
    expect(await queue.schedules()).toMatchObject([{ nextAt: clock.now() + HOUR, runId: undefined }])
  })

  test('never overlaps itself; what waits for the end of a run begins then', async () => {
    const { clock, queue } = await setting()
    await queue.schedule('buffered', report, 'x', { everyMs: HOUR, overlap: 'bufferOne' })
    expect(await look(queue)).toHaveLength(1)
    const [first] = await take(queue)
    await clock.advance(HOUR)
    expect(await look(queue)).toEqual([])
    await clock.advance(HOUR)
    expect(await look(queue)).toEqual([])
    await settle(queue, first as never, done(1))
    expect(await look(queue)).toEqual(['2026-03-01T11:30:00.000Z'])
    expect(await look(queue)).toEqual([])
  })

  test('that is not enabled is kept, and comes never', async () => {
    const { clock, queue } = await setting()
    const made = await queue.schedule('off', report, 'x', { everyMs: 1_000, enabled: false })
    expect(made).toMatchObject({ nextAt: undefined, times: { enabled: false } })
    await clock.advance(HOUR)
    expect(await look(queue)).toEqual([])
    await queue.schedule('off', report, 'x', { everyMs: 1_000 })
    expect(await look(queue)).toHaveLength(1)
  })

  test('ends with its calendar', async () => {
    const { clock, queue } = await setting()
    await queue.schedule('twice', report, 'x', {
      rrule: 'FREQ=HOURLY;COUNT=2',
      timezone: 'UTC',
      overlap: 'allow',
    })
    await queue.schedule('until', report, 'x', { everyMs: HOUR, endAt: clock.now() + HOUR, overlap: 'allow' })
    const begun: number[] = []
    for (let hours = 0; hours < 4; hours += 1) {
      begun.push((await look(queue)).length)
      await clock.advance(HOUR)
    }
    expect(begun).toEqual([2, 2, 0, 0])
    expect(await queue.schedules()).toMatchObject([{ nextAt: undefined }, { nextAt: undefined }])
    // The program starts again, and says the same.
    await queue.schedule('twice', report, 'x', {
      rrule: 'FREQ=HOURLY;COUNT=2',
      timezone: 'UTC',
      overlap: 'allow',
    })
    expect(await look(queue)).toEqual([])
  })

  test('that cannot be read here is left for a version that can, and told', async () => {
    const { clock, queue } = await setting()
    const store = storeOf(queue)
    const odd = [
      { name: 'a', rule: '{"cron":"0 * * * *","timezone":"Mars/Olympus"}', call: '{}', nextAt: clock.now() },
      { name: 'b', rule: '{"phase":"moon"}', call: '{}', nextAt: clock.now() },
      { name: 'c', rule: '{', call: '{', nextAt: clock.now() },
    ]
    await store.do({ type: 'schedule', schedules: odd, at: store.now(), by: 'future' })
    expect((await queue.schedules()).map(({ times }) => times)).toEqual([undefined, undefined, undefined])
    const occurrences = new Occurrences(store)
    const [record] = await store.store.schedules()
    expect(occurrences.look(record as never, store.now(), 'd').problem).toContain(
      'Schedule "a" cannot be read here',
    )
    expect(await look(queue)).toEqual([])
    expect(await store.store.schedules(store.now())).toEqual([])
    await clock.advance(60_000)
    expect(await store.store.schedules(store.now())).toHaveLength(3)
  })
})

describe('what will not do is refused, and nothing is stored', () => {
  const task = echoTask<unknown>()
  const cases: [object, string, string][] = [
    [{}, 'ERR_OPTION_INVALID', 'exactly one of cron, rrule and everyMs'],
    [{ cron: '* * * * *', everyMs: 5 }, 'ERR_OPTION_INVALID', 'exactly one'],
    [{ cron: '61 * * * *' }, 'ERR_SCHEDULE_INVALID', ''],
    [{ cron: '0 0 30 2 *' }, 'ERR_SCHEDULE_INVALID', ''],
    [{ cron: '0 2 * * *', timezone: 'Europe/Berlim' }, 'ERR_TIMEZONE_UNKNOWN', 'Europe/Berlin'],
    [{ rrule: 'FREQ=SOMETIMES' }, 'ERR_SCHEDULE_INVALID', ''],
    [{ rrule: 'DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;COUNT=3' }, 'ERR_SCHEDULE_INVALID', 'never comes'],
    [
      { rrule: 'DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY', startAt: 5 },
      'ERR_SCHEDULE_INVALID',
      'one start',
    ],
    [{ everyMs: 0 }, 'ERR_OPTION_INVALID', 'everyMs'],
    [{ everyMs: 1.5 }, 'ERR_OPTION_INVALID', 'everyMs'],
    [{ everyMs: 5, timezone: 'UTC' }, 'ERR_OPTION_INVALID', 'timezone'],
    [{ everyMs: 5, endAt: 1 }, 'ERR_SCHEDULE_INVALID', 'never comes'],
    [{ everyMs: 5, missed: 'some' }, 'ERR_OPTION_INVALID', 'missed'],
    [{ everyMs: 5, overlap: 'cancelOther' }, 'ERR_OPTION_INVALID', 'overlap'],
    [{ everyMs: 5, from: 'start' }, 'ERR_OPTION_INVALID', 'from'],
    [{ everyMs: 5, startAt: 'noon' }, 'ERR_OPTION_INVALID', 'startAt'],
    [{ everyMs: 5, key: 'k' }, 'ERR_OPTION_UNKNOWN', 'key'],
    [{ everyMs: 5, priority: 'urgent' }, 'ERR_OPTION_INVALID', 'priority'],
    [{ everyMs: 5, metadata: 5 }, 'ERR_OPTION_INVALID', 'metadata'],
  ]

  test.each(cases)('%j', async (options, code, words) => {
    const queue = await testQueue()
    const error = await errorOf(queue.schedule('s', task, 1, options))
    expect(error).toMatchObject({ name: 'OptionError', code })
    expect(error.message).toContain(words)
    expect(await queue.schedules()).toEqual([])
  })

  test('a name, an input, a call, no options', async () => {
    const queue = await testQueue()
    for (const calling of [
      () => queue.schedule('', task, 1, { everyMs: 5 }),
      () => queue.schedule('s', task, 1n, { everyMs: 5 }),
      () => queue.schedule('s', 'task' as never, { everyMs: 5 }),
      () => queue.schedule('s', task.call(1, { detached: true }), { everyMs: 5 }),
      () => queue.schedule('s', task.call(1, { delayMs: 5 }), { everyMs: 5 }),
      () => queue.schedule('s', task.call(1, { key: 'k' } as never), { everyMs: 5 }),
      () => queue.schedule('s', task.call(1, { runId: 'r' }), { everyMs: 5 }),
      () => queue.schedule('s', task.call(1, { expiresAt: 5 }), { everyMs: 5 }),
      () => queue.schedule('s', task.call(1) as never, { everyMs: 5 }, { priority: 'low' } as never),
      () => queue.schedule('\ud800', task, 1, { everyMs: 5 }),
      () => queue.schedule('s', task, 1, undefined as never),
      () => queue.unschedule(7 as never),
    ])
      expect(await errorOf(calling())).toMatchObject({ name: 'OptionError' })
    expect(await queue.schedules()).toEqual([])
  })
})

describe('the text of a rule', () => {
  const now = Date.parse('2026-03-01T10:30:00.500Z')

  test('gives the same calendar wherever it is read, and keeps its start when it is said again', () => {
    const { text, nextAt } = toScheduleRule('s', { rrule: 'FREQ=DAILY', timezone: 'UTC' }, now, undefined)
    expect(nextAt).toBe(Date.parse('2026-03-01T10:30:01Z'))
    const again = toScheduleRule('s', { rrule: 'FREQ=DAILY', timezone: 'UTC' }, now + 5 * HOUR, text)
    expect(again).toEqual({ text, nextAt: Date.parse('2026-03-02T10:30:01Z') })
    const other = toScheduleRule('s', { rrule: 'FREQ=DAILY', timezone: 'Asia/Tokyo' }, now + 5 * HOUR, text)
    expect(other.text).not.toBe(text)
    expect(thrownBy(() => toScheduleRule('s', {}, now, text))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })

  test('of an interval is a grid that every reader sees alike', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.integer({ min: 0, max: 1e12 }),
        fc.integer({ min: -1e9, max: 1e10 }),
        (everyMs, startAt, shift) => {
          const { text } = toScheduleRule('s', { everyMs, startAt }, startAt, undefined)
          const { calendar } = readRule(text) as NonNullable<ReturnType<typeof readRule>>
          const after = startAt + shift
          const at = calendar.next(after) as number
          expect(at).toBeGreaterThan(after)
          expect((at - startAt) % everyMs).toBe(0)
          expect(at - Math.max(after, startAt - everyMs)).toBeLessThanOrEqual(
            Math.max(everyMs, startAt - after),
          )
        },
      ),
    )
  })
})

test('two processes that say the same schedule at once make one', async () => {
  const url = await freshUrl()
  const [a, b] = [await testQueue({ url }), await testQueue({ url })]
  await Promise.all(
    [a, b].map((queue) => queue.schedule('one', report, 'x', { cron: '0 0 1 1 *', timezone: 'UTC' })),
  )
  expect(await a.schedules()).toHaveLength(1)
})
