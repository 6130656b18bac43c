import { expect, test } from 'vitest'
import { systemClock } from '../../src/actors/clock.ts'
import { EventFeed, frameOf } from '../../src/runtime/http/event-feed.ts'
import { carry } from '../../src/runtime/http/stream-connection.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'

test('frames that are there together go out in few pieces, in order, and none is kept for a reader that does not read', async () => {
  const frames = Array.from({ length: 4_000 }, (_, n) => frameOf('task', `${n}`, JSON.stringify({ n })))
  let taken = 0
  const feed = new EventFeed(
    {
      take: () => frames[taken++],
      get isOver() {
        return taken > frames.length
      },
      leave() {},
    },
    systemClock,
    { heartbeatMs: 60_000, stallMs: 60_000 },
    () => {},
  )
  const reader = feed.stream.getReader()
  const decoder = new TextDecoder()
  const pieces: string[] = []
  const first = await reader.read()
  // What was read, and one more for whom there is room.
  expect(taken).toBeLessThan(frames.length / 2)
  for (let read = first; read.value !== undefined; read = await reader.read())
    pieces.push(decoder.decode(read.value))
  expect(pieces.join('')).toBe(frames.join(''))
  expect(pieces.length).toBeLessThan(15)
})

test('a reader that takes nothing is let go after stallMs, whatever the heartbeat; one that reads is not', async () => {
  const clock = new ManualClock()
  const told: string[] = []
  let frames = ['one', 'two', 'three']
  const source = { take: () => frames.shift(), isOver: false, leave: () => void told.push('left') }
  const open = () => new EventFeed(source, clock, { heartbeatMs: 15_000, stallMs: 1_000 }, () => {})
  const feed = open()
  feed.poke()
  const reader = feed.stream.getReader()
  await clock.advance(999)
  expect((await reader.read()).done).toBe(false)
  await clock.advance(10_000)
  expect(told).toEqual([])
  frames = ['four']
  feed.poke()
  await clock.advance(1_000)
  expect(told).toEqual(['left'])
  await expect(reader.read()).rejects.toThrow('Nobody reads')

  frames = ['five']
  const carried = open()
  carry(carried.stream, { writableNeedDrain: true, destroy: () => told.push('destroyed') })
  carried.poke()
  await clock.advance(1_000)
  expect(told).toEqual(['left', 'left', 'destroyed'])
})
