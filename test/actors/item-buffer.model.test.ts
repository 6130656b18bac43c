/** Property test: the item buffer against two arrays. No item is lost, none overtakes, every putter is told once. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ItemBuffer, type ItemEntry } from '../../src/actors/item-buffer.ts'

const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('offer' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('takeBack' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('force' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('giveUp' as const), pick: fc.nat(40) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('resize' as const), capacity: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const) }) },
)

/** What the model keeps of a call. */
interface Call {
  readonly item: number
  readonly entry: ItemEntry<number> | undefined
}

test('any mix of calls behaves like a list of accepted items and a list of those that wait', () => {
  fc.assert(
    fc.property(
      fc.array(command, { maxLength: 150 }),
      fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(Number.POSITIVE_INFINITY)),
      (commands, first) => {
        let capacity = first
        const buffer = new ItemBuffer<number>(capacity)
        const accepted: number[] = []
        const waiting: Call[] = []
        const taken: ItemEntry<number>[] = []
        // Where every item went: each has exactly one place.
        const ended = new Map<number, 'taken' | 'returned' | 'refused' | 'givenUp' | 'full'>()
        const told = new Map<number, string[]>()
        let items = 0

        const letIn = (): void => {
          while (accepted.length < capacity && waiting.length > 0) {
            accepted.push((waiting.shift() as Call).item)
          }
        }
        const putterOf = (item: number) => {
          told.set(item, [])
          return {
            accepted: () => void told.get(item)?.push('accepted'),
            refused: (error: unknown) => void told.get(item)?.push(String(error)),
          }
        }
        for (const step of commands) {
          const item = items
          if (step.do === 'put') {
            items += 1
            if (buffer.offer(item)) {
              expect(accepted.length).toBeLessThan(capacity)
              accepted.push(item)
            } else {
              expect(accepted.length).toBeGreaterThanOrEqual(capacity)
              waiting.push({ item, entry: buffer.wait(item, putterOf(item)) })
            }
          } else if (step.do === 'offer') {
            items += 1
            const had = accepted.length < capacity
            expect(buffer.offer(item)).toBe(had)
            if (had) accepted.push(item)
            else ended.set(item, 'full')
          } else if (step.do === 'force') {
            items += 1
            buffer.force(item)
            accepted.push(item)
          } else if (step.do === 'take') {
            const entry = buffer.take()
            expect(entry?.item).toBe(accepted.shift())
            letIn()
            if (entry === undefined) continue
            taken.push(entry)
            ended.set(entry.item, 'taken')
          } else if (step.do === 'takeBack') {
            const entry = taken.pop()
            if (entry === undefined) continue
            ended.delete(entry.item)
            buffer.takeBack(entry)
            accepted.unshift(entry.item)
          } else if (step.do === 'giveUp') {
            const call = waiting[step.pick % Math.max(1, waiting.length)]
            if (call?.entry === undefined) continue
            expect(buffer.giveUp(call.entry)).toBe(true)
            expect(buffer.giveUp(call.entry)).toBe(false)
            waiting.splice(waiting.indexOf(call), 1)
            ended.set(call.item, 'givenUp')
          } else if (step.do === 'resize') {
            capacity = step.capacity
            buffer.capacity = capacity
            letIn()
          } else {
            buffer.refuse('stopped')
            for (const { item: refused } of waiting.splice(0)) ended.set(refused, 'refused')
            expect(buffer.clear().map((entry) => entry.item)).toEqual(accepted)
            for (const returned of accepted.splice(0)) ended.set(returned, 'returned')
          }
          expect(buffer.size).toBe(accepted.length)
          expect(buffer.waiting).toBe(waiting.length)
          expect(buffer.hasRoom).toBe(accepted.length < capacity)
        }
        // Whoever waited heard one thing, or is known to wait still.
        for (const [item, words] of told) {
          const waits = waiting.some((call) => call.item === item)
          const fate = ended.get(item)
          if (waits || fate === 'givenUp') expect(words).toEqual([])
          else expect(words).toEqual([fate === 'refused' ? 'stopped' : 'accepted'])
        }
        const known = new Set([...ended.keys(), ...accepted, ...waiting.map((call) => call.item)])
        expect(known.size).toBe(items)
      },
    ),
    { numRuns: 500 },
  )
})

test('a putter that puts again when it is refused is not refused twice', () => {
  const buffer = new ItemBuffer<string>(1)
  buffer.offer('first')
  const heard: string[] = []
  const again = {
    accepted: () => void heard.push('again accepted'),
    refused: () => void heard.push('again refused'),
  }
  buffer.wait('second', {
    accepted: () => void heard.push('accepted'),
    refused: () => {
      heard.push('refused')
      buffer.wait('third', again)
    },
  })
  buffer.refuse(new Error('stopped'))
  expect(heard).toEqual(['refused'])
  expect(buffer.take()?.item).toBe('first')
  expect(heard).toEqual(['refused', 'again accepted'])
})

test('a hundred thousand items and as many putters go through in linear time', () => {
  const buffer = new ItemBuffer<number>(10)
  let accepted = 0
  const putter = {
    accepted() {
      accepted += 1
    },
    refused() {},
  }
  for (let item = 0; item < 100_000; item += 1) if (!buffer.offer(item)) buffer.wait(item, putter)
  let inOrder = 0
  for (let item = 0; item < 100_000; item += 1) if (buffer.take()?.item === item) inOrder += 1
  expect(inOrder).toBe(100_000)
  expect([accepted, buffer.size, buffer.waiting]).toEqual([99_990, 0, 0])
})
