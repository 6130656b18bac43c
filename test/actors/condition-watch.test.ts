import { beforeEach, describe, expect, test } from 'vitest'
import { ConditionWatches } from '../../src/actors/condition-watch.ts'
import type { DefinitionEntry } from '../../src/actors/definition-entry.ts'
import type { TaskRun } from '../../src/actors/task-run.ts'
import { TimerQueue } from '../../src/actors/timer-queue.ts'
import { WallTimers } from '../../src/actors/wall-timers.ts'
import type { Condition } from '../../src/machines/condition.ts'
import type { FactKind, Stamp } from '../../src/machines/condition-facts.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'

let clock: ManualClock
let queue: TimerQueue
let watches: ConditionWatches
let history: [FactKind, Stamp][]
const failed: string[] = []
/** How often the facts of a name were looked up in the task log. */
let reads: string[]
let live: number

beforeEach(() => {
  clock = new ManualClock()
  queue = new TimerQueue(clock)
  history = []
  reads = []
  failed.length = 0
  live = 0
  watches = new ConditionWatches({
    clock,
    timers: new WallTimers(clock, queue),
    entryOf: () => ({ live }) as DefinitionEntry,
    history(name) {
      reads.push(name)
      return history
    },
    running: () => [],
    onFailed: (part, error, owner) => failed.push(`${part.kind} of ${owner}: ${String(error)}`),
  })
  return () => queue.close()
})

/** A run of a task has been admitted, its handler has begun, it has ended. */
function note(name: string, outcome: 'success' | 'failure' | 'run' | 'admitted'): void {
  const facts = watches.facts.watch(name, 1)
  const now = clock.monotonic()
  const ended = outcome === 'success' ? { kind: 'finished' } : { kind: 'failed', failure: { kind: 'threw' } }
  const run = { startedMono: now, endedMono: now, outcome: ended } as unknown as TaskRun
  if (outcome === 'run') watches.facts.announced(facts, run, 'started')
  else if (outcome === 'admitted') watches.facts.announced(facts, run, 'admitted')
  else watches.facts.settled(facts, run)
  facts.changed()
}

const after: Condition = { kind: 'after', tasks: ['a'], outcome: 'success', which: 'all' }
const every: Condition = { kind: 'every', ms: 100, since: 'run' }

describe('a watch', () => {
  test('tells at once what is true already, and each time it turns true', () => {
    const seen: string[] = []
    note('a', 'success')
    const watch = watches.watch(after, 'own', () => seen.push('true'))
    expect([watch.holds, seen]).toEqual([true, ['true']])
    note('a', 'success')
    expect(seen).toEqual(['true'])
    // Same instant, later in order: the run has used up what came before.
    note('own', 'run')
    expect(watch.holds).toBe(false)
    note('a', 'failure')
    expect(seen).toEqual(['true'])
    note('a', 'success')
    expect([watch.holds, seen]).toEqual([true, ['true', 'true']])
    watch.close()
  })

  test('looks again when time alone changes it, and not before', async () => {
    const seen: number[] = []
    note('own', 'run')
    const begun = clock.now()
    const watch = watches.watch(every, 'own', () => seen.push(clock.now() - begun))
    expect(queue.size).toBe(1)
    await clock.advance(99)
    expect(watch.holds).toBe(false)
    await clock.advance(1)
    expect(seen).toEqual([100])
    expect(queue.size).toBe(0)
    watch.close()
  })

  test('moves its timer when facts move the instant', async () => {
    const seen: number[] = []
    note('own', 'run')
    const begun = clock.now()
    const watch = watches.watch(every, 'own', () => seen.push(clock.now() - begun))
    await clock.advance(60)
    note('own', 'run')
    expect(queue.size).toBe(1)
    await clock.advance(100)
    expect(seen).toEqual([160])
    watch.close()
  })

  test('that is closed holds neither timer nor facts, and tells nothing more', async () => {
    const seen: string[] = []
    note('own', 'run')
    const watch = watches.watch(every, 'own', () => seen.push('true'))
    watch.close()
    watch.close()
    await clock.advance(1_000)
    note('own', 'run')
    expect([queue.size, seen]).toEqual([0, []])
    expect(watches.facts.watch('own', 1).watchers.size).toBe(0)
  })

  test('asks a function again after its time, and when something else has changed', async () => {
    const asked: number[] = []
    const begun = clock.now()
    const condition: Condition = {
      kind: 'all',
      conditions: [
        {
          kind: 'function',
          recheckMs: 250,
          test({ now, task }) {
            expect(task).toBe('own')
            asked.push(now - begun)
            return asked.length > 3
          },
        },
        after,
      ],
    }
    const watch = watches.watch(condition, 'own', () => {})
    await clock.advance(250)
    expect(asked).toEqual([0, 250])
    await clock.advance(100)
    note('a', 'success')
    expect(asked).toEqual([0, 250, 350])
    await clock.advance(250)
    expect(asked).toEqual([0, 250, 350, 600])
    expect(watch.holds).toBe(true)
    watch.close()
  })

  test('with nothing to wait for polls nothing', async () => {
    const watch = watches.watch(after, 'own', () => {})
    expect([queue.size, clock.pending]).toEqual([0, 0])
    watch.close()
  })

  test('reports what throws once, until it works again or throws something else', async () => {
    let error: string | undefined = 'first'
    const condition: Condition = {
      kind: 'function',
      recheckMs: 10,
      test() {
        if (error !== undefined) throw new Error(error)
        return true
      },
    }
    const watch = watches.watch(condition, 'own', () => {})
    await clock.advance(30)
    expect(failed).toEqual(['function of own: Error: first'])
    error = 'second'
    await clock.advance(30)
    expect(failed).toHaveLength(2)
    error = undefined
    await clock.advance(10)
    expect(watch.holds).toBe(true)
    error = 'second'
    await clock.advance(10)
    expect([watch.holds, failed.length]).toEqual([false, 3])
    watch.close()
  })

  test('whose function changes its own facts looks again in the next turn', async () => {
    let calls = 0
    const condition: Condition = {
      kind: 'all',
      conditions: [
        {
          kind: 'function',
          recheckMs: Number.POSITIVE_INFINITY,
          test() {
            calls += 1
            if (calls < 3) note('a', 'success')
            return true
          },
        },
        after,
      ],
    }
    const watch = watches.watch(condition, 'own', () => {})
    expect(calls).toBe(1)
    await clock.advance(0)
    await clock.advance(0)
    await clock.advance(0)
    expect(calls).toBe(3)
    watch.close()
  })

  test('may be closed by what it tells, and by its own function', async () => {
    const seen: string[] = []
    const watch = watches.watch(after, 'own', () => {
      seen.push('true')
      watch.close()
    })
    note('a', 'success')
    note('own', 'run')
    note('a', 'success')
    expect(seen).toEqual(['true'])
    const other = watches.watch(
      {
        kind: 'function',
        recheckMs: 5,
        test() {
          if (seen.push('asked') > 2) other.close()
          return seen.length > 2
        },
      },
      'own',
      () => seen.push('never'),
    )
    await clock.advance(20)
    expect(seen).toEqual(['true', 'asked', 'asked'])
  })
})

describe('facts', () => {
  test('of a definition begin with what the task log knows, read once', () => {
    history = [
      ['run', { at: clock.now() - 20, mono: -20, seq: 0 }],
      ['failure', { at: clock.now() - 10, mono: -10, seq: 0 }],
    ]
    const retry: Condition = { kind: 'retry', times: 1 }
    expect(watches.holds(retry, 'own')).toBe(true)
    expect(watches.holds(retry, 'own')).toBe(true)
    note('own', 'failure')
    expect(watches.holds(retry, 'own')).toBe(false)
    expect(reads).toEqual(['own'])
  })

  test('are read again when a condition counts further back', () => {
    const count = (atLeast: number): Condition => ({
      kind: 'count',
      task: 'a',
      record: 'success',
      within: 60_000,
      timezone: undefined,
      atLeast,
      atMost: Number.POSITIVE_INFINITY,
    })
    history = [1, 2, 3].map((ago) => ['success', { at: clock.now() - ago, mono: -ago, seq: 0 }])
    expect(watches.holds(count(1), undefined)).toBe(true)
    expect(watches.holds(count(3), undefined)).toBe(true)
    expect(watches.holds(count(4), undefined)).toBe(false)
    expect(reads).toEqual(['a', 'a', 'a'])
  })

  test('tell the watchers when the task log was restored', () => {
    const seen: string[] = []
    const watch = watches.watch(after, 'own', () => seen.push('true'))
    history = [['success', { at: 0, mono: -5, seq: 0 }]]
    watches.facts.restored()
    expect([watch.holds, seen]).toEqual([true, ['true']])
    watch.close()
  })

  test('reach only the watches that depend on them, however many there are', () => {
    let asked = 0
    const open: { close(): void }[] = []
    for (let i = 0; i < 5_000; i += 1) {
      const condition: Condition = {
        kind: 'all',
        conditions: [
          { kind: 'running', task: `task-${i}`, atLeast: 1, atMost: 9, waiting: false },
          { kind: 'function', recheckMs: Number.POSITIVE_INFINITY, test: () => ++asked > 0 },
        ],
      }
      open.push(watches.watch(condition, undefined, () => {}))
    }
    note('task-7', 'admitted')
    expect(asked).toBe(1)
    for (const watch of open) watch.close()
  })
})
