import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MISSED } from '../../src/machines/missed.ts'
import {
  lookAtSchedule,
  SCHEDULE_ORIGINS,
  SCHEDULE_OVERLAPS,
  type ScheduleFacts,
  type SchedulePolicy,
} from '../../src/machines/schedule-policy.ts'

const never = Number.POSITIVE_INFINITY
/** Every ten. */
const tens = (after: number): number | undefined => (Math.floor(after / 10) + 1) * 10
const policy = (given: Partial<SchedulePolicy>): SchedulePolicy => ({
  missed: 'skip',
  overlap: 'skip',
  from: 'due',
  missedAfterMs: never,
  ...given,
})
const facts = (given: Partial<ScheduleFacts>): ScheduleFacts => ({
  nextAt: 10,
  owed: null,
  lookAt: 10,
  isLive: false,
  endedAt: null,
  ...given,
})
const runs = (given: Partial<SchedulePolicy>, state: Partial<ScheduleFacts>, now: number) =>
  lookAtSchedule(policy(given), facts(state), now, tens)
const stretch = (from: number, until = from) => ({ from, until })

describe('a look', () => {
  test('before anything is due does nothing', () => {
    expect(runs({}, {}, 9)).toEqual([])
    expect(runs({}, { isLive: true }, 9)).toEqual([])
  })

  test.each(MISSED)('runs an occurrence that is on time (missed: %s)', (missed) => {
    for (const overlap of SCHEDULE_OVERLAPS)
      expect(runs({ missed, overlap }, {}, 12)).toEqual([{ run: 10, nextAt: 20, owed: null, lookAt: 20 }])
  })

  test('forgets what was missed, or owes one run, or one for each', () => {
    const late = { missedAfterMs: 5 }
    const next = { nextAt: 50, lookAt: 50 }
    expect(runs({ missed: 'skip' }, {}, 20)).toEqual([{ run: 20, owed: null, nextAt: 30, lookAt: 30 }])
    expect(runs({ missed: 'skip' }, {}, 42)).toEqual([{ run: 40, owed: null, ...next }])
    expect(runs({ missed: 'skip', ...late }, {}, 48)).toEqual([{ run: null, owed: null, ...next }])
    expect(runs({ missed: 'once' }, {}, 42)).toEqual([{ run: 40, owed: null, ...next }])
    expect(runs({ missed: 'once', ...late }, {}, 48)).toEqual([{ run: 40, owed: null, ...next }])
    expect(runs({ missed: 'all' }, {}, 42)).toEqual([{ run: 10, owed: stretch(20, 40), ...next }])
    expect(runs({ missed: 'all', overlap: 'allow', ...late }, {}, 48)).toEqual([
      { run: 10, owed: stretch(20, 40), nextAt: 50, lookAt: 48 },
      { run: 20, owed: stretch(30, 40), nextAt: 50, lookAt: 48 },
      { run: 30, owed: stretch(40), nextAt: 50, lookAt: 48 },
      { run: 40, owed: null, ...next },
    ])
  })

  test('while a run is live drops what is on time, keeps one, or runs it as well', () => {
    const live = { isLive: true, nextAt: 20, lookAt: 20 }
    expect(runs({ overlap: 'skip' }, live, 20)).toEqual([{ run: null, owed: null, nextAt: 30, lookAt: 30 }])
    expect(runs({ overlap: 'bufferOne' }, live, 20)).toEqual([
      { run: null, owed: stretch(20), nextAt: 30, lookAt: 30 },
    ])
    expect(runs({ overlap: 'bufferOne' }, { ...live, owed: stretch(20), nextAt: 30 }, 30)).toEqual([
      { run: null, owed: stretch(20), nextAt: 40, lookAt: 40 },
    ])
    expect(runs({ overlap: 'allow' }, live, 20)).toEqual([{ run: 20, owed: null, nextAt: 30, lookAt: 30 }])
  })

  test('adds what was missed to what is owed', () => {
    const owing = { isLive: true, owed: stretch(20, 40), nextAt: 50, lookAt: 50 }
    const next = { run: null, nextAt: 80, lookAt: 80 }
    expect(runs({ missed: 'all' }, owing, 75)).toEqual([{ ...next, owed: stretch(20, 60) }])
    expect(runs({ missed: 'once' }, owing, 75)).toEqual([{ ...next, owed: stretch(20, 40) }])
    expect(runs({ missed: 'once' }, { ...owing, owed: null }, 75)).toEqual([{ ...next, owed: stretch(60) }])
    expect(runs({ missed: 'skip' }, { ...owing, owed: null }, 75)).toEqual([{ ...next, owed: null }])
    expect(runs({ missed: 'all' }, { ...owing, isLive: false }, 75)).toEqual([
      { ...next, run: 20, owed: stretch(30, 70) },
    ])
  })

  test('after the end of a run begins what waited for it, and only one', () => {
    const waiting = { nextAt: 60, lookAt: 55, endedAt: 55, owed: stretch(20, 40) }
    expect(runs({ missed: 'all' }, waiting, 55)).toEqual([
      { run: 20, owed: stretch(30, 40), nextAt: 60, lookAt: 60 },
    ])
    const buffered = { ...waiting, owed: stretch(50) }
    expect(runs({ overlap: 'bufferOne' }, buffered, 55)).toEqual([
      { run: 50, owed: null, nextAt: 60, lookAt: 60 },
    ])
    expect(runs({ overlap: 'bufferOne' }, buffered, 61)).toEqual([
      { run: 50, owed: stretch(60), nextAt: 70, lookAt: 70 },
    ])
  })

  test("from the end on, plans nothing before a run has ended (from: 'end')", () => {
    expect(runs({ from: 'end' }, {}, 10)).toEqual([{ run: 10, nextAt: null, owed: null, lookAt: null }])
    const none = { nextAt: null, lookAt: null }
    expect(runs({ from: 'end' }, { ...none, isLive: true }, 99)).toEqual([])
    expect(runs({ from: 'end' }, { ...none, lookAt: 33, endedAt: 33 }, 33)).toEqual([
      { run: null, nextAt: 40, owed: null, lookAt: 40 },
    ])
    expect(runs({ from: 'end' }, { ...none, lookAt: 33, endedAt: 33 }, 41)).toMatchObject([
      { run: 40, nextAt: null },
    ])
  })

  test('sees the end of a calendar', () => {
    const once = (after: number) => (after < 10 ? 10 : undefined)
    expect(lookAtSchedule(policy({}), facts({}), 10, once)).toEqual([
      { run: 10, nextAt: null, owed: null, lookAt: null },
    ])
    expect(lookAtSchedule(policy({}), facts({ nextAt: null, lookAt: 12, endedAt: 12 }), 12, once)).toEqual([
      { run: null, nextAt: null, owed: null, lookAt: null },
    ])
  })

  test('after a long sleep takes no longer than it must', () => {
    const seconds = (after: number) => Math.floor(after) + 1
    const steps = lookAtSchedule(policy({ missed: 'all', overlap: 'allow' }), facts({}), 1e9, seconds)
    expect(steps).toHaveLength(500)
    expect(steps.at(-1)).toMatchObject({ run: 509, lookAt: 1e9, nextAt: 1e9 + 1 })
  })
})

/** A schedule, its runs, and somebody who looks when he is asked to, or sleeps. */
interface World {
  readonly policy: SchedulePolicy
  readonly gaps: readonly number[]
  readonly runMs: readonly number[]
  /** Stretches of time in which nobody looks: how long awake, how long asleep. */
  readonly sleeps: readonly (readonly [number, number])[]
}

const worlds: fc.Arbitrary<World> = fc.record({
  policy: fc.record({
    missed: fc.constantFrom(...MISSED),
    overlap: fc.constantFrom(...SCHEDULE_OVERLAPS),
    from: fc.constantFrom(...SCHEDULE_ORIGINS),
    missedAfterMs: fc.constantFrom(0, 3, never),
  }),
  gaps: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 60 }),
  runMs: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 10 }),
  sleeps: fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 80 })), {
    maxLength: 6,
  }),
})

interface Begun {
  readonly occurrence: number
  readonly at: number
  readonly end: number
}

function live(world: World): { begun: Begun[]; instants: number[]; end: ScheduleFacts } {
  let sum = 0
  const instants = world.gaps.map((gap) => {
    sum += gap
    return sum
  })
  const next = (after: number) => instants.find((at) => at > after)
  const asleep = new Set<number>()
  let at = 0
  for (const [awake, sleep] of world.sleeps) {
    at += awake
    for (let ms = 0; ms < sleep; ms += 1) asleep.add(at + ms)
    at += sleep
  }
  const begun: Begun[] = []
  let state = facts({ nextAt: instants[0] as number, lookAt: instants[0] as number })
  // As the store does: the schedule knows the last run that began.
  let current: Begun | undefined
  for (let now = 0; now < Math.max(sum, at) + 5_000; now += 1) {
    if (current !== undefined && current.end <= now) {
      const mustLook = state.nextAt === null || state.owed !== null
      state = { ...state, isLive: false, endedAt: current.end, lookAt: mustLook ? current.end : state.lookAt }
      current = undefined
    }
    if (asleep.has(now)) continue
    let looks = 0
    while (state.lookAt !== null && state.lookAt <= now) {
      looks += 1
      if (looks > 50) throw new Error(`It is looked at for ever: ${JSON.stringify(state)}`)
      for (const { run, ...plan } of lookAtSchedule(world.policy, state, now, next)) {
        if (run !== null) {
          const runMs = world.runMs[begun.length % world.runMs.length] as number
          current = { occurrence: run, at: now, end: now + 1 + runMs }
          begun.push(current)
        }
        state = { ...state, ...plan, isLive: current !== undefined }
      }
    }
  }
  return { begun, instants, end: state }
}

describe('whatever happens', () => {
  const holds = (claim: (world: World, lived: ReturnType<typeof live>) => void) =>
    fc.assert(
      fc.property(worlds, (world) => claim(world, live(world))),
      { numRuns: 400 },
    )

  test('no occurrence runs twice, none before it is due, none that is not in the calendar, and they keep their order', () => {
    holds((_, { begun, instants }) => {
      const occurrences = begun.map(({ occurrence }) => occurrence)
      expect(occurrences).toEqual([...new Set(occurrences)].sort((a, b) => a - b))
      for (const { occurrence, at } of begun) {
        expect(instants).toContain(occurrence)
        expect(at).toBeGreaterThanOrEqual(occurrence)
      }
    })
  })

  test('runs overlap only where that is allowed', () => {
    holds(({ policy: { overlap } }, { begun }) => {
      if (overlap === 'allow') return
      for (const [index, { at }] of begun.entries())
        expect(at).toBeGreaterThanOrEqual(begun[index - 1]?.end ?? 0)
    })
  })

  test('nothing stays owed, and a calendar that ends leaves nothing to look at', () => {
    holds((_, { end }) => {
      expect(end).toMatchObject({ nextAt: null, owed: null, lookAt: null, isLive: false })
    })
  })

  test("no occurrence is lost where each is made up for and may overlap (missed: 'all', overlap: 'allow')", () => {
    holds((world) => {
      const all = {
        ...world,
        policy: { ...world.policy, missed: 'all', overlap: 'allow', from: 'due' },
      } as const
      const { begun, instants } = live(all)
      expect(begun.map(({ occurrence }) => occurrence)).toEqual(instants)
    })
  })

  test('an occurrence that comes while somebody looks and nothing is live runs at once', () => {
    holds((world, { begun, instants }) => {
      if (world.sleeps.length > 0 || world.policy.from === 'end') return
      for (const instant of instants) {
        const isFree = !begun.some(({ at, end }) => at < instant && instant < end)
        const isFirst = begun.every(({ occurrence, at }) => occurrence === instant || at !== instant)
        if (isFree && isFirst)
          expect(begun).toContainEqual(expect.objectContaining({ occurrence: instant, at: instant }))
      }
    })
  })

  test("'end' leaves the whole way between two occurrences after each run", () => {
    holds((world) => {
      const { begun } = live({
        ...world,
        policy: { ...world.policy, from: 'end', overlap: 'skip', missed: 'skip' },
      })
      for (const [index, { occurrence }] of begun.entries())
        expect(occurrence).toBeGreaterThan(begun[index - 1]?.end ?? 0)
    })
  })
})
