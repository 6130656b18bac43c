/** What a worker is made of is checked by its types: one piece of work, one schedule, the input that its runs need. */
import { expectTypeOf, test } from 'vitest'
import {
  type CronWorker,
  createSupervisor,
  defineTask,
  type EventWorker,
  type IntervalTimes,
  type IntervalWorker,
  type IntervalWorkerOptions,
  type PlainWorker,
  type RruleWorker,
  type Worker,
} from '../../../src/index.ts'

const { workers } = createSupervisor()
const square = defineTask({ name: 'square' }, (side: number) => `${side * side}`)
const plain = defineTask({ name: 'plain' }, () => 5)
const handler = (): void => {}
const name = 'w'

test('every worker is a worker, whatever its runs take and give', () => {
  const worker: Worker = workers.interval({ name, task: square, input: 5, intervalMs: 3 })
  expectTypeOf(worker.start).toBeCallableWith({ times: 2, onError: () => {} })
  expectTypeOf<IntervalWorker<number, string>>().toExtend<Worker>()
  expectTypeOf<EventWorker<number, string>>().toExtend<Worker>()
  expectTypeOf<PlainWorker<number, string>>().toExtend<Worker>()
  expectTypeOf<CronWorker<number, string>>().toExtend<Worker>()
  expectTypeOf<RruleWorker<number, string>>().toExtend<Worker>()
})

test('a worker runs a task or a handler', () => {
  expectTypeOf(workers.plain({ name, task: plain })).toEqualTypeOf<PlainWorker<void, number>>()
  expectTypeOf(workers.plain({ name, handler: () => 'text' })).toEqualTypeOf<PlainWorker<void, string>>()
  // @ts-expect-error nothing to run
  workers.plain({ name })
  // @ts-expect-error two things to run
  workers.event({ name, task: plain, handler })
  // @ts-expect-error nothing to run
  workers.interval({ name, intervalMs: 3 })
  // @ts-expect-error nothing to run
  workers.cron({ name, cron: '* * * * *' })
  // @ts-expect-error two things to run
  workers.rrule({ name, rrule: 'FREQ=DAILY', task: plain, handler })
  // @ts-expect-error nothing to run
  workers.queue({ name })
})

test('its input is needed if its runs need one, and has their type', () => {
  workers.interval({ name, task: plain, intervalMs: 3 })
  workers.interval({ name, task: square, intervalMs: 3, input: () => 7 })
  workers.interval({ name, intervalMs: 3, input: { side: 3 }, handler: (input) => input.side })
  workers.interval({ name, intervalMs: 3, input: () => ({ side: 3 }), handler: (input) => input.side })
  workers.interval({ name, intervalMs: 3, handler: (_, ctx) => ctx.signal.aborted })
  workers.event({ name, handler: (input: number | undefined) => input })
  // @ts-expect-error no input
  workers.interval({ name, task: square, intervalMs: 3 })
  // @ts-expect-error no input
  workers.cron({ name, task: square, cron: '* * * * *' })
  // @ts-expect-error no input
  workers.plain({ name, handler: (input: number) => input })
  // @ts-expect-error not a number
  workers.interval({ name, task: square, intervalMs: 3, input: 'text' })
  workers.interval({ name, task: square, input: 5, intervalMs: 3, afterResult: (text) => text.length > 3 })
})

test('an interval worker has one schedule', () => {
  workers.interval({ name, handler, delayBeforeMs: 4 })
  workers.interval({ name, handler, delayBeforeMs: 4, intervalMs: 3 })
  workers.interval({ name, handler, delayBeforeMs: 4, delayAfterMs: 3 })
  // @ts-expect-error none
  workers.interval({ name, handler })
  // @ts-expect-error two
  workers.interval({ name, handler, intervalMs: 3, delayAfterMs: 4 })
  // @ts-expect-error one that does not exist
  workers.interval({ name, handler, everyMs: 3 })
  // @ts-expect-error none
  workers.cron({ name, handler })
  // @ts-expect-error none
  expectTypeOf({}).toExtend<IntervalTimes>()
  expectTypeOf<{ name: string; handler(): void; intervalMs: number }>().toExtend<IntervalWorkerOptions>()
})
