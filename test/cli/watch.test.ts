import { describe, expect, test } from 'vitest'
import { toDurationMs, toInstantMs } from '../../src/runtime/cli/cli-values.ts'
import { BoardView, LineView, toWatchLine } from '../../src/runtime/cli/watch-board.ts'
import type { Queue, StoredTask } from '../../src/runtime/durable/index.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { done, freshUrl, settle, take, testQueue } from '../durable/queue-kit.ts'
import { begin, cli, Screen } from './cli-kit.ts'

const task = (id: string, given: Partial<StoredTask> = {}): StoredTask =>
  ({ id, name: 'mail', state: 'running', attempt: 1, step: 0, progress: undefined, ...given }) as StoredTask

const at = (percent: number, note?: string): Partial<StoredTask> => ({ progress: { percent, note } })

describe('on a terminal', () => {
  test('each live task is a bar that is drawn over, and an ended one stays', () => {
    const screen = new Screen(true)
    const board = new BoardView(screen)
    board.show([task('a', at(50, 'half')), task('b')])
    const [first, second] = screen.lines as [string, string]
    expect(first).toBe(`\u001b[J${'█'.repeat(12)}${'░'.repeat(12)}  50 %  running    mail half`)
    expect(second.startsWith('░'.repeat(24))).toBe(true)
    screen.text = ''
    board.show([task('a', { state: 'finished' }), task('b')])
    expect(screen.text.startsWith('\u001b[2A\u001b[J')).toBe(true)
    expect(screen.lines[0]).toContain(`${'█'.repeat(24)} 100 %  finished`)
    screen.text = ''
    board.show([task('a', { state: 'finished' }), task('b', at(10))])
    expect(screen.text).toBe(`\u001b[1A\u001b[J${'█'.repeat(2)}${'░'.repeat(22)}  10 %  running    mail \n`)
  })

  test('no line is wider than it, nor moves the cursor', () => {
    const screen = new Screen(true)
    new BoardView(screen).show([task('a', at(50, `\u001b[2Jx\n${'y'.repeat(200)}`))])
    expect(screen.lines).toHaveLength(1)
    expect(screen.text.slice('\u001b[J'.length)).toMatch(/^[^\p{Cc}]{79}\n$/u)
  })
})

test('elsewhere there is a line for each change, and none without', () => {
  const screen = new Screen()
  const view = new LineView(screen, toWatchLine)
  view.show([task('a'), task('b', at(5))])
  view.show([task('a'), task('b', at(6, 'more'))])
  view.show([task('a', { state: 'failed', error: { name: 'Error', message: 'bo\nom' } as never })])
  expect(screen.lines).toEqual([
    'a  mail  running  attempt 1',
    'b  mail  running  attempt 1  5 %',
    'b  mail  running  attempt 1  6 % more',
    'a  mail  failed  attempt 1  Error: bo om',
  ])
})

async function running(count: number) {
  const url = await freshUrl()
  const queue = await testQueue({ url })
  for (let n = 1; n <= count; n += 1) await cli(['enqueue', 'mail', '-q', url, '--run-id', `m${n}`])
  return { url, queue, tasks: await take(queue) }
}

async function report(
  queue: Queue,
  { id, fence }: { id: string; fence: number },
  percent: number,
): Promise<void> {
  const store = storeOf(queue)
  await store.do({ type: 'progress', at: store.now(), reports: [{ id, fence, percent, note: null }] })
}

describe('watch', () => {
  test('follows tasks until they have ended, and says by its exit code how', async () => {
    const { url, queue, tasks } = await running(2)
    const [first, second] = tasks as [(typeof tasks)[0], (typeof tasks)[0]]
    const watching = begin(['watch', 'm1', 'm2', '-q', url, '--json'])
    await watching.out.shows('"m2"')
    await report(queue, first, 30)
    await watching.out.shows('"percent":30')
    await settle(queue, first, done(1))
    await settle(queue, second, { kind: 'failed', error: null, reason: 'threw' })
    expect(await watching.code).toBe(1)
    expect(watching.out.lines.map((line) => JSON.parse(line)).slice(-2)).toMatchObject([
      { id: 'm1', state: 'finished', result: 1 },
      { id: 'm2', state: 'failed' },
    ])
    expect(await cli(['watch', 'm1', '-q', url])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^m1 {2}mail {2}finished/),
    })
    expect(await cli(['watch', 'nobody', '-q', url])).toMatchObject({ code: 3 })
  })

  test('follows whatever runs until nothing is left', async () => {
    const { url, queue, tasks } = await running(2)
    const watching = begin(['watch', '--until-empty', '-q', url])
    await watching.out.shows('m2')
    for (const one of tasks) await settle(queue, one, done(1))
    expect(await watching.code).toBe(0)
    expect(watching.out.text).toMatch(/m1 {2}mail {2}finished/)
    expect(watching.out.text).toMatch(/m2 {2}mail {2}finished/)
  })

  test('draws bars on a terminal, and ends with Ctrl-C', async () => {
    const { url, queue, tasks } = await running(1)
    const watching = begin(['watch', '-q', url], { isTTY: true })
    await watching.out.shows('░')
    watching.interrupt()
    expect(await watching.code).toBe(130)
    for (const one of tasks) await settle(queue, one, done(1))
  })
})

test.each([
  ['1500', 1_500],
  ['90s', 90_000],
  ['1.5m', 90_000],
  ['2 h', 7_200_000],
  ['1d', 86_400_000],
])('the duration %s', (text, ms) => {
  expect(toDurationMs(text)).toBe(ms)
})

test.each(['', 's', '-5', '5 weeks', '1e3', 'Infinity'])('%j is no duration', (text) => {
  expect(() => toDurationMs(text)).toThrow('Write a duration')
})

test.each([
  ['2027-01-31T08:00:00Z', Date.UTC(2027, 0, 31, 8)],
  ['1700000000000', 1_700_000_000_000],
])('the instant %s', (text, instant) => {
  expect(toInstantMs(text)).toBe(instant)
})
