/** Cron and rrule workers: real calendars on the manual clock. */
import { describe, expect, test } from 'vitest'
import type { CronWorkerOptions, RruleWorkerOptions, SupervisorOptions } from '../../../src/index.ts'
import { heldTask, startedSupervisor, thrownBy, turns } from '../../support/harness.ts'
import { StallingClock } from '../../support/stalling-clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const at = (text: string): number => Date.parse(text)

async function started(startAt: string, options: SupervisorOptions = {}) {
  const clock = new StallingClock({ startAt: at(startAt) })
  const test = await startedSupervisor({ ...options, clock })
  const begun: string[] = []
  const handler = (): void => void begun.push(new Date(clock.now()).toISOString().replace('.000Z', 'Z'))
  const skips = (): string[] => test.of('worker.skipped').map(({ reason, count }) => `${reason} ${count}`)
  return { ...test, clock, begun, handler, skips }
}

async function cron(
  startAt: string,
  options: Partial<CronWorkerOptions> & { cron: string },
  rest?: SupervisorOptions,
) {
  const test = await started(startAt, rest)
  const worker = test.supervisor.workers.cron({
    name: 'c',
    handler: test.handler,
    timezone: 'UTC',
    ...options,
  } as CronWorkerOptions)
  return { ...test, worker }
}

async function rrule(startAt: string, options: Partial<RruleWorkerOptions> & { rrule: string }) {
  const test = await started(startAt)
  const worker = test.supervisor.workers.rrule({
    name: 'r',
    handler: test.handler,
    timezone: 'UTC',
    ...options,
  } as RruleWorkerOptions)
  return { ...test, worker }
}

describe('a cron worker', () => {
  test('runs at the instants of its expression, with seconds if there are six fields', async () => {
    const { clock, begun, worker } = await cron('2025-01-01T00:00:30Z', { cron: '*/20 * * * * *' })
    expect(worker.nextAt).toBe(at('2025-01-01T00:00:40Z'))
    expect(worker.preview(3)).toEqual(
      ['2025-01-01T00:00:40Z', '2025-01-01T00:01:00Z', '2025-01-01T00:01:20Z'].map(at),
    )
    await clock.advance(MINUTE)
    expect(begun).toEqual(['2025-01-01T00:00:40Z', '2025-01-01T00:01:00Z', '2025-01-01T00:01:20Z'])
    expect(worker.info()).toMatchObject({ kind: 'cron', state: 'waiting', nextAt: worker.nextAt })
  })

  test('waits further than a clock timer reaches', async () => {
    const { clock, begun } = await cron('2025-01-01T00:00:00Z', { cron: '0 12 31 1 *' })
    await clock.advanceTo(at('2025-01-31T11:59:59Z'))
    expect(begun).toEqual([])
    await clock.advance(1_000)
    expect(begun).toEqual(['2025-01-31T12:00:00Z'])
  })

  test.each([
    // The clock goes from 2:00 to 3:00 on the 30th: at 3:00 summer time, which is 1:00 UTC.
    [
      'Europe/Berlin',
      '2025-03-29T00:00:00Z',
      ['2025-03-29T01:30:00Z', '2025-03-30T01:00:00Z', '2025-03-31T00:30:00Z'],
    ],
    // The clock goes from 3:00 back to 2:00 on the 26th: the first 2:30 counts.
    [
      'Europe/Berlin',
      '2025-10-25T00:00:00Z',
      ['2025-10-25T00:30:00Z', '2025-10-26T00:30:00Z', '2025-10-27T01:30:00Z'],
    ],
    [
      'America/New_York',
      '2025-03-08T00:00:00Z',
      ['2025-03-08T07:30:00Z', '2025-03-09T07:00:00Z', '2025-03-10T06:30:00Z'],
    ],
    [
      'America/New_York',
      '2025-11-01T00:00:00Z',
      ['2025-11-01T06:30:00Z', '2025-11-02T07:30:00Z', '2025-11-03T07:30:00Z'],
    ],
    [
      'Australia/Lord_Howe',
      '2025-10-04T00:00:00Z',
      ['2025-10-04T15:30:00Z', '2025-10-05T15:30:00Z', '2025-10-06T15:30:00Z'],
    ],
  ])(
    'keeps its local time over a change of daylight saving: %s from %s',
    async (timezone, from, expected) => {
      const { clock, begun } = await cron(from, { cron: '30 2 * * *', timezone })
      await clock.advance(3 * DAY)
      expect(begun).toEqual(expected)
    },
  )

  test('overlap and missed mean what they mean for intervals', async () => {
    const { clock, supervisor, skips, of } = await started('2025-01-01T00:00:00Z')
    const { task, calls } = heldTask()
    supervisor.workers.cron({ name: 'c', task, cron: '* * * * *', timezone: 'UTC', missed: 'once' })
    await clock.advance(2 * MINUTE)
    expect([calls.length, skips()]).toEqual([1, ['overlap 1']])
    calls[0]!.resolve()
    await turns()
    clock.stall(5 * MINUTE)
    await clock.advance(MINUTE)
    calls[1]!.resolve()
    await turns()
    expect(of('worker.triggered').map(({ by }) => by)).toEqual(['schedule', 'schedule', 'missed'])
    expect(skips()).toEqual(['overlap 1', 'missed 3', 'overlap 1'])
    calls[2]!.resolve()
    await turns()
  })

  test('a wall clock that is set forward makes what lies between missed; set back, nothing comes twice', async () => {
    const { clock, begun, skips } = await cron('2025-01-01T00:00:00Z', { cron: '0 * * * *' })
    clock.jumpWall(5 * HOUR + 10 * MINUTE)
    await clock.advance(MINUTE)
    expect([begun.length, skips()]).toEqual([1, ['missed 4']])
    clock.jumpWall(-2 * HOUR)
    await clock.advance(2 * HOUR)
    expect(begun).toHaveLength(1)
    await clock.advance(50 * MINUTE)
    expect(begun.at(-1)).toBe('2025-01-01T06:00:00Z')
  })

  test('with jitterMs comes later by chance, and always before its successor', async () => {
    const { clock, begun, worker } = await cron(
      '2025-01-01T00:00:00Z',
      { cron: '* * * * *', jitterMs: 20_000 },
      { random: () => 0.5 },
    )
    expect(worker.nextAt).toBe(at('2025-01-01T00:01:10Z'))
    await clock.advance(2 * MINUTE + 10_000)
    expect(begun).toEqual(['2025-01-01T00:01:10Z', '2025-01-01T00:02:10Z'])
    worker.reschedule({ cron: '* * * * * *' })
    await clock.advance(3_000)
    expect(begun).toHaveLength(4)
  })

  test('trigger runs now, pause makes what passes missed, reschedule moves it', async () => {
    const { clock, begun, worker, skips } = await cron('2025-01-01T00:00:00Z', {
      cron: '0 * * * *',
      missed: 'all',
    })
    worker.trigger()
    await turns()
    expect(begun).toEqual(['2025-01-01T00:00:00Z'])
    worker.pause()
    await clock.advance(2 * HOUR + MINUTE)
    worker.resume()
    await turns()
    await turns()
    expect([begun.length, skips()]).toEqual([3, []])
    worker.reschedule({ cron: '30 * * * *' })
    expect(worker.preview(1)).toEqual([at('2025-01-01T02:30:00Z')])
    await clock.advance(HOUR)
    expect(begun.at(-1)).toBe('2025-01-01T02:30:00Z')
  })

  test('ends with endAt', async () => {
    const { clock, begun, worker } = await cron('2025-01-01T00:00:00Z', {
      cron: '0 * * * *',
      endAt: at('2025-01-01T02:00:00Z'),
    })
    await clock.advance(5 * HOUR)
    expect([begun.length, worker.state, worker.nextAt]).toEqual([2, 'stopped', undefined])
    await expect(worker.ended).resolves.toMatchObject({ kind: 'done' })
  })

  test.each([
    ['61 * * * *', undefined, 'ERR_SCHEDULE_INVALID', /minute/],
    ['nonsense', undefined, 'ERR_SCHEDULE_INVALID', /cron/],
    ['* * * * *', 'Mars/Olympus', 'ERR_TIMEZONE_UNKNOWN', /Mars/],
    ['', undefined, 'ERR_OPTION_INVALID', /cron/],
  ])('refuses %j in %s, and says where', async (expression, timezone, code, message) => {
    const { supervisor } = await startedSupervisor()
    const options = {
      name: 'c',
      handler: () => {},
      cron: expression,
      ...(timezone === undefined ? {} : { timezone }),
    }
    expect(thrownBy(() => supervisor.workers.cron(options))).toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
    expect(supervisor.workers.list()).toEqual([])
  })

  test('a reschedule that is refused changes nothing', async () => {
    const { clock, begun, worker } = await cron('2025-01-01T00:00:00Z', { cron: '0 * * * *' })
    expect(thrownBy(() => worker.reschedule({ cron: '99 * * * *' }))).toMatchObject({
      code: 'ERR_SCHEDULE_INVALID',
    })
    await clock.advance(HOUR)
    expect(begun).toHaveLength(1)
  })
})

test('of what a clock jumps over, 100,000 occurrences are counted at most, and the calendar goes on', async () => {
  const { clock, begun, skips, worker } = await cron('2025-01-01T00:00:00Z', {
    cron: '*/30 * * * * *',
  })
  await clock.advance(1_000)
  clock.jumpWall(60 * DAY)
  await clock.advance(29_000)
  expect([begun, skips(), worker.nextAt]).toEqual([[], ['missed 100000'], at('2025-03-02T00:01:00Z')])
})

describe('an rrule worker', () => {
  test('runs FREQ=MINUTELY;BYSECOND=40', async () => {
    const { clock, begun } = await rrule('2025-01-01T00:00:00Z', { rrule: 'FREQ=MINUTELY;BYSECOND=40' })
    await clock.advance(2 * MINUTE)
    expect(begun).toEqual(['2025-01-01T00:00:40Z', '2025-01-01T00:01:40Z'])
  })

  test.each([
    ['COUNT', 'DTSTART:20250101T000000Z\nRRULE:FREQ=HOURLY;COUNT=3'],
    ['UNTIL', 'DTSTART:20250101T000000Z\nRRULE:FREQ=HOURLY;UNTIL=20250101T020000Z'],
  ])('ends with its rule (%s)', async (_, text) => {
    const { clock, begun, worker } = await rrule('2024-12-31T23:30:00Z', {
      rrule: text,
      timezone: undefined,
    } as never)
    await clock.advance(DAY)
    expect(begun).toEqual(['2025-01-01T00:00:00Z', '2025-01-01T01:00:00Z', '2025-01-01T02:00:00Z'])
    expect(worker.state).toBe('stopped')
    await expect(worker.ended).resolves.toMatchObject({ kind: 'done' })
  })

  test('without a start begins with its first life, which runs what is owed before it ends', async () => {
    const { clock, supervisor, of } = await started('2025-01-01T00:00:00Z')
    const { task, calls } = heldTask()
    const worker = supervisor.workers.rrule({
      name: 'r',
      task,
      rrule: 'FREQ=SECONDLY;INTERVAL=10;COUNT=3',
      timezone: 'UTC',
      missed: 'all',
      start: false,
    })
    await clock.advance(HOUR)
    await worker.start()
    clock.stall(MINUTE)
    await clock.advance(MINUTE)
    for (let call = 0; call < 3; call += 1) {
      calls[call]!.resolve()
      await turns()
    }
    expect(of('worker.triggered').map(({ by }) => by)).toEqual(['schedule', 'missed', 'missed'])
    expect([calls.length, worker.state]).toEqual([3, 'stopped'])
  })

  test('without a start goes on with it when it is started again, whatever else a start says', async () => {
    const { clock, begun, worker } = await rrule('2025-01-01T00:00:00.500Z', {
      rrule: 'FREQ=MINUTELY;COUNT=6',
      startAt: undefined,
    } as never)
    await clock.advance(90_000)
    await worker.stop()
    await clock.advance(30_000)
    await worker.start()
    await clock.advance(MINUTE)
    await worker.stop()
    await worker.start({ jitterMs: 0, onFailure: 'continue' })
    await clock.advance(MINUTE)
    expect(begun).toEqual([
      '2025-01-01T00:00:01Z',
      '2025-01-01T00:01:01Z',
      '2025-01-01T00:02:01Z',
      '2025-01-01T00:03:01Z',
    ])
    // Another rule begins by itself, and leaves the first one where it is.
    await worker.stop()
    await worker.start({ rrule: 'FREQ=SECONDLY;COUNT=2' })
    await clock.advance(10_000)
    expect([begun.splice(0).length, worker.state]).toEqual([6, 'stopped'])
    await worker.start()
    await clock.advance(10 * MINUTE)
    expect([begun, worker.state]).toEqual([['2025-01-01T00:05:01Z'], 'stopped'])
    await worker.start()
    await turns()
    expect([begun.length, worker.state]).toEqual([1, 'stopped'])
    // A rule that it is given for good begins with the next life.
    worker.reschedule({ rrule: 'FREQ=MINUTELY;COUNT=6' })
    await worker.start()
    await clock.advance(10 * MINUTE)
    expect(begun).toHaveLength(7)
  })

  test('refuses a rule that will not do, and says where', async () => {
    const { supervisor } = await startedSupervisor()
    expect(
      thrownBy(() => supervisor.workers.rrule({ name: 'r', handler: () => {}, rrule: 'FREQ=OFTEN' })),
    ).toMatchObject({ code: 'ERR_SCHEDULE_INVALID', message: expect.stringMatching(/FREQ/) })
  })
})
