import { describe, expect, test } from 'vitest'
import type { Condition, ConditionWindow } from '../../src/machines/condition.ts'
import type { FactKind, Facts, Stamp } from '../../src/machines/condition-facts.ts'
import { conditionText } from '../../src/machines/condition-text.ts'
import { evaluate, mentions, needsOwner, nextChangeAt } from '../../src/machines/index.ts'

const NOW = 1_000_000
const OWNER = { task: 'own' }
const WINDOW: ConditionWindow = { unit: 'day', from: '10:00', until: '12:00', timezone: undefined }

interface World {
  /** `own.run`: instants, oldest first. The order of all of them is their instant. */
  readonly records?: { readonly [taskAndKind: string]: readonly number[] }
  readonly failures?: number
  readonly running?: number
  readonly live?: number
  readonly open?: boolean
}

function world({ records = {}, failures = 0, running = 0, live = 0, open = false }: World = {}): Facts & {
  readonly errors: unknown[]
} {
  const errors: unknown[] = []
  const of = (task: string, kind: FactKind): readonly number[] => records[`${task}.${kind}`] ?? []
  const state = { inside: open, startAt: open ? NOW - 50 : undefined, changesAt: NOW + 70 }
  return {
    errors,
    now: NOW,
    last(task, kind): Stamp | undefined {
      const at = of(task, kind).at(-1)
      return at === undefined ? undefined : { at, mono: at, seq: 0 }
    },
    failures: (task) => (task === 'own' ? failures : 0),
    recent: (task, kind, since) => of(task, kind).filter((at) => at >= since),
    running: () => running,
    live: () => live,
    period: () => ({ startAt: NOW - 100, endAt: NOW + 200 }),
    window: () => state,
    crontime: () => state,
    failed: (error) => void errors.push(error),
  }
}

const afterTask = (outcome: 'success' | 'failure' | 'finish' | 'terminated', which: 'any' | 'all' = 'all') =>
  ({ kind: 'after', tasks: ['a', 'b'], outcome, which }) as const
const every = (since: 'run' | 'success' | 'failure' | 'finish') =>
  ({ kind: 'every', ms: 100, since }) as const
const once = (retries = 0, window?: ConditionWindow): Condition => ({
  kind: 'once',
  unit: 'day',
  timezone: undefined,
  window,
  retries,
})
const range = (atLeast: number, atMost: number, waiting = false): Condition => ({
  kind: 'running',
  task: 'a',
  atLeast,
  atMost,
  waiting,
})
const count = (record: 'run' | 'finish', within: 'day' | number, atLeast: number, atMost = Infinity) =>
  ({ kind: 'count', task: 'a', record, within, timezone: undefined, atLeast, atMost }) as const
const is = (value: boolean): Condition => ({ kind: 'function', test: () => value, recheckMs: 1_000 })
const broken: Condition = {
  kind: 'function',
  recheckMs: 1_000,
  test() {
    throw new Error('broken')
  },
}

const never = Number.POSITIVE_INFINITY
const table: [title: string, Condition, World, holds: boolean, changesAt?: number][] = [
  ['after all: nothing yet', afterTask('success'), {}, false],
  ['after all: one of two', afterTask('success'), { records: { 'a.success': [1] } }, false],
  [
    'after all: both, never run',
    afterTask('success'),
    { records: { 'a.success': [1], 'b.success': [2] } },
    true,
  ],
  [
    'after all: both, one of them before the own last run',
    afterTask('success'),
    { records: { 'a.success': [1], 'b.success': [3], 'own.run': [2] } },
    false,
  ],
  [
    'after any: one newer than the own last run',
    afterTask('success', 'any'),
    { records: { 'a.success': [1], 'b.success': [3], 'own.run': [2] } },
    true,
  ],
  [
    'after: at the same instant is not newer',
    afterTask('success', 'any'),
    { records: { 'a.success': [2], 'own.run': [2] } },
    false,
  ],
  [
    'after failure: not after a success',
    afterTask('failure', 'any'),
    { records: { 'a.success': [1] } },
    false,
  ],
  ['after failure', afterTask('failure', 'any'), { records: { 'a.failure': [1] } }, true],
  [
    'after finish: success or failure',
    afterTask('finish'),
    { records: { 'a.success': [1], 'b.failure': [1] } },
    true,
  ],
  [
    'after finish: not terminated, skipped or crashed',
    afterTask('finish', 'any'),
    { records: { 'a.terminated': [1], 'a.inaction': [1], 'a.crash': [1] } },
    false,
  ],
  ['after terminated', afterTask('terminated', 'any'), { records: { 'a.terminated': [1] } }, true],
  ['every: never yet', every('run'), {}, true],
  ['every: a moment ago', every('run'), { records: { 'own.run': [NOW - 99] } }, false, NOW + 1],
  ['every: exactly so long ago', every('run'), { records: { 'own.run': [NOW - 100] } }, true],
  ['every since success: failed since', every('success'), { records: { 'own.failure': [NOW] } }, true],
  [
    'every since finish: failed since',
    every('finish'),
    { records: { 'own.failure': [NOW] } },
    false,
    NOW + 100,
  ],
  ['every: not while it is live', every('run'), { live: 1 }, false],
  ['once: not yet', once(), {}, true, NOW + 200],
  ['once: before the period', once(), { records: { 'own.success': [NOW - 101] } }, true, NOW + 200],
  ['once: at its beginning', once(), { records: { 'own.success': [NOW - 100] } }, false, NOW + 200],
  ['once: skipped is done', once(), { records: { 'own.inaction': [NOW] } }, false, NOW + 200],
  ['once: terminated is done', once(), { records: { 'own.terminated': [NOW] } }, false, NOW + 200],
  ['once: failed is done', once(), { records: { 'own.failure': [NOW] } }, false, NOW + 200],
  ['once: failed with a retry', once(1), { records: { 'own.failure': [NOW] } }, true, NOW + 200],
  ['once: failed twice with one', once(1), { records: { 'own.failure': [NOW - 1, NOW] } }, false, NOW + 200],
  [
    'once: a crash is not done',
    once(),
    { records: { 'own.crash': [NOW], 'own.run': [NOW] } },
    true,
    NOW + 200,
  ],
  ['once: not while it is live', once(), { live: 1 }, false, NOW + 200],
  ['once in a closed window', once(0, WINDOW), {}, false, NOW + 70],
  ['once in an open window', once(0, WINDOW), { open: true }, true, NOW + 70],
  [
    'once in a window: done before it opened',
    once(0, WINDOW),
    { open: true, records: { 'own.success': [NOW - 51] } },
    true,
    NOW + 70,
  ],
  [
    'once in a window: done',
    once(0, WINDOW),
    { open: true, records: { 'own.success': [NOW - 50] } },
    false,
    NOW + 70,
  ],
  ['within: closed', { kind: 'within', window: WINDOW }, {}, false, NOW + 70],
  ['within: open', { kind: 'within', window: WINDOW }, { open: true }, true, NOW + 70],
  [
    'crontime: matches',
    { kind: 'crontime', expression: '* 10 * * *', timezone: undefined },
    { open: true },
    true,
    NOW + 70,
  ],
  ['retry: never failed', { kind: 'retry', times: 2 }, {}, false],
  ['retry: failed', { kind: 'retry', times: 2 }, { failures: 2 }, true],
  ['retry: too often', { kind: 'retry', times: 2 }, { failures: 3 }, false],
  ['retry: endless', { kind: 'retry', times: never }, { failures: 1_000 }, true],
  ['retry: not while it is live', { kind: 'retry', times: 2 }, { failures: 1, live: 1 }, false],
  ['running: none', range(1, never), {}, false],
  ['running: some', range(1, 2), { running: 2 }, true],
  ['running: too many', range(1, 2), { running: 3 }, false],
  ['running: waiting ones do not count', range(1, never), { running: 0, live: 5 }, false],
  ['running: unless asked to', range(5, never, true), { running: 0, live: 5 }, true],
  [
    'count: in the period',
    count('run', 'day', 2),
    { records: { 'a.run': [NOW - 101, NOW - 100, NOW] } },
    true,
    NOW + 200,
  ],
  [
    'count: too few in it',
    count('run', 'day', 3),
    { records: { 'a.run': [NOW - 101, NOW] } },
    false,
    NOW + 200,
  ],
  ['count: at most', count('run', 'day', 0, 1), { records: { 'a.run': [NOW, NOW] } }, false, NOW + 200],
  [
    'count: within a span, which its oldest leaves',
    count('finish', 100, 2),
    { records: { 'a.success': [NOW - 100, NOW - 30], 'a.failure': [NOW - 99] } },
    true,
    NOW + 1,
  ],
  ['function', is(true), {}, true, NOW + 1_000],
  ['not', { kind: 'not', condition: is(true) }, {}, false, NOW + 1_000],
  ['all: the first change of any', { kind: 'all', conditions: [is(true), once()] }, {}, true, NOW + 200],
  ['any', { kind: 'any', conditions: [is(false), is(true)] }, {}, true, NOW + 1_000],
]

describe('a condition', () => {
  test.each(table)('%s', (_title, condition, facts, holds, changesAt = never) => {
    const given = world(facts)
    expect(evaluate(condition, given, OWNER)).toBe(holds)
    expect(nextChangeAt(condition, given, OWNER)).toBe(changesAt)
    expect(given.errors).toEqual([])
    expect(conditionText(condition)).not.toBe('')
  })

  test('after is asked since another instant when the owner says so', () => {
    const facts = world({ records: { 'a.success': [5], 'own.run': [9] } })
    const condition = afterTask('success', 'any')
    expect(evaluate(condition, facts, OWNER)).toBe(false)
    expect(evaluate(condition, facts, { task: 'own', since: { mono: 4, seq: 0 } })).toBe(true)
    expect(evaluate(condition, facts, { task: undefined, since: { mono: 5, seq: 1 } })).toBe(false)
  })

  test('that speaks of its own task is false, and reported, without one', () => {
    const facts = world()
    expect(evaluate(once(), facts, { task: undefined })).toBe(false)
    expect(facts.errors).toHaveLength(1)
    expect([once(), every('run'), { kind: 'retry', times: 1 } as const].map(needsOwner)).toEqual([
      true,
      true,
      true,
    ])
    expect(needsOwner({ kind: 'any', conditions: [is(true), { kind: 'not', condition: once() }] })).toBe(true)
    expect(needsOwner({ kind: 'all', conditions: [afterTask('success'), range(1, 1)] })).toBe(false)
  })

  test.each([
    ['alone', broken, false],
    ['under not', { kind: 'not', condition: broken }, false],
    ['beside a true one in any', { kind: 'any', conditions: [broken, is(true)] }, true],
    ['beside a false one in any', { kind: 'any', conditions: [broken, is(false)] }, false],
    ['beside a true one in all', { kind: 'all', conditions: [broken, is(true)] }, false],
    [
      'beside a false one in all, under not',
      { kind: 'not', condition: { kind: 'all', conditions: [broken, is(false)] } },
      true,
    ],
  ] as [string, Condition, boolean][])(
    'that throws is neither true nor false: %s',
    (_title, condition, holds) => {
      const facts = world()
      expect(evaluate(condition, facts, OWNER)).toBe(holds)
      expect(facts.errors).toHaveLength(1)
    },
  )

  test.each([
    ['1', () => 1],
    ['yes', () => 'yes'],
    ['nothing', () => undefined],
    ['a promise', async () => true],
    ['a promise that rejects', () => Promise.reject(new Error('late'))],
  ])('function that returns no boolean but %s has thrown', (_title, answer) => {
    const facts = world()
    const condition: Condition = { kind: 'function', test: answer as never, recheckMs: 1 }
    expect(evaluate(condition, facts, OWNER)).toBe(false)
    expect(String(facts.errors[0])).toMatch(/true or false/)
  })

  test('says what it depends on, and how many records of it', () => {
    const whole: Condition = {
      kind: 'all',
      conditions: [count('run', 'day', 3), count('run', 1, 0, 7), afterTask('success'), once(4), is(true)],
    }
    expect([...mentions(whole, 'own')]).toEqual([
      ['a', 8],
      ['b', 1],
      ['own', 5],
    ])
    expect([...mentions(range(1, 1), 'own')]).toEqual([['a', 1]])
  })

  test('is written as one would write it', () => {
    const whole: Condition = {
      kind: 'any',
      conditions: [
        { kind: 'not', condition: afterTask('success') },
        once(2, WINDOW),
        { kind: 'within', window: { ...WINDOW, until: undefined, timezone: 'UTC' } },
        count('run', 60_000, 1),
        range(0, 2, true),
        every('run'),
      ],
    }
    expect(conditionText(whole)).toBe(
      'any(not(after(all of a, b: success)), daily(10:00 to 12:00, retries 2), within(day: after 10:00 in UTC), ' +
        'count(a run within 60000 ms: at least 1), live(a: 0 to 2), every(100 ms since run))',
    )
  })
})

describe('and, or, not', () => {
  /** Every tree of three leaves over true, false and a thrown error. */
  const leaves = [is(true), is(false), broken]
  const all = (...conditions: Condition[]): Condition => ({ kind: 'all', conditions })
  const any = (...conditions: Condition[]): Condition => ({ kind: 'any', conditions })
  const not = (condition: Condition): Condition => ({ kind: 'not', condition })
  const same = (one: Condition, other: Condition): void => {
    expect(evaluate(one, world(), OWNER)).toBe(evaluate(other, world(), OWNER))
    expect(evaluate(not(one), world(), OWNER)).toBe(evaluate(not(other), world(), OWNER))
  }

  test('keep the laws of logic, also where a part throws', () => {
    for (const a of leaves) {
      same(not(not(a)), a)
      same(all(a, a), a)
      same(any(a, a), a)
      for (const b of leaves) {
        same(all(a, b), all(b, a))
        same(any(a, b), any(b, a))
        same(not(all(a, b)), any(not(a), not(b)))
        same(not(any(a, b)), all(not(a), not(b)))
        same(all(a, any(a, b)), a)
        for (const c of leaves) {
          same(all(a, all(b, c)), all(a, b, c))
          same(any(a, any(b, c)), any(a, b, c))
          same(all(a, any(b, c)), any(all(a, b), all(a, c)))
        }
      }
    }
  })
})
