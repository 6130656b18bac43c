/** BullMQ on Redis, with its own defaults: what has completed is kept, with its result, as ours is. */
import { Queue, Worker } from 'bullmq'
import { CONCURRENCY, type Engine } from './engine.ts'

export const bullmq: Engine = {
  async producer({ url, queue: name }) {
    const queue = new Queue<number>(name, { connection: { url } })
    await queue.waitUntilReady()
    return {
      add: (input) => queue.add('noop', input),
      addMany: (inputs) => queue.addBulk(inputs.map((data) => ({ name: 'noop', data }))),
      close: () => queue.close(),
    }
  },

  async worker({ url, queue: name }, handler) {
    const queue = new Queue<number>(name, { connection: { url } })
    let done = 0
    const worker = new Worker<number>(name, async ({ data }) => handler(data), {
      connection: { url },
      concurrency: CONCURRENCY,
    })
    worker.on('completed', () => {
      done += 1
    })
    await worker.waitUntilReady()
    return {
      get done() {
        return done
      },
      isStored: async (expected) => (await queue.getCompletedCount()) >= expected,
      async close() {
        await worker.close()
        await queue.close()
      },
    }
  },
}
