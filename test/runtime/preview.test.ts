import { describe, expect, test } from 'vitest'
import { OptionError, type PreviewOptions, preview } from '../../src/index.ts'
import { instant } from '../support/instants.ts'

const after = instant('2026-11-26T12:00:00Z')
const thrownBy = (act: () => unknown): unknown => {
  try {
    return act()
  } catch (error) {
    return error
  }
}

describe('preview', () => {
  test('shows the next occurrences, ten unless told otherwise', () => {
    expect(preview({ cron: '0 * * * *', timezone: 'UTC', after })).toHaveLength(10)
    const two = preview({ rrule: 'FREQ=HOURLY', timezone: 'UTC', after: new Date(after), count: 2 })
    expect(two).toEqual([new Date('2026-11-26T12:00:01Z'), new Date('2026-11-26T13:00:01Z')])
  })

  test('takes bounds as Date and as ms', () => {
    const bounds = { startAt: new Date('2026-11-26T14:00:00Z'), endAt: instant('2026-11-26T15:00:00Z') }
    expect(preview({ cron: '0 * * * *', timezone: 'UTC', after, ...bounds })).toHaveLength(2)
  })

  test('a rule without a start gives COUNT occurrences from now on', () => {
    expect(preview({ rrule: 'FREQ=SECONDLY;COUNT=3', timezone: 'UTC', after })).toHaveLength(3)
    expect(preview({ rrule: 'FREQ=SECONDLY;COUNT=3', timezone: 'UTC', after: after + 500 })).toHaveLength(3)
  })

  test('up to the year 9999: nothing is after it', () => {
    const cron = { cron: '0 0 0 1 1 * 9000-9999', timezone: 'UTC' }
    expect(preview({ ...cron, after: instant('9998-06-01T00:00:00Z') })).toHaveLength(1)
    expect(preview({ ...cron, after: 8.64e15 })).toEqual([])
    expect(preview({ ...cron, after: -8.64e15, count: 1 })).toHaveLength(1)
    const rule = { rrule: 'FREQ=DAILY', startAt: 0, timezone: 'UTC' }
    expect(preview({ ...rule, after: 8.64e15 })).toEqual([])
  })

  test('a cron expression without years ends with 2999', () => {
    const options = { cron: '0 0 1 1 *', timezone: 'UTC', after: instant('2998-06-01T00:00:00Z') }
    expect(preview(options)).toEqual([new Date('2999-01-01T00:00:00Z')])
  })

  test('from now on by default', () => {
    const [first] = preview({ cron: '* * * * * *', count: 1 })
    expect(first?.getTime()).toBeGreaterThan(Date.now() - 1_000)
  })
})

describe('what is wrong is an OptionError', () => {
  const rows: [options: unknown, code: string, sentence: string][] = [
    [{ cron: '0 25 * * *' }, 'ERR_SCHEDULE_INVALID', 'preview: Expected the hour field'],
    [{ cron: '0 0 30 2 *' }, 'ERR_SCHEDULE_INVALID', 'never meet'],
    [{ rrule: 'FREQ=DALY' }, 'ERR_SCHEDULE_INVALID', 'to have as FREQ one of'],
    [{ cron: '* * * * *', startAt: 2, endAt: 1 }, 'ERR_SCHEDULE_INVALID', 'not to be after `endAt`'],
    [
      { cron: '* * * * *', timezone: 'Europe/Berlim' },
      'ERR_TIMEZONE_UNKNOWN',
      'Did you mean "Europe/Berlin"?',
    ],
    [
      { rrule: 'DTSTART;TZID=Mars/Olympus:20260101T000000\nRRULE:FREQ=DAILY' },
      'ERR_TIMEZONE_UNKNOWN',
      'got "Mars/Olympus"',
    ],
    [{ cron: '' }, 'ERR_OPTION_INVALID', 'preview.cron'],
    [{ cron: 5 }, 'ERR_OPTION_INVALID', 'preview.cron'],
    [{}, 'ERR_OPTION_INVALID', 'preview.rrule'],
    [null, 'ERR_OPTION_INVALID', 'preview'],
    [{ cron: '* * * * *', count: 0 }, 'ERR_OPTION_INVALID', 'preview.count'],
    [{ cron: '* * * * *', after: 8.64e15 + 1 }, 'ERR_OPTION_INVALID', 'preview.after to be an instant'],
    [{ rrule: 'FREQ=DAILY', after: 8.64e15 }, 'ERR_SCHEDULE_INVALID', 'years 1000 to 9999'],
    [{ rrule: 'FREQ=DAILY', startAt: -8.64e15 }, 'ERR_SCHEDULE_INVALID', 'years 1000 to 9999'],
    [{ cron: '* * * * *', after: 'now' }, 'ERR_OPTION_INVALID', 'preview.after'],
    [{ cron: '* * * * *', rrule: 'FREQ=DAILY' }, 'ERR_OPTION_UNKNOWN', 'rrule'],
    [{ rrule: 'FREQ=DAILY', endAt: 5 }, 'ERR_OPTION_UNKNOWN', 'endAt'],
  ]
  test.for(rows)('%j: %s', ([options, code, sentence]) => {
    const error = thrownBy(() => preview(options as PreviewOptions))
    expect(error).toBeInstanceOf(OptionError)
    expect(error).toMatchObject({ code, message: expect.stringContaining(sentence) })
  })
})
