import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TimeZone } from '../../src/actors/time-zone.ts'
import { instant, iso } from '../support/instants.ts'

/** The local times of these tests are written as if the clock were in UTC. */
const local = (text: string): number => instant(`${text}Z`)

describe('the rule: a local time occurs at the first instant at which the clock shows it or a later one', () => {
  const rows: [zone: string, local: string, at: string, why: string][] = [
    ['Europe/Berlin', '2026-03-29T01:59', '2026-03-29 00:59', 'before the gap'],
    ['Europe/Berlin', '2026-03-29T02:00', '2026-03-29 01:00', 'the start of the gap'],
    ['Europe/Berlin', '2026-03-29T02:30', '2026-03-29 01:00', 'in the gap'],
    ['Europe/Berlin', '2026-03-29T03:00', '2026-03-29 01:00', 'the end of the gap'],
    ['Europe/Berlin', '2026-03-29T03:30', '2026-03-29 01:30', 'after the gap'],
    ['Europe/Berlin', '2026-10-25T01:59', '2026-10-24 23:59', 'before the overlap'],
    ['Europe/Berlin', '2026-10-25T02:00', '2026-10-25 00:00', 'the first of two'],
    ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25 00:30', 'the first of two'],
    ['Europe/Berlin', '2026-10-25T03:00', '2026-10-25 02:00', 'after the second pass'],
    ['America/New_York', '2026-03-08T02:30', '2026-03-08 07:00', 'in the gap'],
    ['America/New_York', '2026-11-01T01:30', '2026-11-01 05:30', 'the first of two'],
    ['America/New_York', '2026-11-01T02:00', '2026-11-01 07:00', 'after the second pass'],
    ['Australia/Lord_Howe', '2026-10-04T02:15', '2026-10-03 15:30', 'in a gap of half an hour'],
    ['Australia/Lord_Howe', '2026-10-04T02:30', '2026-10-03 15:30', 'the end of that gap'],
    ['Australia/Lord_Howe', '2026-04-05T01:45', '2026-04-04 14:45', 'the first of two, half an hour apart'],
    ['Australia/Lord_Howe', '2026-04-05T02:00', '2026-04-04 15:30', 'after the second pass'],
    ['America/Sao_Paulo', '2018-11-04T00:30', '2018-11-04 03:00', 'a gap at midnight'],
    ['America/Sao_Paulo', '2018-02-17T23:30', '2018-02-18 01:30', 'an overlap before midnight'],
    ['America/Sao_Paulo', '2018-02-18T00:00', '2018-02-18 03:00', 'a midnight that occurs once'],
    ['Asia/Beirut', '2026-03-29T00:00', '2026-03-28 22:00', 'a midnight that does not exist'],
    ['Pacific/Apia', '2011-12-30T12:00', '2011-12-30 10:00', 'in the day that was skipped'],
    ['Pacific/Apia', '2011-12-31T00:00', '2011-12-30 10:00', 'the day after'],
    ['UTC', '2026-03-29T02:30', '2026-03-29 02:30', 'no changes'],
    ['+05:30', '2026-03-29T02:30', '2026-03-28 21:00', 'an offset for a zone'],
  ]
  test.for(rows)('%s %s is %s: %s', ([zone, text, at]) => {
    expect(iso(TimeZone.of(zone).instantOf(local(text)))).toBe(at)
  })
})

test('the second pass of an overlap has not reached more than the first', () => {
  const berlin = TimeZone.of('Europe/Berlin')
  expect(iso(berlin.reachedAt(instant('2026-10-25T00:59:00Z')))).toBe('2026-10-25 02:59')
  expect(iso(berlin.reachedAt(instant('2026-10-25T01:30:00Z')))).toBe('2026-10-25 02:59:59.999')
  expect(iso(berlin.localAt(instant('2026-10-25T01:30:00Z')))).toBe('2026-10-25 02:30')
  expect(iso(berlin.reachedAt(instant('2026-10-25T02:00:00Z')))).toBe('2026-10-25 03:00')
})

const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Asia/Beirut',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Asia/Kathmandu',
  'America/St_Johns',
  'Europe/Dublin',
  'UTC',
]
const zone = fc.constantFrom(...ZONES)
const at = fc.integer({ min: Date.UTC(1975, 0, 1), max: Date.UTC(2060, 0, 1) })

test('the clock shows what Intl shows, in any zone at any time', () => {
  const shown = (name: string, when: number): string =>
    new Intl.DateTimeFormat('sv-SE', {
      timeZone: name,
      dateStyle: 'short',
      timeStyle: 'medium',
    }).format(when)
  fc.assert(
    fc.property(zone, at, (name, when) => {
      const clock = new Date(TimeZone.of(name).localAt(when)).toISOString()
      expect(clock.slice(0, 19).replace('T', ' ')).toBe(shown(name, when))
    }),
    { numRuns: 400 },
  )
})

test('later local times never occur earlier, and an instant is that of the local time reached then', () => {
  fc.assert(
    fc.property(zone, at, fc.integer({ min: 0, max: 200_000_000 }), (name, when, later) => {
      const one = TimeZone.of(name)
      expect(one.instantOf(when + later)).toBeGreaterThanOrEqual(one.instantOf(when))
      const reached = one.reachedAt(when)
      expect(one.instantOf(reached)).toBeLessThanOrEqual(when)
      expect(one.instantOf(reached + 1)).toBeGreaterThan(when)
    }),
    { numRuns: 400 },
  )
})

test('a time zone that does not exist is refused, one in other letters is found', () => {
  expect(() => TimeZone.of('Europe/Berlim')).toThrow(
    `Expected a time zone of the IANA list such as 'Europe/Berlin' or 'UTC', got "Europe/Berlim".`,
  )
  expect(TimeZone.of('europe/berlin')).toBe(TimeZone.of('Europe/Berlin'))
  expect(TimeZone.of().name).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone)
})

test('without a name it is the zone of this machine, and follows TZ', () => {
  expect(TimeZone.of().name).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone)
  const follow = `
    const { TimeZone } = await import(${JSON.stringify(new URL('../../src/actors/time-zone.ts', import.meta.url).href)})
    const names = ['Europe/Berlin', 'Europe/Berlin', 'Asia/Tokyo', undefined].map((tz) => {
      if (tz === undefined) delete process.env.TZ
      else process.env.TZ = tz
      return TimeZone.of().name
    })
    console.log(JSON.stringify(names.slice(0, 3)), TimeZone.of() === TimeZone.of(names[3]))`
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', follow], { encoding: 'utf8' })
  expect(told).toBe('["Europe/Berlin","Europe/Berlin","Asia/Tokyo"] true\n')
})
