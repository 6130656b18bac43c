import { describe, expect, test } from 'vitest'
import {
  after as afterTask,
  all,
  any,
  condition,
  count,
  crontime,
  daily,
  every,
  hourly,
  minutely,
  monthly,
  not,
  retry,
  running,
  weekly,
  within,
  yearly,
} from '../../src/index.ts'
import {
  echoTask,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  testSupervisor,
  thrownBy,
} from '../support/harness.ts'

const task = echoTask()
const anything = undefined as never

describe('a condition is refused when', () => {
  test.each([
    ['all has no parts', () => all(), /all\(\).*at least one/],
    ['any has no parts', () => any(), /any\(\).*at least one/],
    ['a part is none', () => all(daily(), 3 as never), /all\(\)\[1\].*a condition.*got 3/],
    ['not gets none', () => not(anything), /not\(\).*got undefined/],
    ['after gets no definition', () => afterTask('backup' as never), /after\(\)\[0\].*defineTask/],
    ['after gets an empty list', () => afterTask([]), /at least one definition/],
    [
      'an outcome is unknown',
      () => afterTask(task, { outcome: 'succes' as never }),
      /'success'.*Did you mean/,
    ],
    ['which is unknown', () => afterTask(task, { which: 'one' as never }), /'all', 'any'/],
    ['every is 0', () => every(0), /above 0, got 0/],
    ['every is endless', () => every(Infinity), /finite/],
    ['since is unknown', () => every(1, { since: 'start' as never }), /since/],
    ['retries are negative', () => daily({ retries: -1 }), /retries.*from 0/],
    ['an option is unknown', () => daily({ at: '10:00' } as never), /no option "at"/],
    ['a time is none', () => daily({ after: '25:00' }), /`after` of a window of the day.*time of day/],
    ['an end is none', () => daily({ before: '25:00' }), /`before` of a window/],
    ['one of a pair is none', () => daily({ between: ['10:00', '25:00'] }), /`between\[1\]` of a window/],
    ['a day is none', () => within('week', { on: 'montag' }), /`on` of a window of the week.*weekday/],
    [
      'a window is said twice',
      () => daily({ between: ['10:00', '12:00'], after: '11:00' }),
      /between, or on/,
    ],
    ['a pair is none', () => daily({ between: ['10:00'] as never }), /a pair/],
    ['a day is named in a day', () => daily({ on: 'mon' }), /on.*left out/],
    ['a weekday is none', () => weekly({ on: 'someday' }), /weekday/],
    ['a minute has a window', () => minutely({ after: '1' } as never), /no option "after"/],
    ['a window has no bounds', () => within('day', {}), /after, before, between or on/],
    ['a unit is unknown', () => within('minute' as never, { after: '1' }), /unit/],
    ['a time zone is unknown', () => daily({ timezone: 'Mars/Olympus' }), /Mars\/Olympus/],
    ['a cron expression is none', () => crontime('61 * * * *'), /minute/],
    ['retry is a fraction', () => retry(1.5), /whole number/],
    ['running counts less than nothing', () => running(task, { lessThan: 0 }), /from 1/],
    ['running can never be', () => running(task, { moreThan: 3, lessThan: 4 }), /a count can meet/],
    ['running is said twice', () => running(task, { between: [1, 2], moreThan: 1 }), /not both/],
    ['a record is unknown', () => count(task, 'runs' as never, { within: 'day' }), /'run'/],
    ['count has no span', () => count(task, 'run', {} as never), /within/],
    ['count has a negative span', () => count(task, 'run', { within: -1 }), /milliseconds above 0/],
    ['count is negative', () => count(task, 'run', { within: 'day', atLeast: -1 }), /from 0/],
    [
      'count can never be',
      () => count(task, 'run', { within: 'day', atLeast: 3, atMost: 2 }),
      /at least atLeast/,
    ],
    ['count would remember too much', () => count(task, 'run', { within: 'day', atLeast: 1e9 }), /at most/],
    ['a function is none', () => condition(true as never), /a function/],
    ['a function is to be asked for ever', () => condition(() => true, { recheckMs: 0 }), /recheckMs/],
    [
      'endCondition says when to start',
      () => echoTask({ endCondition: all(daily()) }),
      /must end.*daily\(\)/,
    ],
    ['endCondition is none', () => echoTask({ endCondition: 'now' as never }), /a condition/],
    ['when is none', () => echoTask({ when: {} as never }), /a condition/],
    ['shutdownWhen says when to start', () => testSupervisor({ shutdownWhen: every(1) }), /must stop.*every/],
  ])('%s', (_title, make, message) => {
    expect(thrownBy(make).message).toMatch(message)
  })
})

describe('conditions', () => {
  test('never change: composing makes new ones', () => {
    const base = running(task, { moreThan: 2 })
    const before = structuredClone(base)
    const whole = all(base, not(base), any(base))
    expect(base).toEqual(before)
    expect(whole.conditions[0]).toBe(base)
    for (const one of [
      base,
      whole,
      whole.conditions,
      daily({ after: '10:00' }),
      within('week', { on: 'mon' }),
    ]) {
      expect(Object.isFrozen(one)).toBe(true)
    }
  })

  test('of periods have windows of theirs', () => {
    const windows = [
      hourly({ between: [15, '45:30'] }),
      daily({ before: '10:00' }),
      weekly({ on: 'friday' }),
      monthly({ after: -1 }),
      yearly({ on: '12-24', timezone: 'Europe/Berlin' }),
    ].map(({ unit, window }) => [unit, window?.from, window?.until])
    expect(windows).toEqual([
      ['hour', '15', '45:30'],
      ['day', undefined, '10:00'],
      ['week', 'friday', 'friday'],
      ['month', '-1', undefined],
      ['year', '12-24', '12-24'],
    ])
  })
})

describe('endCondition', () => {
  test('that is true already terminates a run before its handler begins, once', async () => {
    const { supervisor, story } = await startedSupervisor()
    let begun = 0
    const run = supervisor.submit(taskOf(() => ++begun, { endCondition: () => true, retry: { attempts: 3 } }))
    await expect(run.result).rejects.toMatchObject({
      code: 'ERR_TASK_TERMINATED',
      reason: 'endCondition',
      step: 'none',
    })
    expect([begun, story(run)]).toEqual([0, ['created', 'queued', 'terminated']])
    expect(supervisor.records({ runId: run.id }).map(({ action }) => action)).toEqual(['terminate'])
    expect(supervisor.info().pool.active).toBe(0)
  })

  test('ends what runs as soon as it turns true, and leaves the next run alone', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const flag = echoTask()
    const { task: held, calls } = heldTask({ endCondition: afterTask(flag) })
    const first = supervisor.submit(held)
    await clock.advance(10)
    expect(calls).toHaveLength(1)
    await supervisor.submit(flag).result
    await expect(first.result).rejects.toMatchObject({ reason: 'endCondition', step: 'signal' })
    const second = supervisor.submit(held)
    await clock.advance(10)
    expect([second.state, calls.length]).toEqual(['running', 2])
    await supervisor.submit(flag).result
    await expect(second.result).rejects.toMatchObject({ reason: 'endCondition' })
  })

  test('leaves alone what waits: only what runs or is to begin is asked', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task: other, calls } = heldTask()
    supervisor.submit(other)
    let over = true
    const run = supervisor.submit(echoTask<number>({ endCondition: () => over }), 7)
    await clock.advance(5_000)
    expect(run.state).toBe('queued')
    over = false
    calls[0]!.resolve()
    await expect(run.result).resolves.toBe(7)
  })

  test('of a submission goes before that of its definition, and that before the default', async () => {
    const { supervisor } = await startedSupervisor({ defaults: { endCondition: () => true } })
    const never = () => false
    await expect(supervisor.submit(echoTask()).result).rejects.toMatchObject({ reason: 'endCondition' })
    await expect(supervisor.submit(echoTask<number>({ endCondition: never }), 1).result).resolves.toBe(1)
    const definition = echoTask<number>({ endCondition: () => true })
    await expect(supervisor.submit(definition, 2, { endCondition: never }).result).resolves.toBe(2)
  })

  test('holds while the supervisor drains', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const started = clock.now()
    const { task: held } = heldTask({ endCondition: () => clock.now() - started >= 2_000 })
    const run = supervisor.submit(held)
    await clock.advance(10)
    const stopped = supervisor.stop({ wait: true })
    expect(supervisor.state).toBe('draining')
    await clock.advance(2_010)
    await expect(run.result).rejects.toMatchObject({ reason: 'endCondition' })
    await stopped
  })

  test('that throws is reported and counts as false', async () => {
    const { supervisor, clock, of, lines } = await startedSupervisor()
    const { task: held, calls } = heldTask({
      name: 'guarded',
      endCondition: function broken() {
        throw new Error('no idea')
      },
    })
    const run = supervisor.submit(held)
    await clock.advance(3_000)
    expect(run.state).toBe('running')
    const failures = of('condition.failed')
    expect(failures).toMatchObject([
      { condition: 'condition(broken)', owner: 'guarded', supervisor: 'test' },
      { condition: 'condition(broken)', owner: 'guarded' },
    ])
    expect(lines.filter(({ msg }) => msg === 'condition.failed')).toHaveLength(2)
    calls[0]!.resolve('v')
    await expect(run.result).resolves.toBe('v')
  })

  test('follows a run into what it continues with', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const flag = echoTask()
    const { task: second, calls } = heldTask({ name: 'second-step' })
    const first = taskOf((_: undefined, ctx) => ctx.next(second.call(undefined)), {
      endCondition: afterTask(flag),
    })
    const run = supervisor.submit(first)
    await clock.advance(10)
    expect(calls).toHaveLength(1)
    // The end condition was the first step's own.
    await supervisor.submit(flag).result
    calls[0]!.resolve('done')
    await expect(run.result).resolves.toBe('done')
  })
})

describe('terminateAll', () => {
  test('ends every live run of a definition, with a reason of its own, and no other', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const one = heldTask()
    const other = heldTask()
    const runs = [supervisor.submit(one.task), supervisor.submit(one.task)]
    const delayed = supervisor.submit(one.task, undefined, { delayMs: 1_000 })
    const stays = supervisor.submit(other.task)
    await clock.advance(1)
    expect(supervisor.terminateAll(one.task)).toBe(3)
    for (const run of [...runs, delayed]) {
      await expect(run.result).rejects.toMatchObject({ code: 'ERR_TASK_TERMINATED', reason: 'demanded' })
    }
    await clock.advance(1)
    expect(stays.state).toBe('running')
    expect(supervisor.terminateAll(one.task)).toBe(0)
    await expect(supervisor.submit(echoTask<number>(), 1, { priority: 'critical' }).result).resolves.toBe(1)
  })

  test('ends those of a group, and refuses what is neither', async () => {
    const { supervisor } = await startedSupervisor()
    const group = { prefix: 'images.' }
    const members = [heldTask({ group }), heldTask({ group })].map(({ task: member }) =>
      supervisor.submit(member),
    )
    const other = supervisor.submit(heldTask({ group: { prefix: 'images.' } }).task)
    expect(supervisor.terminateAll(group)).toBe(2)
    for (const run of members) await expect(run.result).rejects.toMatchObject({ reason: 'demanded' })
    expect(other.state).toBe('running')
    expect(thrownBy(() => supervisor.terminateAll('images' as never)).message).toMatch(
      /a definition.*or a group/,
    )
  })
})

describe('shutdownWhen', () => {
  test('stops the supervisor when it turns true', async () => {
    const work = echoTask()
    const { supervisor } = testSupervisor({ shutdownWhen: afterTask(work) })
    await supervisor.start()
    await supervisor.submit(work).result
    await supervisor.block()
    expect(supervisor.state).toBe('stopped')
    // What ended before this start does not count.
    await supervisor.start()
    expect(supervisor.state).toBe('running')
    await supervisor.submit(work).result
    await supervisor.block()
  })

  test('may be true at once: started it was', async () => {
    const { supervisor } = testSupervisor({ shutdownWhen: () => true })
    await expect(supervisor.start()).resolves.toBeUndefined()
    await supervisor.block()
  })

  test('can be added and taken away while it runs, and waits for the start otherwise', async () => {
    const { supervisor, clock } = testSupervisor()
    let over = false
    const remove = supervisor.shutdownWhen(() => over)
    await supervisor.start()
    remove()
    remove()
    over = true
    await clock.advance(2_000)
    expect(supervisor.state).toBe('running')
    supervisor.shutdownWhen(() => over)
    await supervisor.block()
  })

  test('that throws stops nothing and is reported', async () => {
    const { supervisor, clock, of } = testSupervisor({
      shutdownWhen: () => {
        throw new Error('no idea')
      },
    })
    await supervisor.start()
    await clock.advance(5_000)
    expect(supervisor.state).toBe('running')
    expect(of('condition.failed')).toMatchObject([{ owner: undefined, error: { message: 'no idea' } }])
  })
})
