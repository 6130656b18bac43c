/** What the page makes of messages: charts, sequences, series, the picture, words. */
import { describe, expect, test } from 'vitest'
import { setup } from 'xstate'
import { machineJson } from '../../src/machines/machine-json.ts'
import { ANY, compactChart, readChart } from '../../src/page/model/chart-graph.ts'
import { clockTime, count, duration, instant, rate, relative, shortId } from '../../src/page/model/format.ts'
import { type LoggedEvent, Picture } from '../../src/page/model/picture.ts'
import { toSequence } from '../../src/page/model/sequence.ts'
import { Series, WINDOW_MS, windowOf } from '../../src/page/model/series.ts'
import { toneOf } from '../../src/page/model/tone.ts'
import type { Frame, Hello } from '../../src/runtime/inspector/messages.ts'
import { ACTORS } from './scene.ts'

const machine = setup({
  guards: { isLast: () => true },
  actions: { note: () => {}, tell: (_, _params: { to: string }) => {} },
}).createMachine({
  id: 'job',
  initial: 'waiting',
  on: { stop: '.ended' },
  states: {
    waiting: {
      entry: { type: 'tell', params: { to: 'log' } },
      on: { go: { target: 'working', actions: 'note' } },
    },
    working: {
      initial: 'one',
      on: { fail: { guard: 'isLast', target: 'ended' }, note: { actions: 'note' } },
      states: { one: { on: { next: 'two' } }, two: { on: { back: '#job.waiting' } } },
    },
    ended: { type: 'final' },
  },
})

describe('a chart', () => {
  const graph = readChart(machineJson(machine))

  test('has all states, and one more for what leads somewhere from everywhere', () => {
    expect(graph.states.map(({ path, kind, parent, isInitial }) => [path, kind, parent, isInitial])).toEqual([
      ['waiting', 'atomic', undefined, true],
      ['working', 'compound', undefined, false],
      ['working.one', 'atomic', 'working', true],
      ['working.two', 'atomic', 'working', false],
      ['ended', 'final', undefined, false],
      [ANY, 'any', undefined, false],
    ])
    expect(graph.states[0]?.entry).toEqual(['tell(log)'])
  })

  test('has an arrow for whatever changes the state', () => {
    expect(graph.arrows).toEqual([
      { from: ANY, to: 'ended', labels: [{ event: 'stop', guard: undefined, actions: [] }] },
      { from: 'waiting', to: 'working', labels: [{ event: 'go', guard: undefined, actions: ['note'] }] },
      { from: 'working', to: 'ended', labels: [{ event: 'fail', guard: 'isLast', actions: [] }] },
      { from: 'working.one', to: 'working.two', labels: [{ event: 'next', guard: undefined, actions: [] }] },
      { from: 'working.two', to: 'waiting', labels: [{ event: 'back', guard: undefined, actions: [] }] },
    ])
  })

  test('can be drawn without what is inside of its states', () => {
    const { states, arrows } = compactChart(graph)
    expect(states.map(({ path, kind, within }) => [path, kind, within])).toEqual([
      ['waiting', 'atomic', []],
      ['working', 'atomic', ['one', 'two']],
      ['ended', 'final', []],
      [ANY, 'any', []],
    ])
    expect(arrows.map(({ from, to, labels }) => [from, to, labels.map(({ event }) => event)])).toEqual([
      [ANY, 'ended', ['stop']],
      ['waiting', 'working', ['go']],
      ['working', 'ended', ['fail']],
      ['working', 'waiting', ['back']],
    ])
  })
})

describe('a sequence', () => {
  const event = (key: number, id: string, source: string): LoggedEvent => ({
    key,
    at: key,
    id,
    name: `${id}'s`,
    type: `event ${key}`,
    from: 'a',
    to: 'b',
    source,
  })
  const events = [
    event(1, 'a', 'user'),
    event(2, 'b', 'a'),
    event(3, 'b', 'clock'),
    event(4, 'c', 'b'),
    event(5, 'd', 'e'),
  ]

  test('has what is no actor on the left, and the actors as they came', () => {
    const { lifelines, arrows } = toSequence(events, 9, 9, (id) => `${id}?`)
    expect(lifelines.map(({ name }) => name)).toEqual(['user', 'clock', "a's", "b's", "c's", "d's", 'e?'])
    expect(arrows.map(({ from, to }) => [from, to])).toEqual([
      [0, 2],
      [2, 3],
      [1, 3],
      [3, 4],
      [6, 5],
    ])
  })

  test('puts those that took part least together', () => {
    const { lifelines, arrows } = toSequence(events, 3, 9, String)
    expect(lifelines.map(({ id }) => id)).toEqual(['a', 'b', 'others'])
    expect(arrows.map(({ from, to }) => [from, to])).toEqual([
      [2, 0],
      [0, 1],
      [2, 1],
      [1, 2],
      [2, 2],
    ])
  })

  test('shows the newest', () => {
    const { arrows } = toSequence(events, 9, 2, String)
    expect(arrows.map(({ event: { key } }) => key)).toEqual([4, 5])
  })
})

test('a series has a point a second, the last one of it, for as long as the window', () => {
  const series = new Series(['a'])
  series.add(1_000, { a: 1 })
  series.add(1_900, { a: 2 })
  series.add(2_000, { a: null })
  expect(series.times).toEqual([1, 2])
  expect(series.of('a')).toEqual([2, null])
  series.add(2_000 + WINDOW_MS, { a: 3 })
  expect(series.of('a')).toEqual([null, 3])
})

test('what is plotted is the shortest stretch of time that holds it', () => {
  expect([0, 60, 61, 121, 9_999].map(windowOf)).toEqual([60, 60, 120, 300, 300])
})

describe('the picture', () => {
  const hello = { now: 5 } as unknown as Hello
  const frame = (more: Partial<Frame>): Frame => ({
    type: 'frame',
    seq: 1,
    at: 10,
    sampled: 1,
    skipped: 0,
    ...more,
  })

  test('follows what came, changed and went', () => {
    const picture = new Picture()
    picture.begin(hello)
    picture.take(frame({ added: ACTORS }))
    picture.take(frame({ changed: [{ id: 'supervisor', state: 'draining' }], gone: ['child:parser'] }))
    expect(picture.roots).toEqual(['supervisor'])
    expect(picture.actors.get('supervisor')).toMatchObject({ name: 'shop', state: 'draining' })
    expect(picture.actors.size).toBe(ACTORS.length - 1)
  })

  test('keeps what a frame does not say', () => {
    const picture = new Picture()
    picture.begin(hello)
    picture.take(frame({ counts: { running: 3 }, pools: [], sampled: 4, skipped: 7 }))
    picture.take(frame({ skipped: 1 }))
    expect(picture).toMatchObject({ counts: { running: 3 }, sampled: 1, skipped: 8, at: 10 })
  })

  test('forgets all with another hello', () => {
    const picture = new Picture()
    picture.begin(hello)
    picture.take(frame({ added: ACTORS, counts: { running: 3 } }))
    picture.begin(hello)
    expect(picture).toMatchObject({ roots: [], counts: null, at: 5 })
    expect(picture.actors.size + picture.series.times.length).toBe(0)
  })
})

describe('words', () => {
  test.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [1_449, '1.4 s'],
    [9_999, '9.9 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [125_000, '2 min 5 s'],
    [12_000_000, '3 h 20 min'],
    [187_200_000, '2 d 4 h'],
  ])('%d ms is %s', (ms, words) => {
    expect(duration(ms)).toBe(words)
  })

  test.each([
    [7, '7'],
    [9_999, '9,999'],
    [12_345, '12.3k'],
    [20_000, '20k'],
    [1_250_000, '1.2M'],
  ])('%d is %s', (value, words) => {
    expect(count(value)).toBe(words)
  })

  test('rates, instants and ids', () => {
    expect([rate(0), rate(0.44), rate(12.4)]).toEqual(['0', '0.4', '12'])
    const at = new Date(2026, 2, 29, 4, 5, 6, 7).getTime()
    expect(clockTime(at)).toBe('04:05:06.007')
    expect([instant(at, at), instant(at, at + 86_400_000)]).toEqual(['04:05:06', '2026-03-29 04:05'])
    expect([relative(at, at + 500), relative(at + 95_000, at), relative(at - 7_200_000, at)]).toEqual([
      'now',
      'in 1 min',
      '2 h ago',
    ])
    expect(shortId('0195e1a0-7c3e-7000-8000-000000000001')).toBe('0195…000001')
  })

  test.each([
    ['running.executing', 'running'],
    ['running.stopping.signalled', 'stopping'],
    ['queued', 'waiting'],
    ['backingOff', 'later'],
    ['failed', 'bad'],
    ['finished', 'good'],
    ['cancelled', 'ended'],
    ['open', 'calm'],
  ])('%s is %s', (state, tone) => {
    expect(toneOf(state)).toBe(tone)
  })
})
