/** The small decisions of an inspector: pace, samples, quantiles, backlog, access, messages. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstAccess, isOwnHost, isOwnOrigin, isToken } from '../../src/runtime/inspector/access.ts'
import { costOf, nextFrameMs, onBacklog } from '../../src/runtime/inspector/pace.ts'
import { readMessage } from '../../src/runtime/inspector/page-message.ts'
import { nextSample, Recent, Speed, sampleOf } from '../../src/runtime/inspector/sampling.ts'
import { toStateValue } from '../../src/runtime/inspector/stately-messages.ts'
import { toJson } from '../../src/runtime/inspector/to-json.ts'

describe('pace', () => {
  test('at most ten frames a second, two when nothing happens, and never more than a twentieth of the time', () => {
    expect(nextFrameMs(true, 0)).toBe(100)
    expect(nextFrameMs(false, 0)).toBe(500)
    expect(nextFrameMs(true, 30)).toBe(600)
  })

  test('what a frame costs is what most of them do: a slow one delays few others, and none for good', () => {
    let cost = Array.from({ length: 20 }, () => 2).reduce(costOf, 0)
    expect(nextFrameMs(true, cost)).toBe(100)
    cost = costOf(cost, 60_000)
    expect(nextFrameMs(true, cost)).toBeLessThanOrEqual(11_000)
    cost = Array.from({ length: 10 }, () => 2).reduce(costOf, cost)
    expect(nextFrameMs(true, cost)).toBe(100)
  })

  test('a page that does not read is passed over, then closed', () => {
    expect(onBacklog(1_000, 0)).toBe('send')
    expect(onBacklog(2_000_000, 0)).toBe('skip')
    expect(onBacklog(2_000_000, 10_001)).toBe('close')
    expect(onBacklog(1_000, 99_999)).toBe('send')
  })
})

describe('samples', () => {
  test('tell all up to the bound, and never more than it', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        fc.integer({ min: 1, max: 1e5 }),
        (rate, most) => {
          const every = sampleOf(rate, most)
          expect(Math.log2(every) % 1).toBe(0)
          expect(rate / every).toBeLessThanOrEqual(most)
          if (every > 1) expect(rate / (every / 2)).toBeGreaterThan(most)
        },
      ),
    )
  })

  test('begin with what is too much for a second, or for one frame of a few', () => {
    expect(nextSample(1, { perFrame: 2_000, perSecond: 6_000 })).toBe(1)
    expect(nextSample(1, { perFrame: 600, perSecond: 6_001 })).toBe(2)
    expect(nextSample(1, { perFrame: 5_000, perSecond: 5_000 })).toBe(4)
    expect(nextSample(2, { perFrame: 100_000, perSecond: 6_000 })).toBe(64)
  })

  test('end step by step, when there is room for twice as much', () => {
    expect(nextSample(8, { perFrame: 0, perSecond: 0 })).toBe(4)
    expect(nextSample(2, { perFrame: 1_001, perSecond: 0 })).toBe(2)
    expect(nextSample(2, { perFrame: 1_000, perSecond: 3_000 })).toBe(1)
    expect(nextSample(1, { perFrame: 0, perSecond: 0 })).toBe(1)
  })

  test('speed is that of the last second', () => {
    const speed = new Speed()
    expect(speed.note(0, { runs: 0 })).toEqual({ runs: 0 })
    expect(speed.note(500, { runs: 100 })).toEqual({ runs: 200 })
    expect(speed.note(1_000, { runs: 100 })).toEqual({ runs: 100 })
    expect(speed.note(1_500, { runs: 100 })).toEqual({ runs: 0 })
    expect(speed.note(9_000, { runs: 100 })).toEqual({ runs: 0 })
  })

  test('quantiles are of the last values, and of those since an instant', () => {
    const recent = new Recent(100)
    expect(recent.quantiles(0)).toBeNull()
    for (let value = 1; value <= 300; value += 1) recent.add(value, value)
    expect(recent.quantiles(0)).toEqual({ p50: 250, p95: 295 })
    expect(recent.quantiles(291)).toEqual({ p50: 295, p95: 300 })
    expect(recent.quantiles(301)).toBeNull()
  })
})

describe('access', () => {
  const own = (host: string, names: string[] = []) => ({ host, names, token: 'x'.repeat(16) })

  test.each([
    ['127.0.0.1:80', '127.0.0.1', true],
    ['localhost:80', '127.0.0.1', true],
    ['LOCALHOST', '127.0.0.1', true],
    ['[::1]:80', '::1', true],
    ['127.1.2.3', '127.0.0.1', true],
    ['evil.example:80', '127.0.0.1', false],
    ['127.0.0.1.evil.example', '127.0.0.1', false],
    ['user@127.0.0.1', '127.0.0.1', false],
    ['10.0.0.1', '127.0.0.1', false],
    [undefined, '127.0.0.1', false],
    ['', '127.0.0.1', false],
    ['10.0.0.1:80', '0.0.0.0', true],
    ['evil.example', '0.0.0.0', false],
    ['box.example', 'box.example', true],
    ['given.example', '127.0.0.1', true],
  ])('a request for %s to a server at %s is for it: %s', (header, host, isFor) => {
    expect(isOwnHost(header, own(host, ['given.example']))).toBe(isFor)
  })

  test.each([
    [undefined, '127.0.0.1:80', true],
    ['http://127.0.0.1:8080', '127.0.0.1:8080', true],
    ['http://127.0.0.1:8081', '127.0.0.1:8080', false],
    ['http://localhost:8080', '127.0.0.1:8080', false],
    ['https://evil.example', '127.0.0.1:8080', false],
    ['null', '127.0.0.1:8080', false],
  ])('a socket from %s to %s is of its own page: %s', (origin, host, isOwn) => {
    expect(isOwnOrigin(origin, host)).toBe(isOwn)
  })

  test('only on this machine may one look without a token', () => {
    expect([firstAccess(own('127.0.0.1')), firstAccess(own('::1')), firstAccess(own('0.0.0.0'))]).toEqual([
      'look',
      'look',
      'none',
    ])
    expect(isToken('x'.repeat(16), own('0.0.0.0'))).toBe(true)
    expect(isToken('x'.repeat(17), own('0.0.0.0'))).toBe(false)
  })
})

describe('messages of a page', () => {
  test.each([
    { type: 'watch', expanded: {} },
    {
      type: 'watch',
      expanded: { pool: { offset: 0, limit: 50 } },
      filter: { text: '', states: ['queued'] },
      events: 'none',
    },
    { type: 'watch', expanded: {}, ids: ['task:1'], events: ['task:1'] },
    { type: 'login', id: 1, token: 'x' },
    { type: 'ask', id: 1, ask: 'tasks', of: 'queue', limit: 10, text: '', states: [] },
    { type: 'ask', id: 1, ask: 'task', of: 'supervisor', task: 'x', values: true },
    { type: 'ask', id: 0, ask: 'schedules' },
    { type: 'act', id: 1, act: 'cancel', of: 'queue', task: 'x', reason: '' },
    { type: 'act', id: 1, act: 'hold' },
  ])('%j is one', (message) => {
    expect(readMessage(JSON.stringify(message))).toEqual({ message })
  })

  test.each([
    '',
    '[]',
    'null',
    '1',
    '{}',
    '{"type":"constructor"}',
    '{"type":"hello"}',
    '{"type":"watch"}',
    '{"type":"watch","expanded":{"a":{"offset":-1,"limit":2}}}',
    '{"type":"watch","expanded":{"a":{"offset":0,"limit":1e400}}}',
    '{"type":"ask","id":1,"ask":"tasks"}',
    '{"type":"ask","id":1,"ask":"task","of":"queue"}',
    '{"type":"ask","id":1,"ask":"tasks","of":"queue","limit":501}',
    '{"type":"act","id":1,"act":"cancel","of":"queue"}',
    '{"type":"act","id":1,"act":"trigger"}',
    '{"type":"act","act":"hold"}',
    '{"type":"act","id":1,"act":"eval"}',
    '{"type":"login","id":1,"token":""}',
    '{"type":"login","id":1,"token":"x","more":1}',
  ])('%s is none', (text) => {
    expect(readMessage(text)).toEqual({ problem: expect.any(String) })
  })

  test('whatever comes is a message or a problem that fits a close frame', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), messageLike()), (text) => {
        const read = readMessage(text)
        if ('problem' in read) expect(Buffer.byteLength(read.problem)).toBeLessThanOrEqual(123)
        else expect(read.message.type).toMatch(/^(login|watch|ask|act)$/)
      }),
    )
  })
})

function messageLike(): fc.Arbitrary<string> {
  const value = fc.oneof(fc.jsonValue(), fc.string(), fc.constantFrom('tasks', 'queue', 'cancel', 1, 0))
  return fc
    .dictionary(
      fc.constantFrom('id', 'ask', 'act', 'of', 'task', 'token', 'expanded', 'filter', 'ids', 'é'.repeat(90)),
      value,
    )
    .chain((rest) =>
      fc.constantFrom('login', 'watch', 'ask', 'act').map((type) => JSON.stringify({ type, ...rest })),
    )
}

test.each([
  ['idle', 'idle'],
  ['running.executing', { running: 'executing' }],
  ['a.b.c', { a: { b: 'c' } }],
  ['a.x, b.y.z', { a: 'x', b: { y: 'z' } }],
  ['m.a.x, m.b.y', { m: { a: 'x', b: 'y' } }],
  ['a, b', { a: {}, b: {} }],
])('the path %s is the state value %j', (path, value) => {
  expect(toStateValue(path)).toEqual(value)
})

describe('values as JSON', () => {
  test.each([
    [undefined, null],
    [{ a: [1, 'x', null] }, { a: [1, 'x', null] }],
    [10n, '10n'],
    [new Map([['a', 1]]), { map: [['a', 1]] }],
    [{ at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    [() => {}, '[function ]'],
  ])('%s', (value, json) => {
    expect(toJson(value)).toEqual(json)
  })

  test('what holds itself is shown once, what is there twice is shown twice', () => {
    const shared = { x: 1 }
    const value: Record<string, unknown> = { one: shared, two: shared, deep: { shared } }
    value.self = value
    expect(toJson(value)).toEqual({ one: shared, two: shared, deep: { shared }, self: '[circular]' })
  })

  test('errors keep what they say, what throws when it is read is told as text, what is huge is cut', () => {
    expect(toJson(new TypeError('no'))).toMatchObject({ name: 'TypeError', message: 'no' })
    const broken = {
      get x(): never {
        throw new Error('never')
      },
    }
    expect(toJson(broken)).toBe('[object Object]')
    expect(toJson('x'.repeat(1_000_000))).toHaveLength(200_001)
  })
})
