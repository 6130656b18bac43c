import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HOUR_MS, type PeriodUnit, periodOf } from '../../src/actors/periods.ts'
import { instant, iso } from '../support/instants.ts'

const shown = (unit: PeriodUnit, at: string, zone: string): [string, string] => {
  const { startAt, endAt } = periodOf(unit, instant(at), zone)
  return [iso(startAt), iso(endAt)]
}

describe('each unit', () => {
  const rows: [unit: PeriodUnit, startAt: string, endAt: string][] = [
    ['minute', '2026-11-26 14:37', '2026-11-26 14:38'],
    ['hour', '2026-11-26 14:30', '2026-11-26 15:30'],
    ['day', '2026-11-25 18:30', '2026-11-26 18:30'],
    ['week', '2026-11-22 18:30', '2026-11-29 18:30'],
    ['month', '2026-10-31 18:30', '2026-11-30 18:30'],
    ['year', '2025-12-31 18:30', '2026-12-31 18:30'],
  ]
  test.for(rows)('%s in Kolkata', ([unit, ...period]) => {
    expect(shown(unit, '2026-11-26T14:37:12Z', 'Asia/Kolkata')).toEqual(period)
  })

  test('weeks begin on Monday', () => {
    expect(shown('week', '2026-11-22T23:59:59Z', 'UTC')).toEqual(
      ['2026-11-16', '2026-11-23'].map((d) => `${d} 00:00`),
    )
    expect(shown('week', '2026-11-23T00:00:00Z', 'UTC')).toEqual(
      ['2026-11-23', '2026-11-30'].map((d) => `${d} 00:00`),
    )
  })
})

describe('where the clock is changed', () => {
  test('a day has 23 or 25 hours', () => {
    const hours = (at: string, zone: string): number => {
      const { startAt, endAt } = periodOf('day', instant(at), zone)
      return (endAt - startAt) / HOUR_MS
    }
    expect(hours('2026-03-29T12:00Z', 'Europe/Berlin')).toBe(23)
    expect(hours('2026-10-25T12:00Z', 'Europe/Berlin')).toBe(25)
    expect(hours('2026-10-04T00:00Z', 'Australia/Lord_Howe')).toBe(23.5)
    expect(hours('2026-03-29T12:00Z', 'Asia/Beirut')).toBe(23)
    expect(hours('2018-02-18T02:30Z', 'America/Sao_Paulo')).toBe(25)
  })

  test('the day after a skipped one begins where the one before it ends', () => {
    expect(shown('day', '2011-12-30T09:59Z', 'Pacific/Apia')).toEqual([
      '2011-12-29 10:00',
      '2011-12-30 10:00',
    ])
    expect(shown('day', '2011-12-30T10:00Z', 'Pacific/Apia')).toEqual([
      '2011-12-30 10:00',
      '2011-12-31 10:00',
    ])
  })

  test('an hour that the clock shows twice is two', () => {
    expect(shown('hour', '2026-10-25T00:30Z', 'Europe/Berlin')).toEqual([
      '2026-10-25 00:00',
      '2026-10-25 01:00',
    ])
    expect(shown('hour', '2026-10-25T01:30Z', 'Europe/Berlin')).toEqual([
      '2026-10-25 01:00',
      '2026-10-25 02:00',
    ])
  })

  test('an hour ends with the change in the midst of it', () => {
    const zone = 'Australia/Lord_Howe'
    expect(shown('hour', '2026-04-04T14:45Z', zone)).toEqual(['2026-04-04 14:00', '2026-04-04 15:00'])
    expect(shown('hour', '2026-04-04T15:10Z', zone)).toEqual(['2026-04-04 15:00', '2026-04-04 15:30'])
    expect(shown('hour', '2026-10-03T15:40Z', zone)).toEqual(['2026-10-03 15:30', '2026-10-03 16:00'])
  })
})

test('periods hold their instant and follow one another without gap', () => {
  const units = fc.constantFrom<PeriodUnit>('minute', 'hour', 'day', 'week', 'month', 'year')
  const zones = fc.constantFrom(
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'America/Sao_Paulo',
    'Pacific/Apia',
    'UTC',
  )
  const at = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2040, 0, 1) })
  fc.assert(
    fc.property(units, zones, at, (unit, zone, when) => {
      const { startAt, endAt } = periodOf(unit, when, zone)
      expect(startAt).toBeLessThanOrEqual(when)
      expect(endAt).toBeGreaterThan(when)
      expect(periodOf(unit, endAt, zone).startAt).toBe(endAt)
      expect(periodOf(unit, startAt, zone)).toEqual({ startAt, endAt })
      expect(periodOf(unit, endAt - 1, zone)).toEqual({ startAt, endAt })
    }),
    { numRuns: 400 },
  )
})
