import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Progress } from '../../src/actors/remote/progress.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function open() {
  const sent: [number, string | undefined][] = []
  return { sent, progress: new Progress((percent, note) => sent.push([percent, note])) }
}

it('sends the first at once and of a burst the latest', () => {
  const { sent, progress } = open()
  for (let percent = 0; percent < 50; percent++) progress.report(percent, undefined)
  expect(sent).toEqual([[0, undefined]])
  vi.advanceTimersByTime(20)
  expect(sent).toEqual([
    [0, undefined],
    [49, undefined],
  ])
  progress.report(60, 'note')
  progress.flush()
  progress.flush()
  expect(sent.at(-1)).toEqual([60, 'note'])
  expect(vi.getTimerCount()).toBe(0)
})

it('also where the event loop never turns', () => {
  const { sent, progress } = open()
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  for (let percent = 0; percent < 10; percent++, now += 7) progress.report(percent, undefined)
  expect(sent.map(([percent]) => percent)).toEqual([0, 3, 6, 9])
  progress.flush()
})

it('takes any number for a percentage', () => {
  const { sent, progress } = open()
  for (const percent of [-1, Number.NaN, Number.POSITIVE_INFINITY, 50.5, '7' as never, undefined as never]) {
    progress.report(percent, undefined)
    progress.flush()
  }
  expect(sent.map(([percent]) => percent)).toEqual([0, 0, 100, 50.5, 7, 0])
})
