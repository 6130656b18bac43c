import { expect, test } from 'vitest'
import { systemClock } from '../../src/actors/clock.ts'
import { EventFeed, frameOf } from '../../src/runtime/http/event-feed.ts'

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
