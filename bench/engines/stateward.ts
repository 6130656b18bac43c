/** Our own: `openQueue` on one side, `createDaemon` on the other. */
import { pino } from 'pino'
import { createSupervisor, defineTask } from '../../src/index.ts'
import { createDaemon, openQueue, type Queue } from '../../src/runtime/durable/index.ts'
import { CONCURRENCY, type Engine } from './engine.ts'

const noop = (handler: (input: number) => void) =>
  defineTask({ name: 'noop', module: import.meta.url }, (input: number) => handler(input))

/** Whoever adds needs the definition only. */
const definition = noop(() => {})

const open = (url: string): Promise<Queue> => openQueue({ url, migrate: true })

export const stateward: Engine = {
  async producer({ url }) {
    const queue = await open(url)
    return {
      add: (input) => queue.enqueue(definition, input),
      addMany: (inputs) => queue.enqueueMany(inputs.map((input) => definition.call(input))),
      close: () => queue.close(),
    }
  },

  async worker({ url }, handler) {
    const queue = await open(url)
    const before = (await queue.counts()).finished
    const pool = { size: CONCURRENCY, reserveNormal: 0, reserveHigh: 0 }
    const supervisor = createSupervisor({ pool, logger: pino({ level: 'silent' }) })
    await supervisor.start()
    const daemon = createDaemon({ queue, supervisor, tasks: [noop(handler)] })
    await daemon.start()
    return {
      get done() {
        return daemon.info().counts.finished ?? 0
      },
      isStored: async (done) => (await queue.counts()).finished - before >= done,
      async close() {
        await supervisor.stop({ wait: 5_000 })
        await queue.close()
      },
    }
  },
}
