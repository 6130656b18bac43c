import { CronExpressionParser } from 'cron-parser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { preview } from '../../src/actors/calendar.ts'
import { cronCalendar } from '../../src/actors/cron-calendar.ts'
import { instant, iso } from '../support/instants.ts'

const shown = (cron: string, timezone: string, after: string, count: number): string[] =>
  preview(cronCalendar(cron, { timezone }), instant(after), count).map(iso)

describe('fields', () => {
  const rows: [cron: string, next: string[]][] = [
    ['*/20 * * * *', ['2026-11-26 12:20', '2026-11-26 12:40', '2026-11-26 13:00']],
    ['*/20 * * * * *', ['2026-11-26 12:00:20', '2026-11-26 12:00:40', '2026-11-26 12:01']],
    ['0 9-10,17 * * *', ['2026-11-26 17:00', '2026-11-27 09:00', '2026-11-27 10:00']],
    ['0 0-12/6 * * *', ['2026-11-27 00:00', '2026-11-27 06:00', '2026-11-27 12:00']],
    ['0 9 * * MON-WED', ['2026-11-30 09:00', '2026-12-01 09:00', '2026-12-02 09:00']],
    ['0 0 1 jan,JUL *', ['2027-01-01 00:00', '2027-07-01 00:00', '2028-01-01 00:00']],
    ['0 0 L * *', ['2026-11-30 00:00', '2026-12-31 00:00', '2027-01-31 00:00']],
    ['0 0 15W * *', ['2026-12-15 00:00', '2027-01-15 00:00', '2027-02-15 00:00']],
    ['0 0 LW * *', ['2026-11-30 00:00', '2026-12-31 00:00', '2027-01-29 00:00']],
    ['0 0 * * FRI#2', ['2026-12-11 00:00', '2027-01-08 00:00', '2027-02-12 00:00']],
    ['0 0 * * FRIL', ['2026-11-27 00:00', '2026-12-25 00:00', '2027-01-29 00:00']],
    ['0 0 13 * FRI', ['2026-11-27 00:00', '2026-12-04 00:00', '2026-12-11 00:00']],
    ['0 0 13 * +FRI', ['2027-08-13 00:00', '2028-10-13 00:00', '2029-04-13 00:00']],
    ['0 0 * * 7', ['2026-11-29 00:00', '2026-12-06 00:00', '2026-12-13 00:00']],
    ['0 0 29 2 *', ['2028-02-29 00:00', '2032-02-29 00:00', '2036-02-29 00:00']],
    ['0 0 0 1 1 * 2030', ['2030-01-01 00:00']],
    ['@weekly', ['2026-11-29 00:00', '2026-12-06 00:00', '2026-12-13 00:00']],
    ['@hourly', ['2026-11-26 13:00', '2026-11-26 14:00', '2026-11-26 15:00']],
  ]
  test.for(rows)('%s', ([cron, next]) => {
    expect(shown(cron, 'UTC', '2026-11-26T12:00Z', 3)).toEqual(next)
  })

  test('more expressions than are kept ready, asked in turns', () => {
    const at = (minutes: number): [cron: string, at: string] => {
      const [hour, minute] = [Math.floor(minutes / 60), minutes % 60]
      const time = [hour, minute].map((part) => String(part).padStart(2, '0')).join(':')
      return [`${minute} ${hour} * * *`, time]
    }
    const days = Array.from({ length: 300 }, (_, minutes) => at(minutes))
    const calendars = days.map(([cron]) => cronCalendar(cron, { timezone: 'UTC' }))
    let after = days.map(() => instant('2026-11-26T12:00Z'))
    for (const date of ['2026-11-27', '2026-11-28']) {
      after = calendars.map((calendar, i) => calendar.next(after[i]!) ?? Number.NaN)
      expect(after.map(iso)).toEqual(days.map(([, time]) => `${date} ${time}`))
    }
  })

  test('begin and end, both included', () => {
    const calendar = cronCalendar('0 * * * *', {
      timezone: 'UTC',
      startAt: instant('2026-11-26T12:00Z'),
      endAt: instant('2026-11-26T14:00Z'),
    })
    expect(preview(calendar, 0, 10).map(iso)).toEqual([
      '2026-11-26 12:00',
      '2026-11-26 13:00',
      '2026-11-26 14:00',
    ])
  })

  test('without a time zone that of the machine counts', () => {
    expect(cronCalendar('0 * * * *').timezone).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone)
  })
})

describe('what names its hours happens once at each local time', () => {
  const rows: [why: string, zone: string, cron: string, after: string, next: string[]][] = [
    [
      'in a gap: at its end',
      'Europe/Berlin',
      '30 2 * * *',
      '2026-03-28T02:00Z',
      ['2026-03-29 01:00', '2026-03-30 00:30'],
    ],
    [
      'several in a gap: once',
      'Europe/Berlin',
      '*/15 2 * * *',
      '2026-03-28T02:00Z',
      ['2026-03-29 01:00', '2026-03-30 00:00'],
    ],
    [
      'in a gap and at its end: once',
      'Europe/Berlin',
      '30 2-3 * * *',
      '2026-03-28T03:00Z',
      ['2026-03-29 01:00', '2026-03-29 01:30', '2026-03-30 00:30'],
    ],
    [
      'in an overlap: the first time',
      'Europe/Berlin',
      '30 2 * * *',
      '2026-10-24T01:00Z',
      ['2026-10-25 00:30', '2026-10-26 01:30'],
    ],
    [
      'several in an overlap: once each',
      'Europe/Berlin',
      '*/30 1-3 * * *',
      '2026-10-25T00:00Z',
      ['2026-10-25 00:30', '2026-10-25 02:00', '2026-10-25 02:30'],
    ],
    [
      'in the second pass of an overlap',
      'Europe/Berlin',
      '30 2 * * *',
      '2026-10-25T01:10Z',
      ['2026-10-26 01:30'],
    ],
    [
      'in a gap',
      'America/New_York',
      '30 2 * * *',
      '2026-03-07T12:00Z',
      ['2026-03-08 07:00', '2026-03-09 06:30'],
    ],
    [
      'in an overlap',
      'America/New_York',
      '30 1 * * *',
      '2026-10-31T12:00Z',
      ['2026-11-01 05:30', '2026-11-02 06:30'],
    ],
    [
      'a gap of half an hour',
      'Australia/Lord_Howe',
      '15 2 * * *',
      '2026-10-03T00:00Z',
      ['2026-10-03 15:30', '2026-10-04 15:15'],
    ],
    [
      'an overlap of half an hour',
      'Australia/Lord_Howe',
      '45 1 * * *',
      '2026-04-04T00:00Z',
      ['2026-04-04 14:45', '2026-04-05 15:15'],
    ],
    [
      'a gap at midnight',
      'America/Sao_Paulo',
      '0 0 * * *',
      '2018-11-03T12:00Z',
      ['2018-11-04 03:00', '2018-11-05 02:00'],
    ],
    [
      'an overlap before midnight',
      'America/Sao_Paulo',
      '30 23 * * *',
      '2018-02-17T12:00Z',
      ['2018-02-18 01:30', '2018-02-19 02:30'],
    ],
    [
      'a gap at midnight',
      'Asia/Beirut',
      '@daily',
      '2026-03-28T12:00Z',
      ['2026-03-28 22:00', '2026-03-29 21:00'],
    ],
    [
      'a step of hours over a gap',
      'Asia/Beirut',
      '0 */6 * * *',
      '2026-03-28T17:00Z',
      ['2026-03-28 22:00', '2026-03-29 03:00'],
    ],
    [
      'a day that was skipped',
      'Pacific/Apia',
      '0 9 * * *',
      '2011-12-29T12:00Z',
      ['2011-12-29 19:00', '2011-12-30 10:00', '2011-12-30 19:00'],
    ],
    ['no changes', 'UTC', '30 2 * * *', '2026-03-28T12:00Z', ['2026-03-29 02:30', '2026-03-30 02:30']],
  ]
  test.for(rows)('%s: %s %s', ([, zone, cron, after, next]) => {
    expect(shown(cron, zone, after, next.length)).toEqual(next)
  })
})

describe('what runs in every hour goes by elapsed time', () => {
  const rows: [why: string, zone: string, cron: string, after: string, next: string[]][] = [
    [
      'over a gap',
      'Europe/Berlin',
      '30 * * * *',
      '2026-03-29T00:00Z',
      ['2026-03-29 00:30', '2026-03-29 01:30'],
    ],
    [
      'over an overlap',
      'Europe/Berlin',
      '30 * * * *',
      '2026-10-25T00:00Z',
      ['2026-10-25 00:30', '2026-10-25 01:30', '2026-10-25 02:30'],
    ],
    [
      'at a change',
      'America/New_York',
      '0 * * * *',
      '2026-11-01T04:30Z',
      ['2026-11-01 05:00', '2026-11-01 06:00', '2026-11-01 07:00'],
    ],
    [
      'all hours by another name',
      'Europe/Berlin',
      '0 0-23 * * *',
      '2026-10-25T00:30Z',
      ['2026-10-25 01:00', '2026-10-25 02:00'],
    ],
    [
      'half an hour back',
      'Australia/Lord_Howe',
      '*/30 * * * *',
      '2026-04-04T14:40Z',
      ['2026-04-04 15:00', '2026-04-04 15:30', '2026-04-04 16:00'],
    ],
    [
      'half an hour forward',
      'Australia/Lord_Howe',
      '45 * * * *',
      '2026-10-03T15:00Z',
      ['2026-10-03 15:15', '2026-10-03 15:45', '2026-10-03 16:45'],
    ],
    [
      'over a day that was skipped',
      'Pacific/Apia',
      '0 * * * *',
      '2011-12-30T09:00Z',
      ['2011-12-30 10:00', '2011-12-30 11:00'],
    ],
  ]
  test.for(rows)('%s: %s %s', ([, zone, cron, after, next]) => {
    expect(shown(cron, zone, after, next.length)).toEqual(next)
  })
})

describe('what is wrong is said, with its place', () => {
  const rows: [cron: string, complaint: string][] = [
    ['0 25 * * *', 'Expected the hour field of the cron expression "0 25 * * *" to hold 0 to 23'],
    ['* * * * mon,mun', 'Expected the day of week field'],
    ['* * * * mon,mun', 'part "mun"'],
    ['*/0 * * * *', 'Expected the minute field'],
    ['5-1 * * * *', 'Expected the minute field'],
    ['61 * * * * *', 'Expected the second field'],
    ['0 0 * * 5#6', 'Expected the day of week field'],
    ['0 0 32 * *', 'Expected the day of month field'],
    ['0 0 * FOO *', 'Expected the month field'],
    ['1,,2 * * * *', 'Expected the minute field'],
    ['* * * * * * 70000', 'Expected the year field'],
    ['* * *', 'to have 5 fields'],
    ['* * * * * * * *', 'got 8'],
    ['@nightly', 'or to be a nickname such as @daily'],
    ['', 'got 0'],
    ['0 0 30 2 *', 'but its day, month and year never meet'],
    ['0 0 31W 2 *', 'never meet'],
  ]
  test.for(rows)('%s: %s', ([cron, complaint]) => {
    expect(() => cronCalendar(cron, { timezone: 'UTC' })).toThrow(complaint)
  })

  test('an end before the start', () => {
    expect(() => cronCalendar('* * * * *', { timezone: 'UTC', startAt: 2, endAt: 1 })).toThrow(
      'not to be after `endAt`',
    )
  })
})

describe('against a second implementation', () => {
  // The other one refuses lists in which a value comes twice.
  const field = (min: number, max: number): fc.Arbitrary<string> => {
    const step = fc.integer({ min: 1, max: max - min }).map((every) => `*/${every}`)
    const values = fc
      .uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 5 })
      .map((all) => all.sort((a, b) => a - b))
      .map(([first, second, third, ...rest]) =>
        third === undefined
          ? [first, second].filter((one) => one !== undefined).join(',')
          : [first, `${second}-${third}`, ...rest].join(','),
      )
    return fc.oneof(fc.constant('*'), step, values)
  }
  const days = fc.oneof(field(1, 31), fc.constant('L'))
  const weekdays = fc.oneof(field(0, 6), fc.constantFrom('MON', 'MON-FRI', 'SUN', '5L', 'TUE#1'))
  // Both a day of month and a day of week: how * / n counts there differs, so one of them is always *.
  const dates = fc.oneof(
    fc.tuple(days, field(1, 12)).map(([day, month]) => `${day} ${month} *`),
    fc.tuple(field(1, 12), weekdays).map(([month, weekday]) => `* ${month} ${weekday}`),
  )
  const at = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2040, 0, 1) })

  function expectSame(cron: string, timezone: string, after: number): void {
    let calendar: ReturnType<typeof cronCalendar>
    try {
      calendar = cronCalendar(cron, { timezone })
    } catch {
      // Such as the 31st of April; the other one gives up on those, too.
      return
    }
    const other = CronExpressionParser.parse(cron, { tz: timezone, currentDate: new Date(after) })
    const ours = preview(calendar, after, 5)
    expect(ours.map(iso)).toEqual(other.take(5).map((date) => iso(date.getTime())))
  }

  test('any expression, in UTC', () => {
    fc.assert(
      fc.property(field(0, 59), field(0, 59), field(0, 23), dates, at, (second, minute, hour, date, after) =>
        expectSame(`${second} ${minute} ${hour} ${date}`, 'UTC', after),
      ),
      { numRuns: 300 },
    )
  })
})

test('occurrences are strictly after what was asked for and rise, in any zone, over any change', () => {
  const crons = fc.constantFrom(
    '*/7 * * * *',
    '*/20 1-3 * * *',
    '30 2 * * *',
    '0 0 * * *',
    '15,45 23,0 * * *',
    '*/13 * * * * *',
  )
  const zones = fc.constantFrom(
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'America/Sao_Paulo',
    'Pacific/Apia',
    'Asia/Beirut',
    'UTC',
  )
  const changes = [
    '2026-03-29T01:00Z',
    '2026-10-25T01:00Z',
    '2026-04-04T15:00Z',
    '2026-10-03T15:30Z',
    '2018-02-18T02:00Z',
    '2011-12-30T10:00Z',
    '2026-03-28T22:00Z',
  ]
  const around = fc.constantFrom(...changes.map(instant))
  fc.assert(
    fc.property(
      crons,
      zones,
      around,
      fc.integer({ min: -90_000_000, max: 90_000_000 }),
      (cron, timezone, change, shift) => {
        const calendar = cronCalendar(cron, { timezone })
        let last = change + shift
        for (const next of preview(calendar, last, 12)) {
          expect(next).toBeGreaterThan(last)
          // None was left out: a question from in between has the same answer.
          expect(calendar.next(Math.floor((last + next) / 2))).toBe(next)
          expect(calendar.next(next - 1)).toBe(next)
          last = next
        }
      },
    ),
    { numRuns: 300 },
  )
})
