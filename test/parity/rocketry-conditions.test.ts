/** What docs/parity.md promises about Rocketry's conditions, on the clock and the calendars that supervisors use. */
import { beforeEach, describe, expect, test } from 'vitest'
import { type ConditionWatch, ConditionWatches } from '../../src/actors/condition-watch.ts'
import type { DefinitionEntry } from '../../src/actors/definition-entry.ts'
import type { TaskRun } from '../../src/actors/task-run.ts'
import { TimerQueue } from '../../src/actors/timer-queue.ts'
import { WallTimers } from '../../src/actors/wall-timers.ts'
import {
  after as afterTask,
  type Condition,
  count,
  crontime,
  daily,
  every,
  hourly,
  lastResult,
  minutely,
  monthly,
  type RecordKind,
  retry,
  running,
  weekly,
  within,
  yearly,
} from '../../src/index.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import { waits } from '../fixtures/parity/tasks.ts'
import { echoTask, heldTask, startedSupervisor, taskOf, turns } from '../support/harness.ts'

const HOUR = 3_600_000
const MINUTE = 60_000
const DAY = 24 * HOUR
const own = echoTask({ name: 'own' })
const other = echoTask({ name: 'other' })

let clock: ManualClock
let watches: ConditionWatches
let watch: ConditionWatch
let fired: string[]

beforeEach(() => {
  // A Tuesday.
  clock = new ManualClock({ startAt: Date.UTC(2030, 0, 1, 6) })
  const queue = new TimerQueue(clock)
  fired = []
  watches = new ConditionWatches({
    clock,
    timers: new WallTimers(clock, queue),
    entryOf: () => ({ live: 0 }) as DefinitionEntry,
    history: () => [],
    running: () => [],
    onFailed: (_part, error) => fired.push(String(error)),
  })
  return () => {
    watch?.close()
    queue.close()
  }
})

/** What happens to a run of a task, now. */
function note(kind: Exclude<RecordKind, 'finish' | 'crash'>, name = own.name): void {
  const facts = watches.facts.watch(name, 1)
  const mono = clock.monotonic()
  const outcomes = {
    run: undefined,
    success: { kind: 'finished' },
    inaction: { kind: 'finished', skipped: 'no' },
    failure: { kind: 'failed' },
    terminated: { kind: 'terminated' },
  }
  const run = { startedMono: mono, endedMono: mono, outcome: outcomes[kind] } as unknown as TaskRun
  if (kind === 'run') watches.facts.announced(facts, run, 'started')
  else watches.facts.settled(facts, run)
  facts.changed()
}

/** Watches, and at each time that it turns true the task runs and ends so. */
/**
 * Time passes. The wall clock is looked at each 30 s, two million times in two years, so promises have their turn round
 * midnights only where it is days: what comes at another time comes late, and counts all the same.
 */
async function pass(ms: number): Promise<void> {
  if (ms < DAY) return clock.advance(ms)
  const end = clock.now() + ms
  await clock.advance(0)
  while (clock.now() < end) {
    const midnight = (Math.floor(clock.now() / DAY) + 1) * DAY
    clock.advanceSync(Math.max(0, Math.min(end, midnight - MINUTE) - clock.now()))
    await clock.advance(Math.min(end - clock.now(), 2 * MINUTE))
  }
}

function runWhen(condition: Condition, ends: (RecordKind | 'nothing')[] = []): void {
  watch = watches.watch(condition, own.name, () => {
    fired.push(new Date(clock.now()).toISOString().slice(5, 16))
    queueMicrotask(() => {
      note('run')
      const end = ends.shift() ?? 'success'
      if (end !== 'nothing') note(end as 'success')
    })
  })
}

describe('once per period', () => {
  test.each([
    ['minutely', minutely({ timezone: 'UTC' }), 60_000, 3],
    ['hourly', hourly({ timezone: 'UTC' }), HOUR, 3],
    ['daily', daily({ timezone: 'UTC' }), 24 * HOUR, 3],
    ['weekly', weekly({ timezone: 'UTC' }), 7 * 24 * HOUR, 3],
    ['monthly', monthly({ timezone: 'UTC' }), 31 * 24 * HOUR, 3],
    ['yearly', yearly({ timezone: 'UTC' }), 365 * 24 * HOUR, 3],
  ])('%s: at once, then at the beginning of each', async (_name, condition, lengthMs, times) => {
    runWhen(condition)
    await pass(lengthMs * (times - 1))
    expect(fired).toHaveLength(times)
    expect(fired[0]).toBe('01-01T06:00')
    expect(fired.at(-1)).toMatch(lengthMs > HOUR ? /T00:00$/ : /:0\d$/)
  })

  test.each([
    ['after', daily({ after: '10:00', timezone: 'UTC' }), ['01-01T10:00', '01-02T10:00']],
    ['before', daily({ before: '10:00', timezone: 'UTC' }), ['01-01T06:00', '01-02T00:00']],
    ['between', daily({ between: ['22:00', '05:00'], timezone: 'UTC' }), ['01-01T22:00', '01-02T22:00']],
    ['on', weekly({ on: 'wed', timezone: 'UTC' }), ['01-02T00:00']],
    ['in another zone', daily({ after: '10:00', timezone: 'Asia/Tokyo' }), ['01-01T06:00', '01-02T01:00']],
    ['of the hour', hourly({ after: 59, timezone: 'UTC' }), null],
  ])('with a window: %s', async (_name, condition, expected) => {
    runWhen(condition)
    await clock.advance(41 * HOUR)
    if (expected === null) expect(fired.slice(0, 2)).toEqual(['01-01T06:59', '01-01T07:59'])
    else expect(fired).toEqual(expected)
  })

  test.each([
    ['success', ['success'], 1],
    ['inaction', ['inaction'], 1],
    ['termination', ['terminated'], 1],
    ['a failure', ['failure'], 1],
  ] as const)('is done after %s', async (_name, ends, times) => {
    runWhen(daily({ timezone: 'UTC' }), [...ends])
    await clock.advance(17 * HOUR)
    expect(fired).toHaveLength(times)
  })

  test('is tried again after failures as often as it says', () => {
    const condition = daily({ timezone: 'UTC', retries: 2 })
    for (const [failures, holds] of [true, true, true, false].entries()) {
      if (failures > 0) note('failure')
      expect([failures, watches.holds(condition, own.name)]).toEqual([failures, holds])
    }
  })
})

describe('a condition', () => {
  test('every: no such record within the time', async () => {
    runWhen(every(2 * HOUR))
    await clock.advance(5 * HOUR)
    expect(fired).toEqual(['01-01T06:00', '01-01T08:00', '01-01T10:00'])
  })

  test('every since success runs again only so long after one', async () => {
    note('success')
    runWhen(every(HOUR, { since: 'success' }), ['nothing', 'nothing'])
    await clock.advance(2 * HOUR)
    expect(fired).toEqual(['01-01T07:00'])
    note('success')
    await clock.advance(HOUR)
    expect(fired).toEqual(['01-01T07:00', '01-01T09:00'])
  })

  test('crontime is the matching minute, or second', async () => {
    const minute = crontime('30 7 * * *', { timezone: 'UTC' })
    const second = crontime('*/30 * * * * *', { timezone: 'UTC' })
    const seen: boolean[][] = []
    for (const ms of [0, 1_000, 1.5 * HOUR - 2_000, 1_000, 59_000, 1_000]) {
      await clock.advance(ms)
      seen.push([minute, second].map((condition) => watches.holds(condition, undefined)))
    }
    expect(seen).toEqual([
      [false, true],
      [false, false],
      [false, false],
      [true, true],
      [true, false],
      [false, true],
    ])
    watch = watches.watch(minute, undefined, () => fired.push(new Date(clock.now()).toISOString()))
    await clock.advance(24 * HOUR)
    expect(fired).toEqual(['2030-01-02T07:30:00.000Z'])
  })

  test('within is the window only', async () => {
    watch = watches.watch(within('day', { between: ['09:00', '12:00'], timezone: 'UTC' }), undefined, () =>
      fired.push(new Date(clock.now()).toISOString().slice(5, 16)),
    )
    await clock.advance(3 * HOUR)
    expect(watch.holds).toBe(true)
    await clock.advance(3 * HOUR)
    expect(watch.holds).toBe(false)
    await clock.advance(24 * HOUR)
    expect(fired).toEqual(['01-01T09:00', '01-02T09:00'])
  })

  test('retry: n more attempts while it fails, endless with Infinity', () => {
    for (const [times, starts] of [
      [2, 3],
      [0, 1],
      [Number.POSITIVE_INFINITY, 20],
    ] as const) {
      note('success')
      let runs = 1
      note('run')
      note('failure')
      while (runs < 20 && watches.holds(retry(times), own.name)) {
        runs += 1
        note('run')
        expect(watches.holds(retry(times), own.name)).toBe(false)
        note('failure')
      }
      expect(runs).toBe(starts)
    }
  })

  test.each([
    ['success', 'success', true],
    ['success', 'failure', false],
    ['failure', 'failure', true],
    ['failure', 'success', false],
    ['finish', 'success', true],
    ['finish', 'failure', true],
    ['finish', 'terminated', false],
    ['terminated', 'terminated', true],
    ['terminated', 'success', false],
  ] as const)('after %s: the other task ended by %s: %s', (outcome, end, holds) => {
    note('run')
    note(end, other.name)
    expect(watches.holds(afterTask(other, { outcome }), own.name)).toBe(holds)
    note('run')
    expect(watches.holds(afterTask(other, { outcome }), own.name)).toBe(false)
  })

  test('after all and any of several tasks', () => {
    const both = [other, echoTask({ name: 'third' })]
    const holds = (which: 'all' | 'any'): boolean => watches.holds(afterTask(both, { which }), own.name)
    expect([holds('all'), holds('any')]).toEqual([false, false])
    note('success', 'third')
    expect([holds('all'), holds('any')]).toEqual([false, true])
    note('success', other.name)
    expect([holds('all'), holds('any')]).toEqual([true, true])
  })

  test('after: several ends of the other task make one run', () => {
    runWhen(afterTask(other), ['nothing'])
    note('success', other.name)
    note('success', other.name)
    note('success', other.name)
    expect(fired).toHaveLength(1)
  })

  test.each([
    ['run', 'run', true],
    ['success', 'success', true],
    ['failure', 'success', false],
    ['finish', 'failure', true],
  ] as const)('count of %s within a span after a %s: %s', async (record, happens, holds) => {
    const two = count(other, record, { within: HOUR, atLeast: 2 })
    expect(watches.holds(two, undefined)).toBe(false)
    note(happens, other.name)
    expect(watches.holds(two, undefined)).toBe(false)
    note(happens, other.name)
    expect(watches.holds(two, undefined)).toBe(holds)
    expect(watches.holds(count(other, record, { within: 'day', atMost: 1 }), undefined)).toBe(!holds)
    await clock.advance(HOUR)
    expect(watches.holds(two, undefined)).toBe(false)
  })
})

describe('running counts', () => {
  test('end runs as a limit: more than, less than, between, waiting ones on demand', async () => {
    const { supervisor, clock: time, of } = await startedSupervisor()
    const { task: counted } = heldTask({ name: 'counted' })
    const guards = {
      more: running(counted, { moreThan: 1 }),
      less: running(counted, { lessThan: 3 }),
      between: running(counted, { between: [2, 2] }),
    }
    const seen: string[] = []
    const guard = (name: keyof typeof guards) =>
      supervisor
        .submit(heldTask({ name, endCondition: guards[name] }).task)
        .result.catch(({ taskName }) => seen.push(taskName as string))
    void guard('more')
    void guard('between')
    await time.advance(10)
    supervisor.submit(counted)
    await time.advance(10)
    expect(seen).toEqual([])
    supervisor.submit(counted)
    await time.advance(10)
    expect(seen.sort()).toEqual(['between', 'more'])
    supervisor.submit(counted)
    await time.advance(10)
    void guard('less')
    await time.advance(10)
    expect(seen).toHaveLength(2)
    supervisor.list({ name: 'counted', state: 'running' })[0]!.cancel()
    await time.advance(10)
    expect(seen).toHaveLength(3)
    expect(of('condition.failed')).toEqual([])
  })
})

describe('a crash of the program', () => {
  test('counts as not done, and not as a failure', async () => {
    const at = Date.UTC(2030, 0, 1, 5)
    const startAt = Date.UTC(2030, 0, 1, 6)
    const broken = { name: 'nightly', runId: '1', action: 'run', at, startedAt: at } as const
    const fields = { endedAt: undefined, runtimeMs: undefined, error: undefined }
    const { supervisor, clock: time } = await startedSupervisor({
      clock: new ManualClock({ startAt }),
      taskLog: { store: { load: () => [{ ...broken, ...fields }], append: () => {} } },
    })
    const nightly = taskOf(() => 1, { name: 'nightly' })
    const seen: string[] = []
    const ask = (name: string, condition: Condition) =>
      supervisor
        .submit(heldTask({ name, endCondition: condition }).task)
        .result.catch(({ taskName }) => seen.push(taskName as string))
    void ask('crashed', count(nightly, 'crash', { within: 'day', timezone: 'UTC' }))
    void ask('failed', count(nightly, 'failure', { within: 'day', timezone: 'UTC' }))
    await time.advance(10)
    expect(seen).toEqual(['crashed'])
  })
})

describe.each(['main', 'async', 'thread', 'process'] as const)('execution %s', (execution) => {
  test('is ended by its end condition, by the stop ladder', async () => {
    const { supervisor, clock: time, recorder } = await startedSupervisor()
    let over = false
    const run = supervisor.submit(waits, undefined, { execution, endCondition: () => over })
    await recorder.until(({ type, payload }) => type === 'task.progress' && payload.runId === run.id)
    over = true
    await time.advance(1_000)
    await expect(run.result).rejects.toMatchObject({
      code: 'ERR_TASK_TERMINATED',
      reason: 'endCondition',
      step: 'signal',
    })
    const never = supervisor.submit(waits, undefined, { execution, endCondition: () => over })
    await expect(never.result).rejects.toMatchObject({ reason: 'endCondition', step: 'none' })
  })
})

describe('workers', () => {
  test('make a pipeline: a task after another one, with its last result as parameter', async () => {
    const { supervisor } = await startedSupervisor()
    const source = echoTask<string>({ name: 'source' })
    const seen: unknown[] = []
    const sink = taskOf((_: undefined, ctx) => void seen.push(ctx.parameters.line), {
      parameters: { line: lastResult(source) },
    })
    supervisor.workers.event({ name: 'sink', task: sink, when: afterTask(source) })
    for (const line of ['one', 'two']) {
      await supervisor.submit(source, line).result
      await turns(5)
    }
    expect(seen).toEqual(['one', 'two'])
  })

  test('run a daily task once a day, again while its retries last, and not while it is live', async () => {
    const time = new ManualClock({ startAt: Date.UTC(2030, 0, 1, 6) })
    const { supervisor } = await startedSupervisor({ clock: time })
    const { task, calls } = heldTask({ when: daily({ after: '10:00', timezone: 'UTC', retries: 1 }) })
    supervisor.workers.event({ name: 'daily', task })
    await time.advance(4 * HOUR)
    expect(calls).toHaveLength(1)
    await time.advance(HOUR)
    calls[0]!.reject(new Error('x'))
    await turns(5)
    expect(calls).toHaveLength(2)
    calls[1]!.reject(new Error('x'))
    await time.advance(22 * HOUR)
    expect(calls).toHaveLength(2)
    await time.advance(HOUR)
    expect(calls).toHaveLength(3)
    calls[2]!.resolve()
    await time.advance(13 * HOUR)
    expect(calls).toHaveLength(3)
  })

  test('do not start again what ended before, when the supervisor starts anew inside the period', async () => {
    const record = (action: 'run' | 'success', at: number) => ({
      name: 'nightly',
      runId: '1',
      action,
      at,
      startedAt: at,
      endedAt: at,
      runtimeMs: 1,
      error: undefined,
    })
    const at = Date.UTC(2030, 0, 1, 5)
    const time = new ManualClock({ startAt: Date.UTC(2030, 0, 1, 6) })
    const records = [record('run', at), record('success', at + 1)]
    const store = { load: () => records, append: () => {} }
    const { task, calls } = heldTask({ name: 'nightly', when: daily({ timezone: 'UTC' }) })
    const { supervisor } = await startedSupervisor({ clock: time, taskLog: { store } })
    supervisor.workers.event({ name: 'nightly', task })
    await time.advance(17 * HOUR)
    expect(calls).toHaveLength(0)
    await time.advance(HOUR)
    expect(calls).toHaveLength(1)
    calls[0]!.resolve()
    await turns(5)
  })
})
