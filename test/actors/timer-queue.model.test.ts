/** Property test: the timer queue against an array that is searched. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Timer } from '../../src/actors/armed-timers.ts'
import { TimerQueue } from '../../src/actors/timer-queue.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'

interface ModelTimer {
  readonly due: number
  readonly id: number
  live: boolean
}

test('any mix of arming, cancelling and time behaves like a sorted list', () => {
  const command = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('arm' as const), delay: fc.integer({ min: -5, max: 60 }) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick: fc.nat(200) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(40) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('armMany' as const),
        count: fc.nat(150),
        cancelEvery: fc.integer({ min: 1, max: 4 }),
      }),
    },
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 120 }), (commands) => {
      const clock = new ManualClock()
      const queue = new TimerQueue(clock)
      const model: ModelTimer[] = []
      const timers: Timer[] = []
      const fired: number[] = []
      const owner = { onTimer: (kind: string | number) => fired.push(kind as number) }
      const arm = (delay: number): void => {
        const due = clock.monotonic() + delay
        timers.push(queue.arm(due, owner, model.length))
        model.push({ due, id: model.length, live: true })
      }
      const cancel = (id: number): void => {
        expect(queue.cancel(timers[id]!)).toBe(model[id]!.live)
        model[id]!.live = false
      }
      for (const step of commands) {
        if (step.do === 'arm') arm(step.delay)
        else if (step.do === 'cancel' && model.length > 0) cancel(step.pick % model.length)
        else if (step.do === 'armMany') {
          for (let index = 0; index < step.count; index++) {
            arm(index % 61)
            if (index % step.cancelEvery === 0) cancel(model.length - 1)
          }
        } else if (step.do === 'advance') {
          const target = clock.monotonic() + step.ms
          const expected = model.filter((timer) => timer.live && timer.due <= target)
          expected.sort((a, b) => a.due - b.due || a.id - b.id)
          for (const timer of expected) timer.live = false
          fired.length = 0
          clock.advanceSync(step.ms)
          expect(fired).toEqual(expected.map((timer) => timer.id))
        }
        const live = model.filter((timer) => timer.live)
        expect(queue.size).toBe(live.length)
        expect(clock.pending).toBe(live.length > 0 ? 1 : 0)
        expect(queue.nextDue).toBe(live.length > 0 ? Math.min(...live.map((timer) => timer.due)) : undefined)
        expect(queue.held).toBeLessThanOrEqual(Math.max(2 * queue.size, queue.size + 64))
      }
      expect(timers.map((timer) => timer.live)).toEqual(model.map((timer) => timer.live))
      queue.close()
      expect(clock.pending).toBe(0)
    }),
    { numRuns: 300 },
  )
})
