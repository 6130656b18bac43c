/** Items and results of a queue worker have the types of its task or handler. */
import { expectTypeOf, test } from 'vitest'
import {
  createSupervisor,
  defineTask,
  type HandlerContext,
  type QueueExit,
  type QueueWorker,
  type Scheduler,
  type Worker,
} from '../../../src/index.ts'
import type { WorkerExit } from '../../../src/machines/index.ts'

const supervisor = createSupervisor()
const task = defineTask({ name: 'length' }, (text: string) => text.length)

test('a queue of a task takes its input and gives its output', () => {
  const queue = supervisor.workers.queue({ name: 'a', task })
  expectTypeOf(queue).toEqualTypeOf<QueueWorker<string, number>>()
  expectTypeOf(queue.run('text')).resolves.toEqualTypeOf<number>()
  expectTypeOf(queue.put).parameter(0).toEqualTypeOf<string>()
  expectTypeOf(queue.stop()).resolves.toEqualTypeOf<QueueExit<string>>()
  // @ts-expect-error items are texts
  void queue.put(7)
  // @ts-expect-error and so are those of the source
  supervisor.workers.queue({ name: 'b', task, source: [1, 2] })
  // @ts-expect-error the items are the inputs
  supervisor.workers.queue({ name: 'c', task, input: 'text' })
})

test('a queue of a handler has the types of the handler', () => {
  const queue = supervisor.workers.queue({ name: 'd', handler: (item: { id: number }) => `${item.id}` })
  expectTypeOf(queue).toEqualTypeOf<QueueWorker<{ id: number }, string>>()
  expectTypeOf(queue.putMany([{ id: 1 }])).resolves.toEqualTypeOf<number>()
  async function* source() {
    yield { id: 1 }
  }
  supervisor.workers.queue({ name: 'e', source: source(), handler: (item) => item.id })
})

test('a queue worker is a worker', () => {
  expectTypeOf<QueueWorker<string>>().toExtend<Worker>()
  expectTypeOf<QueueExit<string>>().toExtend<WorkerExit>()
})

test('handlers reach workers by name; schedulers have the shape of their loop', () => {
  expectTypeOf<HandlerContext['supervisor']['put']>().returns.resolves.toEqualTypeOf<void>()
  expectTypeOf<Scheduler['loop']>().parameter(0).toEqualTypeOf<AbortSignal>()
  // @ts-expect-error one without a loop is registered with registerSync
  supervisor.register({ stop() {} })
  supervisor.registerSync({ stop() {} })
})
