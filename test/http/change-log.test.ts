/** The last change of each task: whoever reads it, however slowly, ends with what is true, or is told that he has to look himself. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StoredTask } from '../../src/runtime/durable/index.ts'
import { ChangeLog } from '../../src/runtime/http/change-log.ts'

const LIMIT = 8

const taskOf = (id: string, percent: number): StoredTask =>
  ({
    id,
    name: 'n',
    state: 'running',
    progress: { percent, note: undefined },
    input: 'secret',
    result: 'large',
  }) as never

/** A client that knows what it was told. */
class Reader {
  readonly known = new Map<string, number>()
  position: number
  isLost = false

  constructor(log: ChangeLog) {
    this.position = log.end
  }

  /** At most so many. */
  read(log: ChangeLog, most: number): void {
    if (!log.isComplete(this.position)) {
      this.isLost = true
      this.position = log.end
    }
    for (let count = 0; count < most; count += 1) {
      const change = log.after(this.position)
      if (change === undefined) return
      expect(change.seq).toBeGreaterThan(this.position)
      this.position = change.seq
      const { id, progress } = JSON.parse(change.text)
      expect(change.text).not.toMatch(/secret|large/)
      this.known.set(id, progress.percent)
    }
  }
}

type Step =
  | { note: string; percent: number }
  | { read: number; most: number }
  | { forget: string }
  | { lose: true }

const ids = fc.constantFrom(...'abcdefghijkl')
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ note: ids, percent: fc.integer({ min: 0, max: 3 }) }) },
    { weight: 3, arbitrary: fc.record({ read: fc.nat(2), most: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 1, arbitrary: fc.record({ forget: ids }) },
    { weight: 1, arbitrary: fc.constant({ lose: true as const }) },
  ),
  { maxLength: 80 },
) as fc.Arbitrary<Step[]>

test('readers end with what is true, or know that they do not', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const log = new ChangeLog(LIMIT)
      const readers = [new Reader(log), new Reader(log), new Reader(log)]
      const truth = new Map<string, number>()
      for (const step of all) {
        if ('note' in step) {
          log.note(taskOf(step.note, step.percent))
          truth.set(step.note, step.percent)
        } else if ('read' in step) readers[step.read]?.read(log, step.most)
        else if ('forget' in step) {
          log.forget(step.forget)
          truth.delete(step.forget)
          for (const { known } of readers) known.delete(step.forget)
        } else log.lose()
        expect(log.liveIds().length).toBeLessThanOrEqual(LIMIT)
      }
      for (const reader of readers) {
        reader.read(log, Number.POSITIVE_INFINITY)
        expect(log.after(reader.position)).toBeUndefined()
        if (!reader.isLost) expect(reader.known).toEqual(truth)
      }
    }),
  )
})

test('nothing is told twice, and what is as it was is nothing new', () => {
  const log = new ChangeLog(LIMIT)
  log.note(taskOf('a', 1))
  log.note(taskOf('a', 1))
  expect(log.end).toBe(1)
  log.note(taskOf('a', 2))
  log.note(taskOf('b', 2))
  expect(log.after(0)?.id).toBe('a')
  expect(log.after(2)?.id).toBe('b')
  expect(log.after(3)).toBeUndefined()
})

test('positions of another log mean nothing', () => {
  const log = new ChangeLog(LIMIT)
  expect(log.fromText(log.toText(7))).toBe(7)
  for (const text of [new ChangeLog(LIMIT).toText(7), '', '7', `${log.toText(7)}x`, log.toText(-1)])
    expect(log.fromText(text)).toBeUndefined()
})
