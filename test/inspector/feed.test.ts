/** The feed without a network: pages that do not keep up, and when frames come. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { createMachine } from 'xstate'
import { Charts } from '../../src/runtime/inspector/charts.ts'
import { Feed } from '../../src/runtime/inspector/feed.ts'
import type { FeedSocket } from '../../src/runtime/inspector/feed-page.ts'
import type { ActorRow, EventRow, Frame, ServerMessage } from '../../src/runtime/inspector/messages.ts'
import type { Source } from '../../src/runtime/inspector/source.ts'

const ROW: ActorRow = {
  id: 'root',
  parent: null,
  kind: 'supervisor',
  name: 'root',
  chart: null,
  state: 'a',
  startedAt: null,
  children: 0,
  event: null,
  eventAt: null,
  from: null,
}
const event = (name: string): EventRow => ({
  at: 0,
  id: 'root',
  name,
  type: 'go',
  from: 'a',
  to: 'a',
  source: 'user',
})

/** One actor, and what happens as the test says. */
class FakeSource implements Source {
  readonly hello = { supervisor: { id: 'fake' } }
  row: ActorRow = ROW
  events: EventRow[] = []
  counts: Record<string, number> = { running: 1 }
  looks = 0
  opened = 0
  problem: Error | undefined
  changed: (() => void) | undefined
  readonly tree = {
    roots: () => ['root'],
    row: () => this.row,
    list: () => undefined,
  }

  open(changed: () => void): void {
    this.opened += 1
    this.changed = changed
  }

  close(): void {
    this.changed = undefined
  }

  refresh(): ReturnType<Source['refresh']> {
    this.looks += 1
    if (this.problem !== undefined) throw this.problem
    const { events } = this
    this.events = []
    return { common: { counts: this.counts }, events, skipped: 1, sampled: 2 }
  }

  looked(): void {}

  ask(): unknown {
    throw new Error('broken')
  }

  act(): unknown {
    return undefined
  }
}

/** A page at the other end. */
class FakeSocket implements FeedSocket {
  bufferedAmount = 0
  closed: string | undefined
  readonly messages: ServerMessage[] = []
  #heard: () => void = () => {}

  get frames(): Frame[] {
    return this.messages.filter((message) => message.type === 'frame')
  }

  send(text: string): void {
    this.messages.push(JSON.parse(text))
    this.#heard()
  }

  close(code: number, reason: string): void {
    this.closed = `${code} ${reason}`
    this.#heard()
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve
      })
    }
  }
}

function feedOf(source: FakeSource) {
  const errors: unknown[] = []
  const feed = new Feed({
    sources: [source],
    charts: new Charts(),
    isToken: (given) => given === 'right',
    farewell: () => 'stopped',
    onError: (error) => errors.push(error),
  })
  onTestFinished(() => feed.close())
  return { feed, errors }
}

describe('a page', () => {
  test('that lags gets no frame until it has read; then one has all that it missed, and says how much was left out', async () => {
    const source = new FakeSource()
    const { feed } = feedOf(source)
    const [slow, quick] = [new FakeSocket(), new FakeSocket()]
    feed.connect(slow, 'look')
    feed.connect(quick, 'look')
    await slow.until(() => slow.frames.length === 1)
    slow.bufferedAmount = 5_000_000
    const before = quick.frames.length
    for (let round = 1; round <= 2; round += 1) {
      source.row = { ...ROW, state: `b${round}` }
      source.events = [event('one'), event('two')]
      source.changed?.()
      await quick.until(() => quick.frames.length === before + round)
    }
    expect(slow.frames).toHaveLength(1)
    slow.bufferedAmount = 0
    source.events = [event('three')]
    source.changed?.()
    await slow.until(() => slow.frames.length === 2)
    const last = slow.frames.at(-1)
    expect(last).toMatchObject({ seq: 2, changed: [{ id: 'root', state: 'b2' }], skipped: 7, sampled: 2 })
    expect(last?.events?.map(({ name }) => name)).toEqual(['three'])
  })

  test('is told only what is new: of counts, too', async () => {
    const source = new FakeSource()
    const { feed } = feedOf(source)
    const socket = new FakeSocket()
    feed.connect(socket, 'look')
    await socket.until(() => socket.frames.length === 1)
    expect(socket.frames[0]).toMatchObject({ added: [ROW], counts: { running: 1 } })
    await socket.until(() => socket.frames.length === 2)
    expect(socket.frames[1]).toEqual({
      type: 'frame',
      seq: 2,
      at: expect.any(Number),
      sampled: 2,
      skipped: 1,
    })
    source.counts = { running: 2 }
    source.changed?.()
    await socket.until(() => socket.frames.length === 3)
    expect(socket.frames[2]).toMatchObject({ counts: { running: 2 } })
  })

  test('gets an answer when the one who is asked throws', async () => {
    const { feed } = feedOf(new FakeSource())
    const socket = new FakeSocket()
    const page = feed.connect(socket, 'act')
    page.hear('{"type":"ask","id":1,"ask":"workers"}')
    page.hear('{"type":"act","id":2,"act":"hold"}')
    const answers = () => socket.messages.filter(({ type }) => type === 'answer')
    await socket.until(() => answers().length === 2)
    expect(answers()).toEqual(
      expect.arrayContaining([
        { type: 'answer', id: 1, error: { code: 'ERR_ANSWER_FAILED', message: 'broken' } },
        { type: 'answer', id: 2, error: { code: 'ERR_ASK_UNKNOWN', message: expect.any(String) } },
      ]),
    )
  })

  test('that has the token once keeps what it may, whatever it says next', async () => {
    const { feed } = feedOf(new FakeSource())
    const socket = new FakeSocket()
    const page = feed.connect(socket, 'none')
    page.hear('{"type":"login","id":1,"token":"right"}')
    page.hear('{"type":"login","id":2,"token":"wrong"}')
    expect(page.access).toBe('act')
    expect(socket.messages.map(({ type }) => type)).toEqual(['hello', 'hello', 'answer', 'answer'])
    page.left()
    page.hear('{"type":"login","id":3,"token":"right"}')
    expect(socket.messages).toHaveLength(4)
  })
})

describe('frames', () => {
  test('come at most ten times a second, however much happens', async () => {
    const source = new FakeSource()
    const { feed } = feedOf(source)
    const socket = new FakeSocket()
    feed.connect(socket, 'look')
    await socket.until(() => socket.frames.length === 1)
    const begun = performance.now()
    while (socket.frames.length < 6) {
      source.changed?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(performance.now() - begun).toBeGreaterThan(400)
    expect(source.looks).toBeLessThanOrEqual(7)
  })

  test('are not made for nobody: the source is opened by the first page and closed after the last', async () => {
    const source = new FakeSource()
    const { feed } = feedOf(source)
    expect(source.opened).toBe(0)
    const pages = [feed.connect(new FakeSocket(), 'look'), feed.connect(new FakeSocket(), 'look')]
    expect([source.opened, feed.size]).toEqual([1, 2])
    for (const page of pages) page.left()
    expect([source.changed, feed.size]).toEqual([undefined, 0])
    await feed.close()
    const late = new FakeSocket()
    feed.connect(late, 'look')
    expect([late.closed, source.opened]).toEqual(['1001 the inspector is closed', 1])
  })

  test('end with goodbye: the last page that goes ends the feed, which waits for none that cannot ask', async () => {
    const source = new FakeSource()
    const { feed } = feedOf(source)
    const [nobody, reader] = [new FakeSocket(), new FakeSocket()]
    feed.connect(nobody, 'none')
    const page = feed.connect(reader, 'look')
    await reader.until(() => reader.frames.length === 1)
    source.row = { ...ROW, state: 'stopped' }
    const closed = feed.close()
    expect(nobody.closed).toBe('1001 the inspector is closed')
    expect(nobody.messages.map(({ type }) => type)).toEqual(['hello'])
    expect(reader.messages.slice(-2)).toMatchObject([
      { type: 'frame', changed: [{ id: 'root', state: 'stopped' }] },
      { type: 'goodbye', reason: 'stopped' },
    ])
    page.left()
    await closed
    expect([reader.closed, source.changed]).toEqual([undefined, undefined])
  })

  test('end for a page that does not go, too', async () => {
    const { feed } = feedOf(new FakeSource())
    const socket = new FakeSocket()
    feed.connect(socket, 'look')
    await feed.close()
    expect(socket.closed).toBe('1001 the inspector is closed')
  })

  test('go on after a source has thrown', async () => {
    const source = new FakeSource()
    const { feed, errors } = feedOf(source)
    const socket = new FakeSocket()
    source.problem = new Error('broken')
    feed.connect(socket, 'look')
    while (errors.length === 0) await new Promise((resolve) => setImmediate(resolve))
    source.problem = undefined
    await socket.until(() => socket.frames.length === 1)
    expect(errors).toEqual([new Error('broken')])
  })
})

test('charts have the name of their machine, with a number when another machine has it', () => {
  const charts = new Charts()
  const one = createMachine({ id: 'a', initial: 'x', states: { x: {} } })
  const other = createMachine({ id: 'a', initial: 'y', states: { y: {} } })
  expect([charts.nameOf(one), charts.nameOf(other), charts.nameOf(one.provide({}))]).toEqual([
    'a',
    'a-2',
    'a',
  ])
  expect(charts.get('a-2')).toEqual({ id: 'a', initial: 'y', states: { y: {} } })
  expect(charts.get('b')).toBeUndefined()
})
