import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { timeWindow, type WindowSpec, windowAt } from '../../src/actors/time-windows.ts'
import type { WindowUnit } from '../../src/actors/window-position.ts'
import { instant, iso } from '../support/instants.ts'

/** `in`/`out`, since when, until when. */
const shown = (spec: WindowSpec, at: string, zone = 'UTC'): string => {
  const { inside, startAt, changesAt } = windowAt(spec, instant(at), zone)
  return inside ? `in from ${iso(startAt)} until ${iso(changesAt)}` : `out until ${iso(changesAt)}`
}

describe('a window in each unit', () => {
  const night = { unit: 'day', from: '22:00', until: '06:00' } as const
  const office = { unit: 'week', from: 'mon', until: 'fri' } as const
  const rows: [spec: WindowSpec, at: string, state: string][] = [
    [night, '2026-11-26T12:00Z', 'out until 2026-11-26 22:00'],
    [night, '2026-11-26T22:00Z', 'in from 2026-11-26 22:00 until 2026-11-27 06:00'],
    [night, '2026-11-27T05:59Z', 'in from 2026-11-26 22:00 until 2026-11-27 06:00'],
    [night, '2026-11-27T06:00Z', 'out until 2026-11-27 22:00'],
    [{ unit: 'day', from: '10:00', until: '12:00' }, '2026-11-26T12:00Z', 'out until 2026-11-27 10:00'],
    [{ unit: 'day', from: '10:00' }, '2026-11-26T12:00Z', 'in from 2026-11-26 10:00 until 2026-11-27 00:00'],
    [{ unit: 'day', until: '10:00' }, '2026-11-26T12:00Z', 'out until 2026-11-27 00:00'],
    [{ unit: 'day', until: '10:00' }, '2026-11-27T00:00Z', 'in from 2026-11-27 00:00 until 2026-11-27 10:00'],
    [
      { unit: 'day', from: '10:00', until: '10:00' },
      '2026-11-27T00:00Z',
      'in from 2026-11-26 10:00 until 2026-11-27 10:00',
    ],
    [office, '2026-11-27T23:59Z', 'in from 2026-11-23 00:00 until 2026-11-28 00:00'],
    [office, '2026-11-28T00:00Z', 'out until 2026-11-30 00:00'],
    [
      { unit: 'week', from: 'Friday 18:00', until: 'mon 06:00' },
      '2026-11-29T12:00Z',
      'in from 2026-11-27 18:00 until 2026-11-30 06:00',
    ],
    [
      { unit: 'week', from: 'wed', until: 'wed' },
      '2026-11-25T12:00Z',
      'in from 2026-11-25 00:00 until 2026-11-26 00:00',
    ],
    [
      { unit: 'month', from: '1', until: '5' },
      '2026-11-05T23:00Z',
      'in from 2026-11-01 00:00 until 2026-11-06 00:00',
    ],
    [
      { unit: 'month', from: '-1', until: '1 12:00' },
      '2026-12-01T11:00Z',
      'in from 2026-11-30 00:00 until 2026-12-01 12:00',
    ],
    [{ unit: 'month', from: '31', until: '31' }, '2026-02-03T00:00Z', 'out until 2026-03-31 00:00'],
    [
      { unit: 'month', from: '25', until: '31' },
      '2026-02-26T00:00Z',
      'in from 2026-02-25 00:00 until 2026-03-01 00:00',
    ],
    [
      { unit: 'year', from: '12-24', until: '01-06' },
      '2027-01-06T00:00Z',
      'in from 2026-12-24 00:00 until 2027-01-07 00:00',
    ],
    [{ unit: 'year', from: '02-29', until: '02-29' }, '2026-01-01T00:00Z', 'out until 2028-02-29 00:00'],
    [{ unit: 'year', from: '02-29', until: '02-29' }, '1896-03-01T00:00Z', 'out until 1904-02-29 00:00'],
    [
      { unit: 'hour', from: '15', until: '30' },
      '2026-11-26T12:20Z',
      'in from 2026-11-26 12:15 until 2026-11-26 12:30',
    ],
    [
      { unit: 'hour', from: '45:30', until: '15' },
      '2026-11-26T12:14:59Z',
      'in from 2026-11-26 11:45:30 until 2026-11-26 12:15',
    ],
    [{ unit: 'hour', until: '15' }, '2026-11-26T12:15Z', 'out until 2026-11-26 13:00'],
  ]
  test.for(rows)('%j at %s: %s', ([spec, at, state]) => {
    expect(shown(spec, at)).toBe(state)
  })
})

describe('where the clock is changed', () => {
  const rows: [zone: string, spec: WindowSpec, at: string, state: string][] = [
    [
      'Europe/Berlin',
      { unit: 'day', from: '22:00', until: '06:00' },
      '2026-03-29T00:00Z',
      'in from 2026-03-28 21:00 until 2026-03-29 04:00',
    ],
    [
      'Europe/Berlin',
      { unit: 'day', from: '22:00', until: '06:00' },
      '2026-10-25T01:30Z',
      'in from 2026-10-24 20:00 until 2026-10-25 05:00',
    ],
    [
      'Europe/Berlin',
      { unit: 'day', from: '02:30', until: '04:00' },
      '2026-03-29T00:59Z',
      'out until 2026-03-29 01:00',
    ],
    [
      'Europe/Berlin',
      { unit: 'day', from: '02:15', until: '02:45' },
      '2026-03-29T00:59Z',
      'out until 2026-03-30 00:15',
    ],
    [
      'Europe/Berlin',
      { unit: 'day', from: '02:15', until: '02:45' },
      '2026-10-25T01:30Z',
      'out until 2026-10-26 01:15',
    ],
    [
      'Europe/Berlin',
      { unit: 'day', from: '02:30', until: '03:00' },
      '2026-10-25T01:30Z',
      'in from 2026-10-25 00:30 until 2026-10-25 02:00',
    ],
    [
      'Europe/Berlin',
      { unit: 'hour', from: '15', until: '30' },
      '2026-10-25T01:20Z',
      'in from 2026-10-25 01:15 until 2026-10-25 01:30',
    ],
    ['Asia/Beirut', { unit: 'day', until: '01:30' }, '2026-03-28T21:59Z', 'out until 2026-03-28 22:00'],
    [
      'Asia/Beirut',
      { unit: 'week', from: 'sun', until: 'sun' },
      '2026-03-28T22:00Z',
      'in from 2026-03-28 22:00 until 2026-03-29 21:00',
    ],
  ]
  test.for(rows)('%s %j at %s: %s', ([zone, spec, at, state]) => {
    expect(shown(spec, at, zone)).toBe(state)
  })
})

test('the state holds until it changes, and is asked again there', () => {
  const specs = fc.constantFrom<WindowSpec>(
    { unit: 'hour', from: '45', until: '10' },
    { unit: 'day', from: '23:30', until: '02:30' },
    { unit: 'day', from: '02:10', until: '02:50' },
    { unit: 'week', from: 'sat 22:00', until: 'sun 03:00' },
    { unit: 'month', from: '29', until: '-1' },
    { unit: 'year', from: '10-01', until: '03-31' },
  )
  const zones = fc.constantFrom(
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'America/Sao_Paulo',
    'Pacific/Apia',
    'UTC',
  )
  const at = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2040, 0, 1) })
  const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(specs, zones, at, part, (spec, zone, when, share) => {
      const window = timeWindow(spec, zone)
      const state = window.at(when)
      expect(state.changesAt).toBeGreaterThan(when)
      const meanwhile = when + Math.floor((state.changesAt - when) * share)
      expect(window.at(meanwhile)).toEqual(state)
      expect(window.at(state.changesAt - 1)).toEqual(state)
      if (!state.inside)
        expect(window.at(state.changesAt)).toMatchObject({ inside: true, startAt: state.changesAt })
    }),
    { numRuns: 400 },
  )
})

describe('what will not do is refused', () => {
  const rows: [unit: WindowUnit, from: string][] = [
    ['hour', '61'],
    ['hour', '12:60'],
    ['day', '25:00'],
    ['day', '24:01'],
    ['day', '7'],
    ['day', ''],
    ['week', 'moonday'],
    ['week', 'mon 25:00'],
    ['week', 'mon 10:00 sharp'],
    ['month', '0'],
    ['month', '32'],
    ['month', 'first'],
    ['year', '02-30'],
    ['year', '13-01'],
    ['year', 'december'],
  ]
  test.for(rows)('%s from "%s"', ([unit, from]) => {
    expect(() => timeWindow({ unit, from }, 'UTC')).toThrow(
      `Expected \`from\` of a window of the ${unit} to be a`,
    )
  })

  test('neither from nor until, and an unknown zone', () => {
    expect(() => timeWindow({ unit: 'day' }, 'UTC')).toThrow('needs `from`, `until` or both')
    expect(() => timeWindow({ unit: 'day', from: '10:00' }, 'Mars/Olympus')).toThrow('Expected a time zone')
  })
})
