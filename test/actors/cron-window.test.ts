import { describe, expect, test } from 'vitest'
import { cronWindow } from '../../src/actors/cron-window.ts'
import { instant, iso } from '../support/instants.ts'

const shown = (cron: string, at: string, timezone = 'UTC'): string => {
  const { inside, startAt, changesAt } = cronWindow(cron, { timezone }).at(instant(at))
  const until = changesAt === Number.POSITIVE_INFINITY ? 'for good' : `until ${iso(changesAt)}`
  return inside ? `in from ${iso(startAt)} ${until}` : `out ${until}`
}

describe('a cron expression as a window', () => {
  const rows: [cron: string, at: string, state: string][] = [
    ['*/5 * * * *', '2026-11-26T12:00:00Z', 'in from 2026-11-26 12:00 until 2026-11-26 12:01'],
    ['*/5 * * * *', '2026-11-26T12:00:59.999Z', 'in from 2026-11-26 12:00 until 2026-11-26 12:01'],
    ['*/5 * * * *', '2026-11-26T12:01:00Z', 'out until 2026-11-26 12:05'],
    ['10-14 * * * *', '2026-11-26T12:12:30Z', 'in from 2026-11-26 12:12 until 2026-11-26 12:15'],
    ['* * * * *', '2026-11-26T12:12:30Z', 'in from 2026-11-26 12:12 until 2026-11-26 13:13'],
    ['30 * * * * *', '2026-11-26T12:12:30.500Z', 'in from 2026-11-26 12:12:30 until 2026-11-26 12:12:31'],
    ['30 * * * * *', '2026-11-26T12:12:31Z', 'out until 2026-11-26 12:13:30'],
    ['0 0 0 1 1 * 2020', '2026-11-26T12:12:31Z', 'out for good'],
  ]
  test.for(rows)('%s at %s: %s', ([cron, at, state]) => {
    expect(shown(cron, at)).toBe(state)
  })

  test('by the clock of its zone, the second pass of an overlap not for named hours', () => {
    expect(shown('30 2 * * *', '2026-10-25T00:30Z', 'Europe/Berlin')).toContain('in from')
    expect(shown('30 2 * * *', '2026-10-25T01:30Z', 'Europe/Berlin')).toBe('out until 2026-10-26 01:30')
    expect(shown('30 * * * *', '2026-10-25T01:30Z', 'Europe/Berlin')).toContain('in from')
  })
})
