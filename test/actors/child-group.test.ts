/** Groups of children, laid out as OTP tests its supervisors: the cross product of the concepts. */
import { afterEach, describe, expect, test } from 'vitest'
import { GroupChild } from '../../src/actors/group-child.ts'
import type { ChildListener } from '../../src/actors/supervised.ts'
import { RESTART_TYPES, type RestartType, STRATEGIES, type Strategy } from '../../src/machines/restart.ts'
import { FakeChild, type FakeOptions, GroupBench } from '../support/fake-child.ts'
import { errorOf, thrownBy } from '../support/harness.ts'

const benches: GroupBench[] = []
afterEach(() => {
  for (const { group, errors, fakes } of benches.splice(0)) {
    for (const fake of fakes.values()) fake.manner = 'ends'
    group.stop()
    group.kill()
    for (const fake of fakes.values()) fake.exit({ kind: 'stopped' })
    expect(group.rests).toBe(true)
    expect(errors).toEqual([])
  }
})

function bench(...args: ConstructorParameters<typeof GroupBench>): GroupBench {
  const made = new GroupBench(...args)
  benches.push(made)
  return made
}

/** A group of `a`, `b`, `c`, `d` that runs. */
function running(strategy: Strategy, options: FakeOptions = {}, intensity = 3): GroupBench {
  const made = bench({ strategy, intensity })
  for (const id of ['a', 'b', 'c', 'd']) made.add(id, options)
  made.start()
  made.read()
  return made
}

const POSITIONS = { first: 'a', middle: 'b', last: 'd' } as const
const ENDS = ['ends by itself', 'fails', 'is stopped by request', 'is removed by request'] as const
const MATRIX = STRATEGIES.flatMap((strategy) =>
  RESTART_TYPES.flatMap((restart) =>
    ENDS.flatMap((end) =>
      (Object.keys(POSITIONS) as (keyof typeof POSITIONS)[]).map(
        (position) => [strategy, restart, position, end] as const,
      ),
    ),
  ),
)

const restarts = (restart: RestartType, end: (typeof ENDS)[number]): boolean =>
  (restart === 'permanent' && (end === 'ends by itself' || end === 'fails')) ||
  (restart === 'transient' && end === 'fails')

/** Those that an end takes along, in order of start. */
const taken = (strategy: Strategy, id: string): string[] => {
  const after = ['a', 'b', 'c', 'd'].filter((other) => other > id)
  if (strategy === 'one-for-one') return []
  return strategy === 'rest-for-one' ? after : ['a', 'b', 'c', 'd'].filter((other) => other !== id)
}

describe('a child that counts its restarts by itself', () => {
  const limits = { intensity: 1, periodMs: 1_000 }

  test.each(STRATEGIES)('is restarted alone, and given up alone: %s', async (strategy) => {
    const made = running(strategy, {}, 0)
    const { group, fakes, clock } = made
    made.add('own', { limits })
    made.read()
    const own = fakes.get('own')!
    const child = group.children.get('own')!
    own.crash()
    await clock.advance(10)
    expect([made.read(), child.state, child.restarts]).toEqual(['-own +own', 'running', 1])
    own.crash('again')
    await clock.advance(1_000)
    expect([made.read(), child.state, group.state]).toEqual(['-own', 'failed', 'running'])
    expect(own.givenUp).toMatchObject([{ code: 'spent', causes: ['again'] }])
    expect(await child.whenEnded()).toEqual({ kind: 'failed', error: 'again' })
    // Started by hand it may be restarted again.
    await child.start()
    own.crash()
    await clock.advance(10)
    expect([made.read(), child.state]).toEqual(['+own -own +own', 'running'])
  })

  test('counts only what is within its period', async () => {
    const { group, fakes, clock } = running('one-for-one')
    const made = new FakeChild('own', [], { limits })
    group.add(made)
    for (let i = 0; i < 3; i += 1) {
      made.crash()
      await clock.advance(1_000)
    }
    expect([group.children.get('own')?.state, made.givenUp, fakes.size]).toEqual(['running', [], 4])
  })
})

describe('strategy × restart type × position × end', () => {
  test.each(MATRIX)('%s: a %s child, the %s one, %s', async (strategy, restart, position, end) => {
    const { group, fakes, clock, ...made } = running(strategy, { restart })
    const id = POSITIONS[position]
    const child = group.children.get(id)!
    if (end === 'ends by itself') fakes.get(id)!.end()
    else if (end === 'fails') fakes.get(id)!.crash()
    else if (end === 'is stopped by request') await child.stop()
    else await child.remove()
    const siblings = taken(strategy, id)
    const asked = end.endsWith('request') ? `?${id} ` : ''
    const told = made.story.splice(0).join(' ')
    if (!restarts(restart, end)) {
      expect(told).toBe(`${asked}-${id}`)
      const listed = restart !== 'temporary' && end !== 'is removed by request'
      expect(group.children.has(id)).toBe(listed)
      const kept = end === 'ends by itself' ? 'done' : end === 'fails' ? 'failed' : 'stopped'
      if (listed) expect(child.state).toBe(kept)
      await clock.advance(1_000)
      expect(made.story).toEqual([])
      expect([...group.children.values()].filter(({ state }) => state === 'running')).toHaveLength(3)
      return
    }
    expect(told).toBe(
      [`-${id}`, ...siblings.toReversed().flatMap((other) => [`?${other}`, `-${other}`])].join(' '),
    )
    expect(child.state).toBe('backingOff')
    await clock.advance(9)
    expect(made.story).toEqual([])
    await clock.advance(1)
    expect(made.story.join(' ')).toBe(
      [id, ...siblings]
        .sort()
        .map((other) => `+${other}`)
        .join(' '),
    )
    expect([...group.children.values()].map(({ state }) => state)).toEqual(Array(4).fill('running'))
    expect(child.restarts).toBe(1)
  })
})

describe.each(STRATEGIES)('%s', (strategy) => {
  test.each(RESTART_TYPES)(
    'escalates when a %s child fails too often, unless it is temporary',
    async (restart) => {
      const made = running(strategy, { restart }, 2)
      for (let i = 0; i < 3; i += 1) {
        made.fakes.get('b')!.crash(`crash ${i}`)
        await made.clock.advance(10)
      }
      if (restart === 'temporary') {
        expect([made.group.state, made.escalations]).toEqual(['running', []])
        return
      }
      expect(made.escalations).toEqual(['group'])
      expect(made.exit).toMatchObject({
        kind: 'failed',
        error: { code: 'intensity', causes: ['crash 0', 'crash 1', 'crash 2'] },
      })
      expect(made.states).toEqual({ a: 'stopped', b: 'failed', c: 'stopped', d: 'stopped' })
      expect(made.read()).toMatch(/\?d -d \?c -c \?a -a$/)
      expect(made.clock.pending).toBe(0)
    },
  )

  test('allows any number of failures that are far enough apart', async () => {
    const made = running(strategy, {}, 1)
    for (let i = 0; i < 20; i += 1) {
      made.fakes.get('c')!.crash()
      await made.clock.advance(1_000)
    }
    expect([made.group.state, made.group.children.get('c')!.restarts]).toEqual(['running', 20])
  })

  test('with intensity 0 gives up at the first failure', () => {
    const made = running(strategy, {}, 0)
    made.fakes.get('c')!.crash()
    expect([made.group.state, made.exit?.kind]).toEqual(['failed', 'failed'])
  })

  test('a stop at any moment of a recovery ends it, and leaves no timer', async () => {
    for (const after of [0, 5, 10, 11]) {
      const made = running(strategy)
      made.fakes.get('a')!.crash()
      await made.clock.advance(after)
      made.group.stop()
      expect(made.exit).toEqual({ kind: 'stopped' })
      await made.clock.advance(1_000)
      expect([made.group.state, made.clock.pending]).toEqual(['stopped', 0])
      expect([...made.fakes.values()].some(({ lives }) => lives)).toBe(false)
      expect(new Set(Object.values(made.states))).toEqual(new Set(['stopped']))
    }
  })

  test.each(['start', 'restart'] as const)(
    "a %s by hand that fails is its caller's: it rests, and counts for nothing",
    async (call) => {
      const bench = new GroupBench({ intensity: 0, strategy })
      const a = bench.add('a', { ready: false })
      bench.add('b')
      bench.start()
      a.comeUp()
      const child = bench.group.children.get('a')!
      if (call === 'start') await child.stop()
      const started = child[call]()
      // It lives until it says that it cannot.
      await bench.clock.advance(0)
      expect(child.state).toBe('starting')
      a.crash()
      expect(await errorOf(started)).toMatchObject({ code: 'startFailed' })
      expect(await child.whenEnded()).toEqual({ kind: 'failed', error: 'a crashed' })
      await bench.clock.advance(10_000)
      expect([bench.states, bench.group.state, bench.escalations]).toEqual([
        { a: 'failed', b: 'running' },
        'running',
        [],
      ])
      // Once it is up, its end is a crash like any other.
      const again = child.start()
      a.comeUp()
      await again
      a.crash()
      expect(bench.group.state).not.toBe('running')
    },
  )

  test("one that is added to a running group and fails later is its adder's, too", async () => {
    const bench = new GroupBench({ intensity: 0, strategy }).start()
    const a = bench.add('a', { ready: false })
    a.crash()
    await bench.clock.advance(10_000)
    expect([bench.states, bench.group.state, bench.clock.pending]).toEqual([{ a: 'failed' }, 'running', 0])
  })

  test('a start by hand while it waits for its restart only hastens that', async () => {
    const bench = new GroupBench({ intensity: 1, strategy })
    const a = bench.add('a')
    bench.start()
    a.crash()
    a.failing = 1
    expect(await errorOf(bench.group.children.get('a')!.start())).toMatchObject({ code: 'startFailed' })
    expect(bench.group.state).toBe('failed')
  })

  test('a child that fails to start again is tried again, within the intensity', async () => {
    const made = running(strategy, {}, 3)
    made.fakes.get('b')!.failing = 2
    made.fakes.get('b')!.crash()
    await made.clock.advance(10)
    expect(made.states.b).toBe('backingOff')
    await made.clock.advance(20)
    expect(Object.values(made.states)).toEqual(Array(4).fill('running'))
    made.fakes.get('b')!.failing = 9
    made.fakes.get('b')!.crash()
    await made.clock.advance(10)
    expect(made.exit?.kind).toBe('failed')
  })
})

describe('rest-for-one', () => {
  test('an earlier sibling that fails while others recover takes more along', async () => {
    const made = running('rest-for-one')
    made.fakes.get('c')!.crash()
    expect(made.read()).toBe('-c ?d -d')
    await made.clock.advance(5)
    made.fakes.get('a')!.crash()
    expect(made.read()).toBe('-a ?b -b')
    await made.clock.advance(9)
    expect(made.read()).toBe('')
    await made.clock.advance(1)
    expect(made.read()).toBe('+a +b +c +d')
    expect(made.group.state).toBe('running')
  })

  test('an earlier sibling that fails while a later one is being stopped widens the stop', async () => {
    const made = running('rest-for-one')
    made.fakes.get('d')!.manner = 'waits'
    made.fakes.get('c')!.crash()
    made.fakes.get('a')!.crash()
    expect(made.read()).toBe('-c ?d -a')
    made.fakes.get('d')!.exit({ kind: 'stopped' })
    expect(made.read()).toBe('-d ?b -b')
    await made.clock.advance(10)
    expect(made.read()).toBe('+a +b +c +d')
  })
})

describe('one-for-all', () => {
  test('what fails while it waits to be stopped costs no restart of its own', async () => {
    const made = running('one-for-all', {}, 1)
    made.fakes.get('d')!.manner = 'waits'
    made.fakes.get('b')!.crash()
    made.fakes.get('a')!.crash()
    expect(made.group.state).toBe('recovering')
    made.fakes.get('d')!.exit({ kind: 'stopped' })
    await made.clock.advance(10)
    expect(Object.values(made.states)).toEqual(Array(4).fill('running'))
  })

  test('a temporary sibling is taken along and not started again', async () => {
    const made = bench({ strategy: 'one-for-all' })
    made.add('a')
    made.add('t', { restart: 'temporary' })
    made.add('c')
    made.start().read()
    made.fakes.get('a')!.crash()
    await made.clock.advance(10)
    expect(made.read()).toBe('-a ?c -c ?t -t +a +c')
    expect(made.states).toEqual({ a: 'running', c: 'running' })
  })

  test('who rested when it began rests afterwards', async () => {
    const made = running('one-for-all', { restart: 'transient' })
    made.fakes.get('b')!.end()
    await made.group.children.get('c')!.stop()
    made.fakes.get('a')!.crash()
    await made.clock.advance(10)
    expect(made.states).toEqual({ a: 'running', b: 'done', c: 'stopped', d: 'running' })
  })

  test('a sibling that hangs is killed when its time is over', async () => {
    const made = running('one-for-all')
    made.fakes.get('d')!.manner = 'waits'
    made.fakes.get('a')!.crash()
    await made.clock.advance(99)
    expect(made.read()).toBe('-a ?d')
    await made.clock.advance(1)
    expect(made.read()).toBe('xd -d ?c -c ?b -b')
  })

  test('somebody who stops a held child keeps it from coming back', async () => {
    const made = running('one-for-all')
    made.fakes.get('a')!.crash()
    await made.group.children.get('b')!.stop()
    await made.group.children.get('c')!.remove()
    await made.clock.advance(10)
    expect(made.states).toEqual({ a: 'running', b: 'stopped', d: 'running' })
  })
})

describe('start', () => {
  test('is in order, each child when the one before is up', () => {
    const made = bench()
    for (const id of ['a', 'b', 'c']) made.add(id, { ready: id === 'c' })
    made.start()
    expect([made.read(), made.isUp]).toEqual(['+a', false])
    made.fakes.get('a')!.comeUp()
    expect(made.read()).toBe('+b')
    made.fakes.get('b')!.comeUp()
    expect([made.read(), made.isUp, made.group.state]).toEqual(['+c', true, 'running'])
  })

  test('of no children is up at once', () => {
    expect(bench().start().isUp).toBe(true)
  })

  test.each(['a', 'b', 'c'])('that fails at %s stops in reverse what was up, and starts no more', (id) => {
    const made = bench()
    for (const other of ['a', 'b', 'c']) made.add(other)
    made.fakes.get(id)!.failing = 1
    made.start()
    const before = ['a', 'b', 'c'].filter((other) => other < id)
    const stops = before.toReversed().flatMap((other) => [`?${other}`, `-${other}`])
    expect(made.read()).toBe([...before.map((other) => `+${other}`), `+${id}`, `-${id}`, ...stops].join(' '))
    expect([made.isUp, made.group.state, made.exit]).toMatchObject([
      false,
      'failed',
      { kind: 'failed', error: { code: 'startFailed', message: expect.stringContaining(id) } },
    ])
    made.start()
    expect([made.isUp, made.exit]).toEqual([true, undefined])
  })

  test('fails, too, when a child fails later, but before it is up', () => {
    const made = bench()
    made.add('a')
    made.add('b', { ready: false })
    made.start().read()
    made.fakes.get('b')!.crash()
    expect([made.read(), made.exit?.kind]).toEqual(['-b ?a -a', 'failed'])
  })

  test('goes on when a child that was up fails: it is restarted by its type', async () => {
    const made = bench()
    made.add('a')
    made.add('b', { ready: false })
    made.add('c')
    made.start().read()
    made.fakes.get('a')!.crash()
    await made.clock.advance(10)
    expect(made.read()).toBe('-a +a')
    made.fakes.get('b')!.comeUp()
    expect([made.read(), made.isUp]).toEqual(['+c', true])
  })

  test('under one-for-all recovers first when a child that was up fails', async () => {
    const made = bench({ strategy: 'one-for-all' })
    made.add('a')
    made.add('b', { ready: false })
    made.add('c')
    made.start().read()
    made.fakes.get('a')!.crash()
    expect(made.read()).toBe('-a ?b -b')
    await made.clock.advance(10)
    made.fakes.get('b')!.comeUp()
    expect([made.read(), made.isUp]).toEqual(['+a +b +c', true])
  })

  test('that is stopped in the middle stops what was started, in reverse', () => {
    const made = bench()
    made.add('a')
    made.add('b', { ready: false })
    made.add('c')
    made.start().read()
    made.group.stop()
    expect([made.read(), made.exit, made.isUp]).toEqual(['?b -b ?a -a', { kind: 'stopped' }, false])
    expect(made.states).toEqual({ a: 'stopped', b: 'stopped', c: 'stopped' })
  })

  test('after a stop starts all anew, but nobody whom somebody stopped', async () => {
    const made = running('one-for-one', { restart: 'transient' })
    await made.group.children.get('b')!.stop()
    made.fakes.get('c')!.end()
    made.group.stop()
    made.read()
    made.start()
    expect(made.read()).toBe('+a +c +d')
    await made.group.children.get('b')!.start()
    expect(made.read()).toBe('+b')
  })
})

describe('stop', () => {
  test('is in reverse, one after the other, each within its own time', async () => {
    const made = bench()
    made.add('a', { shutdownMs: 30 })
    made.add('b', { manner: 'waits', shutdownMs: 50 })
    made.add('c', { manner: 'waits', shutdownMs: Number.POSITIVE_INFINITY })
    made.start().read()
    made.group.stop()
    await made.clock.advance(86_400_000)
    expect(made.read()).toBe('?c')
    made.fakes.get('c')!.exit({ kind: 'stopped' })
    await made.clock.advance(49)
    expect(made.read()).toBe('-c ?b')
    await made.clock.advance(1)
    expect(made.read()).toBe('xb -b ?a -a')
    expect(made.exit).toEqual({ kind: 'stopped' })
    expect(made.news.slice(-3)).toEqual(['c stopped none 86400000', 'b stopped kill 50', 'a stopped none 0'])
  })

  test('with shutdownMs 0 kills without asking', () => {
    const made = bench()
    made.add('a', { shutdownMs: 0, manner: 'waits' })
    made.start().read()
    made.group.stop()
    expect(made.read()).toBe('xa -a')
  })

  test('that is hurried tells all that are left, in reverse', () => {
    const made = running('one-for-one', { manner: 'waits' })
    made.group.stop()
    made.group.hurry()
    made.group.hurry()
    expect(made.read()).toBe('?d >d ?c >c ?b >b ?a >a')
    for (const id of ['a', 'c', 'd']) made.fakes.get(id)!.exit({ kind: 'stopped' })
    expect(made.exit).toBeUndefined()
    made.fakes.get('b')!.exit({ kind: 'stopped' })
    expect(made.exit).toEqual({ kind: 'stopped' })
    expect(made.news.at(-1)).toBe('b stopped signal 0')
  })

  test('that is killed ends all that are left, at once', () => {
    const made = running('one-for-one', { manner: 'waits' })
    made.group.stop()
    made.group.kill()
    expect([made.exit, made.clock.pending]).toEqual([{ kind: 'stopped' }, 0])
    expect(made.read()).toContain('xd -d')
  })

  test.each(['idle', 'running', 'stopped', 'failed'])('is accepted by a group that is %s', (state) => {
    const made = running('one-for-one', {}, 0)
    if (state === 'stopped') made.group.stop()
    if (state === 'failed') made.fakes.get('a')!.crash()
    const { group } = state === 'idle' ? bench() : made
    expect(group.state).toBe(state)
    group.stop()
    group.stop()
    group.kill()
    expect(group.state).toBe('stopped')
  })

  test('during an escalation turns it into a stop', () => {
    const made = running('one-for-one', { manner: 'waits' }, 0)
    made.fakes.get('a')!.crash()
    expect(made.group.state).toBe('escalating')
    made.group.stop()
    made.group.kill()
    expect([made.group.state, made.exit]).toEqual(['stopped', { kind: 'stopped' }])
  })

  test('a child that ends by itself before its turn is not followed', () => {
    const made = running('one-for-one')
    made.fakes.get('d')!.manner = 'waits'
    made.group.stop()
    made.fakes.get('b')!.crash()
    made.fakes.get('c')!.end()
    made.fakes.get('d')!.exit({ kind: 'stopped' })
    expect(made.read()).toBe('?d -b -c -d ?a -a')
    expect(made.states).toEqual({ a: 'stopped', b: 'failed', c: 'done', d: 'stopped' })
  })
})

describe('a child', () => {
  test('waits longer the more often it fails in a row, and not after it lived for a period', async () => {
    const made = bench({ intensity: 10, backoff: { kind: 'linear', initialMs: 100, jitter: 'none' } })
    const fake = made.add('a')
    made.start()
    const delays: string[] = []
    const crash = async (): Promise<void> => {
      fake.crash()
      delays.push(made.news.at(-1)!)
      await made.clock.advance(1_000)
    }
    for (let i = 0; i < 3; i += 1) await crash()
    await made.clock.advance(1_000)
    await crash()
    expect(delays).toEqual([100, 200, 300, 100].map((ms) => `a restarting ${ms}`))
  })

  test('is restarted on request without a wait and without a count', async () => {
    const made = running('one-for-all', {}, 0)
    const child = made.group.children.get('b')!
    await child.restart()
    expect([made.read(), child.state, child.restarts, made.group.state]).toEqual([
      '?b -b +b',
      'running',
      1,
      'running',
    ])
  })

  test('that backs off is started at once by a start or restart, and not at all after a stop', async () => {
    const made = running('one-for-one', {}, 4)
    for (const call of ['start', 'restart', 'stop', 'remove'] as const) {
      const id = { start: 'a', restart: 'b', stop: 'c', remove: 'd' }[call]
      made.fakes.get(id)!.crash()
      await made.group.children.get(id)![call]()
    }
    expect(made.read()).toBe('-a +a -b +b -c -d')
    await made.clock.advance(1_000)
    expect([made.read(), made.clock.pending]).toEqual(['', 0])
  })

  test('that is stopped while it restarts, or removed while it stops, obeys the later word', async () => {
    const made = running('one-for-one', { manner: 'waits' })
    const { a, b } = Object.fromEntries(made.group.children)
    const restarted = a!.restart()
    const stopped = a!.stop()
    made.fakes.get('a')!.exit({ kind: 'stopped' })
    await expect(restarted).rejects.toMatchObject({ code: 'startFailed' })
    await stopped
    void b!.stop()
    const removed = b!.remove()
    void b!.start()
    made.fakes.get('b')!.exit({ kind: 'stopped' })
    await removed
    expect(made.states).toEqual({ a: 'stopped', c: 'running', d: 'running' })
    expect(thrownBy(() => b!.start())).toMatchObject({ code: 'unknown' })
  })

  test('that is started while it stops lives again after its end', async () => {
    const made = running('one-for-one', { manner: 'waits' })
    const a = made.group.children.get('a')!
    void a.stop()
    const started = a.start()
    made.fakes.get('a')!.exit({ kind: 'stopped' })
    await started
    expect([a.state, made.read()]).toEqual(['running', '?a -a +a'])
  })

  test('is not disturbed by what an earlier life of it says', () => {
    const made = bench()
    const listeners: { ready(): void; exited(exit: { kind: 'failed'; error: unknown }): void }[] = []
    const child = made.group.add({
      id: 'late',
      kind: 'actor',
      restart: 'permanent',
      shutdownMs: 0,
      actor: () => undefined,
      start(listener) {
        listeners.push(listener)
        listener.ready()
        return { stop() {}, hurry() {}, kill: () => listener.exited({ kind: 'stopped' } as never) }
      },
    })
    made.start()
    void child.restart()
    expect([listeners.length, child.state]).toEqual([2, 'running'])
    listeners[0]!.exited({ kind: 'failed', error: 'late' })
    listeners[0]!.ready()
    expect(child.state).toBe('running')
    listeners[1]!.exited({ kind: 'failed', error: 'now' })
    listeners[1]!.exited({ kind: 'failed', error: 'twice' })
    expect([child.state, made.news.filter((line) => line.includes('failed'))]).toEqual([
      'backingOff',
      ['late failed now'],
    ])
  })

  test('whose start throws has failed', async () => {
    const made = bench()
    made.start()
    const spec = { id: 'x', kind: 'actor', restart: 'permanent', shutdownMs: 0 } as const
    const start = (): never => {
      throw new Error('thrown')
    }
    expect(thrownBy(() => made.group.add({ ...spec, start, actor: () => undefined }))).toMatchObject({
      code: 'startFailed',
      causes: [{ message: 'thrown' }],
    })
    expect(made.states).toEqual({})
  })

  test('says how it ended, once nothing follows', async () => {
    const made = running('one-for-one', { restart: 'transient' })
    const { a, b, c, d } = Object.fromEntries(made.group.children)
    const ends = [a!, b!, c!, d!].map((child) => child.whenEnded())
    made.fakes.get('a')!.end()
    made.fakes.get('b')!.crash('once')
    await made.clock.advance(10)
    void c!.stop()
    made.group.stop()
    expect(await Promise.all(ends)).toEqual([
      { kind: 'done', output: 'a' },
      { kind: 'stopped' },
      { kind: 'stopped' },
      { kind: 'stopped' },
    ])
  })
})

describe('a group at work', () => {
  test('takes children, and lists no id twice', () => {
    const made = running('one-for-one')
    made.add('e')
    expect(made.read()).toBe('+e')
    expect(thrownBy(() => made.add('e')).code).toBe('idTaken')
  })

  test('takes one that its start adds another to, and knows their failures apart', () => {
    const made = bench()
    made.start()
    const outer = {
      id: 'outer',
      kind: 'actor',
      restart: 'permanent',
      shutdownMs: 0,
      actor: () => undefined,
      start(listener: ChildListener) {
        made.add('inner')
        listener.exited({ kind: 'failed', error: 'no start' })
        return { stop() {}, hurry() {}, kill() {} }
      },
    } as const
    expect(thrownBy(() => made.group.add(outer)).code).toBe('startFailed')
    expect([[...made.group.children.keys()], made.news]).toEqual([['inner'], ['inner started']])
  })

  test('takes none while it stops or gives up', () => {
    const made = running('one-for-one', { manner: 'waits' }, 0)
    made.fakes.get('a')!.crash()
    expect(thrownBy(() => made.add('e')).code).toBe('stopped')
    made.group.stop()
    expect(thrownBy(() => made.add('e')).code).toBe('stopped')
    expect(thrownBy(() => made.group.children.get('a')!.start()).code).toBe('stopped')
  })

  test('starts in its turn what is added while it starts or recovers', async () => {
    const made = bench({ strategy: 'one-for-all' })
    made.add('a', { ready: false })
    made.start()
    made.add('b')
    expect(made.read()).toBe('+a')
    made.fakes.get('a')!.comeUp()
    expect([made.read(), made.isUp]).toEqual(['+b', true])
    made.fakes.get('b')!.crash()
    made.add('c')
    expect(made.states.c).toBe('waiting')
    await made.clock.advance(10)
    made.add('d')
    made.fakes.get('a')!.comeUp()
    expect(made.read()).toBe('-b ?a -a +a +b +c +d')
  })

  test('a child may be listed without being wanted', async () => {
    const made = bench()
    const child = made.group.add(new FakeChild('later', made.story), false)
    made.start()
    expect([made.isUp, child.state, made.read()]).toEqual([true, 'waiting', ''])
    await child.start()
    expect(child.state).toBe('running')
  })
})

describe('nested groups', () => {
  test('escalate to the group above, which restarts them, until it gives up, too', async () => {
    const made = bench({ intensity: 1 })
    const inner = made.makeGroup('inner', 'inner', { intensity: 1 })
    made.group.add(new GroupChild(inner, { restart: 'permanent', shutdownMs: Number.POSITIVE_INFINITY }))
    made.add('other')
    const leaf = made.add('leaf', {}, inner)
    made.start()
    expect(made.read()).toBe('+leaf +other')
    for (let i = 0; i < 4; i += 1) {
      leaf.crash(i)
      await made.clock.advance(20)
    }
    expect(made.escalations).toEqual(['inner', 'inner', 'group'])
    expect(made.exit).toMatchObject({
      kind: 'failed',
      error: { code: 'intensity', causes: [{ causes: [0, 1] }, { causes: [2, 3] }] },
    })
    expect(made.states).toEqual({ inner: 'failed', other: 'stopped' })
  })

  test('start and stop in order as one child, hurry and kill reach them', () => {
    const made = bench()
    made.add('before')
    const inner = made.makeGroup('inner', 'inner')
    made.group.add(new GroupChild(inner, { restart: 'permanent', shutdownMs: Number.POSITIVE_INFINITY }))
    for (const id of ['a', 'b']) made.add(id, { manner: 'waits' }, inner)
    made.add('after')
    made.start()
    expect(made.read()).toBe('+before +a +b +after')
    made.group.stop()
    expect(made.read()).toBe('?after -after ?b')
    made.group.hurry()
    expect(made.read()).toBe('>b ?a >a ?before -before')
    made.group.kill()
    expect([made.read(), made.exit]).toEqual(['xb -b xa -a', { kind: 'stopped' }])
  })

  test('one that cannot start fails the start of the whole', () => {
    const made = bench()
    made.add('before')
    const inner = made.makeGroup('inner', 'inner')
    made.group.add(new GroupChild(inner, { restart: 'permanent', shutdownMs: 0 }))
    made.add('leaf', {}, inner).failing = 1
    made.start()
    expect(made.read()).toBe('+before +leaf -leaf ?before -before')
    expect(made.exit).toMatchObject({ kind: 'failed', error: { code: 'startFailed' } })
  })
})
