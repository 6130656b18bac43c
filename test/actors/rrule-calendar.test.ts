import fc from 'fast-check'
import rrule from 'rrule'
import { describe, expect, test } from 'vitest'
import { preview } from '../../src/actors/calendar.ts'
import { type RruleCalendarOptions, rruleCalendar } from '../../src/actors/rrule-calendar.ts'
import { instant, iso } from '../support/instants.ts'

const shown = (text: string, after: string, count: number, options: RruleCalendarOptions = {}): string[] =>
  preview(rruleCalendar(text, options), instant(after), count).map(iso)
const zoned = (zone: string, start: string, rule: string): string =>
  `DTSTART;TZID=${zone}:${start}\nRRULE:${rule}`

describe('rules', () => {
  const rows: [rule: string, next: string[]][] = [
    ['FREQ=MINUTELY;BYSECOND=40', ['2026-11-26 12:00:40', '2026-11-26 12:01:40', '2026-11-26 12:02:40']],
    ['FREQ=SECONDLY;INTERVAL=90', ['2026-11-26 12:01:30', '2026-11-26 12:03', '2026-11-26 12:04:30']],
    ['FREQ=HOURLY;INTERVAL=5', ['2026-11-26 17:00', '2026-11-26 22:00', '2026-11-27 03:00']],
    ['FREQ=DAILY;BYHOUR=9;BYMINUTE=30', ['2026-11-27 09:30', '2026-11-28 09:30', '2026-11-29 09:30']],
    ['FREQ=WEEKLY;BYDAY=MO,FR', ['2026-11-27 12:00', '2026-11-30 12:00', '2026-12-04 12:00']],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU', ['2026-12-06 12:00', '2026-12-20 12:00', '2027-01-03 12:00']],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=MO', ['2026-11-29 12:00', '2026-12-13 12:00', '2026-12-27 12:00']],
    ['FREQ=MONTHLY;BYDAY=-1FR', ['2026-11-27 12:00', '2026-12-25 12:00', '2027-01-29 12:00']],
    [
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
      ['2026-11-30 12:00', '2026-12-31 12:00', '2027-01-29 12:00'],
    ],
    ['FREQ=MONTHLY;BYMONTHDAY=31', ['2026-12-31 12:00', '2027-01-31 12:00', '2027-03-31 12:00']],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', ['2028-02-29 12:00', '2032-02-29 12:00', '2036-02-29 12:00']],
    ['FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO', ['2026-12-28 12:00', '2032-12-27 12:00', '2037-12-28 12:00']],
    ['FREQ=YEARLY;BYYEARDAY=-1', ['2026-12-31 12:00', '2027-12-31 12:00', '2028-12-31 12:00']],
    ['freq=daily;count=2', ['2026-11-26 12:00', '2026-11-27 12:00']],
  ]
  test.for(rows)('%s', ([rule, next]) => {
    const options = { timezone: 'UTC', startAt: instant('2026-11-26T12:00Z') }
    expect(
      shown(rule, '2026-11-26T11:59:59Z', 10, options)
        .filter((at) => at !== '2026-11-26 12:00' || next.includes(at))
        .slice(0, next.length),
    ).toEqual(next)
  })
})

describe('parts that name days limit each other', () => {
  const rows: [rule: string, next: string[]][] = [
    ['BYYEARDAY=1,100,200;BYDAY=MO', ['2029-01-01', '2034-04-10', '2035-01-01']],
    ['BYYEARDAY=1,100,200;BYMONTHDAY=1', ['2029-01-01', '2030-01-01', '2031-01-01']],
    ['BYYEARDAY=9,10;BYDAY=2WE,1TH', ['2029-01-10', '2030-01-09', '2035-01-10']],
    ['BYMONTHDAY=13;BYDAY=2FR', ['2034-01-13', '2040-01-13', '2045-01-13']],
    ['BYMONTHDAY=13;BYDAY=FR', ['2029-04-13', '2029-07-13', '2030-09-13']],
    ['BYWEEKNO=20', ['2029-05-14', '2030-05-13', '2031-05-12']],
    ['BYWEEKNO=20;BYMONTH=5', ['2029-05-14', '2030-05-13', '2031-05-12']],
    ['BYWEEKNO=20;BYMONTHDAY=14,20', ['2029-05-14', '2029-05-20', '2030-05-14']],
    ['BYWEEKNO=1,20;BYYEARDAY=1,4;BYDAY=MO', ['2029-01-01', '2035-01-01', '2038-01-04']],
    ['BYWEEKNO=1;BYDAY=MO', ['2029-01-01', '2029-12-31', '2030-12-30']],
    ['BYWEEKNO=-1;BYDAY=SU', ['2029-12-30', '2030-12-29', '2031-12-28']],
    ['BYWEEKNO=1;BYDAY=SA;WKST=SU', ['2029-01-06', '2030-01-05', '2031-01-04']],
    // The years of weeks, not of dates: week 53 of 2032 and week 1 of 2033, but none of 2034.
    ['INTERVAL=4;BYWEEKNO=1;BYDAY=SU', ['2029-01-07', '2033-01-09', '2037-01-04']],
    ['BYYEARDAY=1,2,3;BYDAY=MO,TU;BYSETPOS=-1', ['2029-01-02', '2030-01-01', '2033-01-03']],
  ]
  test.for(rows)('FREQ=YEARLY;%s', ([rule, next]) => {
    const text = `DTSTART:20290101T090000Z\nRRULE:FREQ=YEARLY;${rule}`
    expect(shown(text, '2029-01-01T00:00Z', next.length)).toEqual(next.map((day) => `${day} 09:00`))
  })

  test('and BYSETPOS picks among all times of a year', () => {
    const text = 'DTSTART:20290101T090000Z\nRRULE:FREQ=YEARLY;BYMONTH=3;BYHOUR=6,18;BYDAY=MO;BYSETPOS=2,-1'
    expect(shown(text, '2029-01-01T00:00Z', 4)).toEqual([
      '2029-03-05 18:00',
      '2029-03-26 18:00',
      '2030-03-04 18:00',
      '2030-03-25 18:00',
    ])
  })

  test('never met: refused', () => {
    const never = ['BYYEARDAY=366;BYMONTH=1', 'BYWEEKNO=20;BYMONTHDAY=30', 'BYYEARDAY=1;BYDAY=2MO']
    for (const rule of never) {
      const text = `DTSTART:20290101T090000Z\nRRULE:FREQ=YEARLY;${rule}`
      expect(() => rruleCalendar(text), rule).toThrow('never meet')
    }
  })
})

describe('the rules of Indico', () => {
  test('are those of RFC 5545, MINUTELY with BYSECOND too', () => {
    const options = { timezone: 'UTC', startAt: instant('2026-11-26T12:00:50Z') }
    const next = shown('FREQ=MINUTELY;BYSECOND=40;COUNT=3', '2026-11-26T12:00Z', 9, options)
    expect(next).toEqual(['2026-11-26 12:01:40', '2026-11-26 12:02:40', '2026-11-26 12:03:40'])
  })
})

describe('the end', () => {
  test('COUNT counts from the start, whatever is asked first', () => {
    const calendar = rruleCalendar('DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;COUNT=5')
    expect(iso(calendar.next(instant('2026-01-03T12:00Z')))).toBe('2026-01-04 00:00')
    expect(calendar.next(instant('2026-01-05T00:00Z'))).toBeUndefined()
    expect(preview(calendar, 0, 10)).toHaveLength(5)
    expect(calendar.next(instant('2030-01-01T00:00Z'))).toBeUndefined()
  })

  test('UNTIL is included: an instant, a local time, a day', () => {
    const days = (until: string): number =>
      preview(rruleCalendar(zoned('America/New_York', '20260101T090000', `FREQ=DAILY;UNTIL=${until}`)), 0, 10)
        .length
    expect(days('20260103T140000Z')).toBe(3)
    expect(days('20260103T135959Z')).toBe(2)
    expect(days('20260103T090000')).toBe(3)
    expect(days('20260103')).toBe(3)
  })

  test('a rule that ended before it began has no occurrence', () => {
    expect(
      shown('DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;UNTIL=20251231T000000Z', '2020-01-01T00:00Z', 3),
    ).toEqual([])
  })
})

describe('a long COUNT', () => {
  const rules = fc.constantFrom(
    'FREQ=SECONDLY;INTERVAL=7919',
    'FREQ=MINUTELY;INTERVAL=720;BYSECOND=0,30,59',
    'FREQ=MINUTELY;INTERVAL=45;BYHOUR=1,2,3,14',
    'FREQ=MINUTELY;INTERVAL=30;BYMINUTE=0,10,20,30,40,50;BYDAY=SA,SU',
    'FREQ=SECONDLY;INTERVAL=300;BYHOUR=2;BYMINUTE=0,5,20,40',
    'FREQ=HOURLY;INTERVAL=4;BYMINUTE=15,45',
    'FREQ=HOURLY;INTERVAL=5;BYMONTH=3,10,11,12',
    'FREQ=HOURLY;BYMONTHDAY=1,-1;BYMINUTE=30;BYSETPOS=1',
    'FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=10,50',
    'FREQ=DAILY;INTERVAL=2;BYHOUR=1,2,3,23',
  )
  const zones = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'America/Sao_Paulo',
    'Pacific/Apia',
  )
  const begin = fc.integer({ min: -100_000, max: 2_600_000 }).map((count) => count * 600)

  test('ends with the occurrence of that number, whatever is asked first', () => {
    fc.assert(
      fc.property(
        rules,
        zones,
        begin,
        fc.integer({ min: 1, max: 6_000 }),
        (rule, timezone, second, count) => {
          const options = { timezone, startAt: second * 1000 }
          const all = preview(rruleCalendar(rule, options), 0 - 1e14, count)
          const last = all.at(-1) as number
          const counted = rruleCalendar(`${rule};COUNT=${count}`, options)
          expect(counted.next(last)).toBeUndefined()
          expect(counted.next(last - 1)).toBe(last)
          const other = rruleCalendar(`${rule};COUNT=${count}`, options)
          expect(other.next(all[count >> 1] as number)).toBe(all[(count >> 1) + 1])
          expect(other.next(last)).toBeUndefined()
        },
      ),
      { numRuns: 60 },
    )
  })

  const long = [
    'FREQ=SECONDLY;COUNT=2000000000',
    'FREQ=SECONDLY;BYHOUR=9,10,11,12,13,14,15,16;BYDAY=MO,TU,WE,TH,FR;COUNT=2000000000',
    'FREQ=MINUTELY;BYSECOND=40;COUNT=40000000',
    'FREQ=MINUTELY;INTERVAL=7;COUNT=9007199254740991',
  ]
  test.for(long)('is not counted one by one: %s', (rule) => {
    const before = performance.now()
    const [first] = shown(zoned('Europe/Berlin', '19700101T000000', rule), '2026-11-26T12:00:00Z', 1)
    expect(first).toMatch('2026-11-26 12:0')
    // One by one it would take from 6 s to several minutes.
    expect(performance.now() - before).toBeLessThan(2_000)
  })
})

describe('dates added and taken away', () => {
  const start = 'DTSTART:20260101T120000Z\nRRULE:FREQ=DAILY;COUNT=4'
  test('instants and days; COUNT counts what is taken away, not what is added', () => {
    expect(
      shown(
        `${start}\nEXDATE:20260102T120000Z\nRDATE:20260102T180000Z,20270101T000000Z`,
        '2020-01-01T00:00Z',
        9,
      ),
    ).toEqual([
      '2026-01-01 12:00',
      '2026-01-02 18:00',
      '2026-01-03 12:00',
      '2026-01-04 12:00',
      '2027-01-01 00:00',
    ])
    expect(shown(`${start}\nEXDATE;VALUE=DATE:20260102,20260103`, '2020-01-01T00:00Z', 9)).toEqual([
      '2026-01-01 12:00',
      '2026-01-04 12:00',
    ])
  })

  test('folded lines, in any letters, with the zone of each', () => {
    const text =
      'dtstart;tzid=Europe/Berlin:20260701T090000\r\nrrule:freq=daily;\r\n count=3\r\nexdate;tzid=America/New_York:20260702T030000'
    expect(shown(text, '2020-01-01T00:00Z', 9)).toEqual(['2026-07-01 07:00', '2026-07-03 07:00'])
  })

  test('a whole day of a rule of seconds is passed over at once', () => {
    const text = 'DTSTART:20160101T000000Z\nRRULE:FREQ=SECONDLY\nEXDATE;VALUE=DATE:20260102'
    expect(shown(text, '2026-01-01T23:59:59Z', 1)).toEqual(['2026-01-03 00:00'])
  })
})

test('a second 60, which no clock shows here, is the second 59', () => {
  const options = { timezone: 'UTC', startAt: instant('2026-11-26T12:00:00Z') }
  const next = shown('FREQ=MINUTELY;BYSECOND=0,60', '2026-11-26T12:00Z', 2, options)
  expect(next).toEqual(['2026-11-26 12:00:59', '2026-11-26 12:01'])
})

test('nothing happens after the year 9999', () => {
  const options = { timezone: 'America/New_York', startAt: instant('9999-12-30T00:00:00Z') }
  for (const rule of ['FREQ=DAILY', 'FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=29', 'FREQ=HOURLY;INTERVAL=24'])
    expect(shown(rule, '9999-01-01T00:00Z', 9, options).length, rule).toBeLessThan(3)
  const calendar = rruleCalendar('FREQ=MINUTELY', options)
  for (const after of [253_402_300_799_999, 8.64e15]) expect(calendar.next(after)).toBeUndefined()
})

describe('the start', () => {
  test('of the text, in its zone or in another', () => {
    expect(rruleCalendar(zoned('Europe/Berlin', '20260101T000000', 'FREQ=DAILY')).timezone).toBe(
      'Europe/Berlin',
    )
    expect(rruleCalendar('DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY').timezone).toBe('UTC')
    const local = 'DTSTART:20260101T000000\nRRULE:FREQ=DAILY'
    expect(shown(local, '2026-06-01T00:00Z', 1, { timezone: 'Asia/Kolkata' })).toEqual(['2026-06-01 18:30'])
    const utc = 'DTSTART:20260101T080000Z\nRRULE:FREQ=DAILY'
    expect(shown(utc, '2026-06-01T00:00Z', 1, { timezone: 'Europe/Berlin' })).toEqual(['2026-06-01 07:00'])
    const day = 'DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY'
    expect(shown(day, '2026-06-01T00:00Z', 1, { timezone: 'Europe/Berlin' })).toEqual(['2026-06-01 22:00'])
  })

  test('as an option, rounded up to whole seconds', () => {
    const options = { timezone: 'UTC', startAt: instant('2026-01-01T00:00:00.001Z') }
    expect(shown('FREQ=SECONDLY;INTERVAL=10', '2020-01-01T00:00Z', 2, options)).toEqual([
      '2026-01-01 00:00:01',
      '2026-01-01 00:00:11',
    ])
  })
})

describe('what names its hours happens once at each local time', () => {
  const rows: [why: string, zone: string, rule: string, after: string, next: string[]][] = [
    [
      'in a gap: at its end',
      'Europe/Berlin',
      'FREQ=DAILY;BYHOUR=2;BYMINUTE=30',
      '2026-03-28T02:00Z',
      ['2026-03-29 01:00', '2026-03-30 00:30'],
    ],
    [
      'several in a gap: once',
      'Europe/Berlin',
      'FREQ=MINUTELY;INTERVAL=15;BYHOUR=2',
      '2026-03-28T02:00Z',
      ['2026-03-29 01:00', '2026-03-30 00:00'],
    ],
    [
      'in an overlap: the first time',
      'Europe/Berlin',
      'FREQ=HOURLY;BYHOUR=2;BYMINUTE=30',
      '2026-10-24T01:00Z',
      ['2026-10-25 00:30', '2026-10-26 01:30'],
    ],
    [
      'in an overlap',
      'America/New_York',
      'FREQ=WEEKLY;BYDAY=SU;BYHOUR=1;BYMINUTE=30',
      '2026-10-31T12:00Z',
      ['2026-11-01 05:30', '2026-11-08 06:30'],
    ],
    [
      'a gap of half an hour',
      'Australia/Lord_Howe',
      'FREQ=DAILY;BYHOUR=2;BYMINUTE=15',
      '2026-10-03T00:00Z',
      ['2026-10-03 15:30', '2026-10-04 15:15'],
    ],
    [
      'an overlap of half an hour',
      'Australia/Lord_Howe',
      'FREQ=DAILY;BYHOUR=1;BYMINUTE=45',
      '2026-04-04T00:00Z',
      ['2026-04-04 14:45', '2026-04-05 15:15'],
    ],
    [
      'a gap at midnight',
      'America/Sao_Paulo',
      'FREQ=DAILY',
      '2018-11-03T12:00Z',
      ['2018-11-04 03:00', '2018-11-05 02:00'],
    ],
    [
      'a gap at midnight',
      'Asia/Beirut',
      'FREQ=MONTHLY;BYDAY=-1SU',
      '2026-03-28T12:00Z',
      ['2026-03-28 22:00', '2026-04-25 21:00'],
    ],
    [
      'a day that was skipped',
      'Pacific/Apia',
      'FREQ=DAILY;BYHOUR=9',
      '2011-12-29T12:00Z',
      ['2011-12-29 19:00', '2011-12-30 10:00', '2011-12-30 19:00'],
    ],
  ]
  test.for(rows)('%s: %s %s', ([, zone, rule, after, next]) => {
    expect(shown(zoned(zone, '20100101T000000', rule), after, next.length)).toEqual(next)
  })
})

describe('what runs in every hour goes by elapsed time', () => {
  const rows: [why: string, zone: string, rule: string, after: string, next: string[]][] = [
    [
      'over a gap',
      'Europe/Berlin',
      'FREQ=HOURLY;BYMINUTE=30',
      '2026-03-29T00:00Z',
      ['2026-03-29 00:30', '2026-03-29 01:30'],
    ],
    [
      'over an overlap',
      'Europe/Berlin',
      'FREQ=HOURLY;BYMINUTE=30',
      '2026-10-25T00:00Z',
      ['2026-10-25 00:30', '2026-10-25 01:30', '2026-10-25 02:30'],
    ],
    [
      'steps of five hours',
      'Europe/Berlin',
      'FREQ=HOURLY;INTERVAL=5',
      '2026-10-24T20:00Z',
      ['2026-10-25 00:00', '2026-10-25 05:00', '2026-10-25 10:00'],
    ],
    [
      'hours from the start',
      'Australia/Lord_Howe',
      'FREQ=HOURLY',
      '2026-04-04T13:00Z',
      ['2026-04-04 14:00', '2026-04-04 15:00', '2026-04-04 16:00'],
    ],
    [
      'hours by the clock',
      'Australia/Lord_Howe',
      'FREQ=HOURLY;BYMINUTE=0',
      '2026-04-04T13:30Z',
      ['2026-04-04 14:00', '2026-04-04 15:30', '2026-04-04 16:30'],
    ],
    [
      'all hours by name',
      'Europe/Berlin',
      `FREQ=DAILY;BYHOUR=${Array.from({ length: 24 }, (_, hour) => hour).join(',')}`,
      '2026-10-25T00:00Z',
      ['2026-10-25 01:00', '2026-10-25 02:00'],
    ],
  ]
  test.for(rows)('%s: %s %s', ([, zone, rule, after, next]) => {
    expect(shown(zoned(zone, '20100101T000000', rule), after, next.length)).toEqual(next)
  })
})

describe('what is wrong is said, with its place', () => {
  const rows: [text: string, complaint: string][] = [
    ['', 'Expected one rule in the recurrence "", got 0.'],
    ['RRULE:FREQ=DAILY\nRRULE:FREQ=DAILY', 'got 2'],
    ['FREQ=DALY', 'Expected the rule "FREQ=DALY" to have as FREQ one of YEARLY, MONTHLY'],
    ['INTERVAL=2', 'to have FREQ, one of YEARLY'],
    ['FREQ=DAILY;;COUNT=2', 'got an empty part'],
    ['FREQ=DAILY;FREQ=DAILY', 'to have FREQ once, got two'],
    ['FREQ=DAILY;COUNT=0', 'to have as COUNT a whole number from 1 to 9007199254740991, got "0"'],
    ['FREQ=DAILY;INTERVAL=1.5', 'to have as INTERVAL'],
    ['FREQ=DAILY;COUNT=2;UNTIL=20260101', 'to have COUNT or UNTIL, got both'],
    ['FREQ=DAILY;UNTIL=20260230', 'to have as UNTIL a date'],
    ['FREQ=DAILY;BYHOUR=24', 'to have as BYHOUR numbers from 0 to 23, got "24"'],
    ['FREQ=DAILY;BYDAY=MON', 'to have as BYDAY weekdays such as MO,FR'],
    ['FREQ=WEEKLY;BYDAY=1MO', 'to have numbers in BYDAY only with FREQ=MONTHLY'],
    ['FREQ=MONTHLY;BYDAY=6MO', 'to have numbers from 1 to 5 or -5 to -1 in BYDAY'],
    ['FREQ=WEEKLY;BYMONTHDAY=1', 'not to have BYMONTHDAY with FREQ=WEEKLY'],
    ['FREQ=MONTHLY;BYWEEKNO=1', 'not to have BYWEEKNO with FREQ=MONTHLY'],
    ['FREQ=DAILY;BYSETPOS=1', 'to have another BY… part beside BYSETPOS'],
    ['FREQ=DAILY;FOO=1', 'to be made of FREQ, INTERVAL'],
    [
      'SUMMARY:x\nRRULE:FREQ=DAILY',
      'Expected the lines of a recurrence to be RRULE, DTSTART, RDATE, EXDATE, got "SUMMARY"',
    ],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', 'to match some time, but its parts never meet'],
    ['FREQ=HOURLY;INTERVAL=24;BYHOUR=5', 'never meet'],
    ['FREQ=MINUTELY;INTERVAL=60;BYMINUTE=5', 'never meet'],
    ['FREQ=SECONDLY;INTERVAL=60;BYSECOND=5', 'never meet'],
    ['FREQ=HOURLY;INTERVAL=168;BYDAY=TU', 'never meet'],
    ['FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30', 'never meet'],
    ['FREQ=DAILY;BYMINUTE=16;BYSETPOS=2', 'never meet'],
    ['FREQ=WEEKLY;BYDAY=MO;BYSETPOS=-2', 'never meet'],
    ['FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=2', 'never meet'],
    ['FREQ=DAILY;INTERVAL=1000000000', 'to have as INTERVAL a whole number from 1 to 999999999'],
    ['FREQ=DAILY;COUNT=9007199254740992', 'to have as COUNT a whole number from 1 to 9007199254740991'],
    ['FREQ=MINUTELY;BYSECOND=61', 'to have as BYSECOND numbers from 0 to 60, got "61"'],
    ['EXDATE:tomorrow\nRRULE:FREQ=DAILY', 'Expected EXDATE to be a date (20261231) or date-time'],
    ['EXDATE;VALUE=PERIOD:20260101T000000Z\nRRULE:FREQ=DAILY', 'got "VALUE=PERIOD"'],
    ['RDATE;TZID=Mars/Olympus:20260101T000000\nRRULE:FREQ=DAILY', 'Expected a time zone'],
    ['DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY', 'got both DTSTART in its text and `startAt`'],
  ]
  test.for(rows)('%j: %s', ([text, complaint]) => {
    expect(() => rruleCalendar(text, { timezone: 'UTC', startAt: 0 })).toThrow(complaint)
  })

  test('parts that never meet are found out without a long search', () => {
    const before = performance.now()
    for (const rule of ['FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30', 'FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2'])
      expect(() => rruleCalendar(rule, { timezone: 'UTC', startAt: 0 })).toThrow('never meet')
    expect(performance.now() - before).toBeLessThan(500)
  })

  test('a start outside the years 1000 to 9999', () => {
    expect(() => rruleCalendar('DTSTART:01010101T000000Z\nRRULE:FREQ=DAILY')).toThrow('years 1000 to 9999')
    for (const startAt of [instant('1000-01-01T00:00Z') - 1, 253_402_300_800_000, 8.64e15, Number.MAX_VALUE])
      expect(() => rruleCalendar('FREQ=DAILY', { timezone: 'UTC', startAt })).toThrow('years 1000 to 9999')
  })

  test('no start at all, two starts, two zones', () => {
    expect(() => rruleCalendar('FREQ=DAILY')).toThrow('Expected a start of the rule')
    expect(() =>
      rruleCalendar('DTSTART:20260101T000000Z\nDTSTART:20260101T000000Z\nRRULE:FREQ=DAILY'),
    ).toThrow('one DTSTART')
    const berlin = zoned('Europe/Berlin', '20260101T000000', 'FREQ=DAILY')
    expect(() => rruleCalendar(berlin, { timezone: 'UTC' })).toThrow(
      'Expected one time zone, got "UTC" as an option and "Europe/Berlin" in DTSTART',
    )
  })
})

describe('against a second implementation', () => {
  // In order: the other one takes the values of a list in the order in which they are written.
  const some = (values: readonly string[], max = 3): fc.Arbitrary<string> =>
    fc
      .uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: max })
      .map((all) => values.filter((value) => all.includes(value)).join(','))
  const range = (min: number, max: number): string[] =>
    Array.from({ length: max - min + 1 }, (_, index) => `${min + index}`)
  const days = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
  const part = (name: string, values: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.option(
      values.map((value) => `;${name}=${value}`),
      { nil: '' },
    )
  const rule = (frequency: string, ...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
    fc
      .tuple(part('INTERVAL', fc.constantFrom('1', '2', '3', '7')), ...parts)
      .map((all) => `FREQ=${frequency}${all.join('')}`)
  const hours = part('BYHOUR', some(range(0, 23)))
  const minutes = part('BYMINUTE', some(range(0, 59)))
  const rules = fc.oneof(
    rule('DAILY', part('BYMONTH', some(range(1, 12))), part('BYDAY', some(days)), hours, minutes),
    rule('WEEKLY', part('BYDAY', some(days)), part('WKST', fc.constantFrom('MO', 'SU')), hours, minutes),
    rule('MONTHLY', part('BYMONTHDAY', some([...range(1, 31), '-1', '-2'])), hours),
    // Not both kinds in one list: the other one takes `MO,1TH` for the days that are both, RFC 5545 for either.
    rule(
      'MONTHLY',
      part('BYDAY', fc.oneof(some(days), some(days.flatMap((day) => [`1${day}`, `-1${day}`])))),
      hours,
    ),
    rule('YEARLY', part('BYMONTH', some(range(1, 12)))),
    rule(
      'YEARLY',
      part('BYMONTH', some(range(1, 12), 6)),
      part('BYMONTHDAY', some([...range(1, 31), '-1', '-2'], 12)),
      part('BYYEARDAY', some([...range(1, 366), '-1', '-60'], 60)),
      part(
        'BYDAY',
        fc.oneof(
          some(days),
          some(
            days.flatMap((day) => [`2${day}`, `-1${day}`, `20${day}`]),
            9,
          ),
        ),
      ),
    ),
    // Not the weeks round New Year: the other one finds week 53 in years that have none, and counts years by dates.
    fc
      .tuple(
        some(range(2, 51)).map((weeks) => `;BYWEEKNO=${weeks}`),
        some(days).map((all) => `;BYDAY=${all}`),
        part('BYMONTHDAY', some([...range(1, 31), '-1', '-2'], 12)),
        part('WKST', fc.constantFrom('MO', 'SU', 'WE')),
      )
      .map((all) => `FREQ=YEARLY${all.join('')}`),
    rule('HOURLY', minutes),
    rule('MINUTELY', part('BYSECOND', some(range(0, 59)))),
  )
  const start = fc.integer({ min: Date.UTC(2000, 0, 1) / 1000, max: Date.UTC(2040, 0, 1) / 1000 })

  const CENTURY_MS = 100 * 365.25 * 86_400_000

  /** `undefined`: it is refused, since its parts never meet. */
  function firstOf(made: () => ReturnType<typeof rruleCalendar>): number | undefined {
    try {
      return preview(made(), 0, 1)[0]
    } catch (error) {
      expect((error as Error).message).toContain('never meet')
      return undefined
    }
  }

  test('finds what happens once in centuries, as the other one does', () => {
    const text = 'FREQ=YEARLY;INTERVAL=7;BYMONTH=1;BYMONTHDAY=1;BYYEARDAY=1;BYDAY=MO'
    const startAt = Date.UTC(2006, 0, 1)
    const other = new rrule.RRule({ ...rrule.RRule.parseString(text), dtstart: new Date(startAt), count: 1 })
    expect(preview(rruleCalendar(text, { timezone: 'UTC', startAt }), 0, 1)).toEqual(
      other.all().map((date) => date.getTime()),
    )
  })

  test('the first occurrences of any rule, in UTC', () => {
    fc.assert(
      fc.property(rules, start, (text, seconds) => {
        const startAt = seconds * 1000
        const parts = { ...rrule.RRule.parseString(text), dtstart: new Date(startAt) }
        const othersUntil = (until: number): string[] =>
          new rrule.RRule({ ...parts, until: new Date(until) })
            .all((_, index) => index < 7)
            .map((date) => iso(date.getTime()))
        // The other one would look until the year 9999 for what never is.
        const expected = othersUntil(startAt + CENTURY_MS)
        const made = () => rruleCalendar(text, { timezone: 'UTC', startAt })
        // Such as a 31st that no month of the rule has, or a Monday that is the first of each seventh year once in 400 years.
        const rare = expected.length === 0 ? firstOf(made) : undefined
        if (rare !== undefined) expect(othersUntil(rare)).toEqual([iso(rare)])
        else if (expected.length > 0) expect(preview(made(), 0, expected.length).map(iso)).toEqual(expected)
      }),
      { numRuns: 80 },
    )
  })
})

test('occurrences are strictly after what was asked for and rise, asked in order or not', () => {
  const rules = fc.constantFrom(
    'FREQ=MINUTELY;INTERVAL=7',
    'FREQ=DAILY;BYHOUR=2;BYMINUTE=30',
    'FREQ=HOURLY;BYMINUTE=15,45',
    'FREQ=DAILY',
    'FREQ=SECONDLY;INTERVAL=13;BYHOUR=1,2',
  )
  const zones = fc.constantFrom(
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'America/Sao_Paulo',
    'Pacific/Apia',
    'UTC',
  )
  const changes = [
    '2026-03-29T01:00Z',
    '2026-10-25T01:00Z',
    '2026-04-04T15:00Z',
    '2026-10-03T15:30Z',
    '2018-02-18T02:00Z',
    '2011-12-30T10:00Z',
  ]
  const around = fc.constantFrom(...changes.map(instant))
  fc.assert(
    fc.property(
      rules,
      zones,
      around,
      fc.integer({ min: -90_000_000, max: 90_000_000 }),
      (rule, zone, change, shift) => {
        const text = zoned(zone, '20100101T000000', rule)
        const calendar = rruleCalendar(text)
        const other = rruleCalendar(text)
        let last = change + shift
        for (const next of preview(calendar, last, 8)) {
          expect(next).toBeGreaterThan(last)
          expect(other.next(Math.floor((last + next) / 2))).toBe(next)
          expect(calendar.next(next - 1)).toBe(next)
          last = next
        }
      },
    ),
    { numRuns: 100 },
  )
})

test('a rule of seconds that began ten years ago answers at once', () => {
  const calendar = rruleCalendar('DTSTART:20160101T000000Z\nRRULE:FREQ=SECONDLY;INTERVAL=7')
  const before = performance.now()
  for (let day = 0; day < 20; day++) calendar.next(Date.UTC(2026, 0, 1 + day))
  // By enumeration it would be 45 million occurrences.
  expect(performance.now() - before).toBeLessThan(2_000)
})
