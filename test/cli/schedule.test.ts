/** Schedules on the command line. */
import { describe, expect, test } from 'vitest'
import { freshUrl, testQueue } from '../durable/queue-kit.ts'
import { answerOf, cli, TASKS } from './cli-kit.ts'

const NAME = 'nightly'

describe('schedules', () => {
  test('are made with all that is said, changed, listed with their next times, and taken away', async () => {
    const url = await freshUrl()
    const say = (...args: string[]) => cli(['schedule', NAME, 'mail', '{"to":"a"}', '-q', url, ...args])
    const all = ['--missed', 'once', '--overlap', 'bufferOne', '--missed-after', '10m', '--priority', 'low']
    const said = await say(
      '--cron',
      '0 3 * * *',
      '--timezone',
      'Europe/Berlin',
      '--start',
      '2200-06-01',
      ...all,
    )
    expect(said).toEqual({ code: 0, out: `${NAME}: next at 2200-06-01T01:00:00.000Z\n`, err: '' })
    const queue = await testQueue({ url })
    expect(await queue.schedules()).toMatchObject([
      {
        name: NAME,
        task: 'mail',
        input: { to: 'a' },
        state: 'waiting',
        priority: 'low',
        times: { cron: '0 3 * * *', missed: 'once', overlap: 'bufferOne', missedAfterMs: 600_000 },
      },
    ])
    const { out } = await cli(['schedules', '-q', url])
    expect(out.split('\n')[1]).toMatch(
      /^nightly +waiting +2200-06-01T01:00:00.000Z +mail +0 3 \* \* \* \(Europe\/Berlin\)$/,
    )
    expect((await say('--every', '1h', '--disabled')).out).toBe(`${NAME}: disabled\n`)
    expect(await answerOf(['schedules', '-q', url])).toMatchObject([
      { name: NAME, state: 'disabled', times: { everyMs: 3_600_000 } },
    ])
    expect(await cli(['unschedule', 'nothing', NAME, '-q', url])).toMatchObject({
      code: 3,
      out: `${NAME} is taken away\n`,
      err: expect.stringMatching(/^stateward: No schedule called "nothing" .* \(ERR_SCHEDULE_UNKNOWN\)\n$/),
    })
    expect((await cli(['schedules', '-q', url])).out).toBe('No schedule.\n')
  })

  test.each([
    [[], 'exactly one of cron, rrule and everyMs', 'ERR_OPTION_INVALID'],
    [['--cron', '@daily', '--every', '1h'], 'exactly one of', 'ERR_OPTION_INVALID'],
    [['--cron', '61 * * * *'], 'cron', 'ERR_SCHEDULE_INVALID'],
    [['--rrule', 'FREQ=SOMETIMES'], 'YEARLY, MONTHLY', 'ERR_SCHEDULE_INVALID'],
    [['--rrule', 'FREQ=DAILY', '--end', '2001-01-01'], 'never comes', 'ERR_SCHEDULE_INVALID'],
    [['--cron', '@daily', '--timezone', 'Europe/Berlim'], 'Europe/Berlim', 'ERR_TIMEZONE_UNKNOWN'],
    [['--every', 'often'], 'Write a duration', 'ERR_USAGE'],
    [['--every', '1h', '--missed', 'twice'], 'once', 'ERR_USAGE'],
    [['--every', '1h', '-t', TASKS], 'Did you mean "square"?', 'ERR_TASK_EXPORT_MISSING'],
  ])('that are wrong are refused: %j', async (args, words, code) => {
    const url = await freshUrl()
    const said = await cli(['schedule', NAME, 'squar', '-q', url, ...args])
    expect(said).toMatchObject({ code: 2, out: '' })
    expect(said.err).toContain(words)
    expect(said.err).toContain(`(${code})`)
    // Told once.
    if (code === 'ERR_SCHEDULE_INVALID') expect(said.err).not.toContain('because:')
    expect(await (await testQueue({ url })).schedules()).toEqual([])
  })
})
