/** Groups under any sequence of crashes, calls and time: what is said always holds, and nobody is forgotten. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ChildGroup } from '../../src/actors/child-group.ts'
import { GroupChild } from '../../src/actors/group-child.ts'
import { RESTART_TYPES, STRATEGIES } from '../../src/machines/restart.ts'
import { type FakeChild, type FakeOptions, GroupBench } from '../support/fake-child.ts'
import { turns } from '../support/turns.ts'

const pick = fc.nat(20)
const command = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('crash' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('end', 'comeUp', 'say' as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('stop', 'start', 'restart', 'remove' as const), pick }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      restart: fc.constantFrom(...RESTART_TYPES),
      ready: fc.boolean(),
      manner: fc.constantFrom('ends', 'waits' as const),
      inner: fc.boolean(),
      isOutside: fc.boolean(),
      limits: fc.option(fc.record({ intensity: fc.nat(2), periodMs: fc.constantFrom(50, 100_000) }), {
        nil: undefined,
      }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(60) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('groupStop', 'hurry', 'kill', 'groupStart', 'removeInner' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('failNext' as const), pick }) },
)

type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never

class Walk {
  /** Those that said by themselves that they were stopped: they rest until somebody starts them. */
  readonly said: Set<string | undefined> = new Set()
  readonly bench: GroupBench
  readonly inner: ReturnType<GroupBench['makeGroup']>
  readonly #waits: Set<Promise<unknown>> = new Set()
  readonly #outside: FakeChild[] = []
  #ids = 0

  constructor(policy: ConstructorParameters<typeof GroupBench>[0]) {
    this.bench = new GroupBench(policy)
    this.inner = this.bench.makeGroup('inner', 'inner', policy)
    this.bench.add('a')
    this.bench.group.add(
      new GroupChild(this.inner, { restart: 'permanent', shutdownMs: Number.POSITIVE_INFINITY }),
    )
    this.bench.add('b', {}, this.inner)
    this.bench.add('c')
    this.bench.start()
  }

  async run(what: Command): Promise<void> {
    const { bench } = this
    const fakes = [...bench.fakes.values()]
    const fake = 'pick' in what ? fakes[what.pick % fakes.length]! : undefined
    const child = [bench.group, this.inner].map(({ children }) => children.get(fake?.id ?? '')).find(Boolean)
    try {
      if (what.do === 'crash') fake!.crash()
      else if (what.do === 'end') fake!.end()
      else if (what.do === 'comeUp') fake!.comeUp()
      else if (what.do === 'say') {
        this.said.add(fake?.id)
        fake!.exit({ kind: 'stopped' })
      } else if (what.do === 'failNext') fake!.failing += 1
      else if (what.do === 'add') this.add(what, what.inner ? this.inner : bench.group)
      else if (what.do === 'advance') await bench.clock.advance(what.ms)
      else if (what.do === 'groupStop') bench.group.stop()
      else if (what.do === 'hurry') bench.group.hurry()
      else if (what.do === 'kill') bench.group.kill()
      else if (what.do === 'groupStart') {
        if (bench.group.rests) bench.start()
      } else if (what.do === 'removeInner') this.await(bench.group.children.get('inner')?.remove())
      else {
        const isRefused =
          what.do !== 'stop' &&
          what.do !== 'remove' &&
          child?.group.state === 'running' &&
          child.rests &&
          child.state !== 'removed' &&
          fake!.failing > 0
        this.await(child?.[what.do as 'stop']() as Promise<unknown> | undefined)
        // Who started it is told: it is not tried again, and nobody else notices.
        if (isRefused) {
          const rests = child.restartType === 'temporary' ? 'removed' : 'failed'
          expect([child.state, child.group.state]).toEqual([rests, 'running'])
        }
      }
    } catch (error) {
      // What is refused is refused with an error of its own.
      expect(['idTaken', 'unknown', 'stopped', 'startFailed']).toContain((error as { code?: string }).code)
    }
    this.check()
  }

  /** What runs elsewhere is listed at the top, before its end. */
  add(options: FakeOptions, group: ChildGroup): void {
    const isOutside = options.isOutside === true && group === this.bench.group && !group.rests
    const fake = this.bench.add(`n${++this.#ids}`, { ...options, isOutside }, group)
    if (isOutside) this.#outside.push(fake)
  }

  /** Whoever waits hears in the end. */
  await(call: Promise<unknown> | undefined): void {
    if (call === undefined) return
    const heard = (): void => void this.#waits.delete(call)
    this.#waits.add(call)
    call.then(heard, heard)
  }

  check(): void {
    const { bench, inner } = this
    expect(bench.errors).toEqual([])
    if (inner.state === 'removed') expect([inner.children.size, inner.rests]).toEqual([0, true])
    for (const group of [bench.group, inner]) {
      for (const [id, child] of group.children) {
        const fake = bench.fakes.get(id)
        if (fake !== undefined) {
          expect([id, fake.lives]).toEqual([id, child.lives])
          // Who rests has been told, and nobody else has.
          if (child.state !== 'waiting') expect([id, fake.isSettled]).toEqual([id, child.rests])
        }
        expect(child.state).not.toBe('removed')
        // What has ended for good and is temporary is listed no longer.
        if (child.restartType === 'temporary')
          expect(['done', 'failed', 'stopped']).not.toContain(child.state)
      }
      if (!group.rests) continue
      for (const child of group.children.values()) expect([child.id, child.rests]).toEqual([child.id, true])
    }
    if (bench.group.rests) expect(bench.clock.pending).toBe(0)
    expect(bench.exit === undefined || bench.group.rests).toBe(true)
  }

  /** Everybody does as they are told from now on. */
  async settle(): Promise<void> {
    const { bench } = this
    for (let i = 0; i < 60; i += 1) {
      for (const fake of bench.fakes.values()) {
        fake.manner = 'ends'
        fake.ready = true
        fake.failing = 0
        fake.comeUp()
      }
      await bench.clock.advance(200)
    }
    this.check()
  }
  /** Held, waiting or half started for ever: somebody would have forgotten it. */
  checkNobodyIsForgotten(): void {
    const { bench, inner, said } = this
    expect(['running', 'stopped', 'failed']).toContain(bench.group.state)
    for (const group of [bench.group, inner]) {
      if (group.state !== 'running') continue
      for (const child of group.children.values()) {
        if (!child.isWanted) continue
        expect(['running', 'done', 'failed', 'stopped']).toContain(child.state)
        if (child.restartType === 'permanent' && !said.has(child.id)) {
          // Who counts alone may be given up, and is told.
          const isGivenUp = (bench.fakes.get(child.id)?.givenUp.length ?? 0) > 0 && !child.lives
          expect([child.id, isGivenUp || child.state]).toEqual([child.id, isGivenUp || 'running'])
        }
      }
    }
  }

  async end(): Promise<void> {
    const { bench } = this
    for (const fake of bench.fakes.values()) fake.manner = 'ends'
    bench.group.stop()
    bench.group.kill()
    this.check()
    await turns()
    expect(this.#waits.size).toBe(0)
    // What runs elsewhere has been told, started or not.
    expect(this.#outside.filter(({ hasBegun }) => !hasBegun)).toEqual([])
    expect(bench.group.rests).toBe(true)
    expect([...bench.fakes.values()].some(({ lives }) => lives)).toBe(false)
  }
}

const policies = fc.record({
  strategy: fc.constantFrom(...STRATEGIES),
  intensity: fc.integer({ min: 1, max: 12 }),
  backoff: fc.constantFrom(
    { kind: 'fixed', initialMs: 0, jitter: 'none' } as const,
    { kind: 'fixed', initialMs: 20, jitter: 'none' } as const,
  ),
})

test('whatever happens, states tell the truth, and in the end nobody waits for ever', async () => {
  await fc.assert(
    fc.asyncProperty(policies, fc.array(command, { maxLength: 40 }), async (policy, commands) => {
      const walk = new Walk(policy)
      try {
        for (const what of commands) await walk.run(what)
        await walk.settle()
        walk.checkNobodyIsForgotten()
      } finally {
        await walk.end()
      }
    }),
    { numRuns: 400 },
  )
})
