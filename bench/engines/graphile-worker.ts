/** graphile-worker in its fast form: a local queue of 500 jobs, completions in batches. Finished jobs are deleted. */
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import { CONCURRENCY, type Engine } from './engine.ts'

const LOCAL_QUEUE = 500

const logger = new Logger(() => () => {})

interface Payload {
  readonly input: number
}

export const graphileWorker: Engine = {
  async producer({ url: connectionString }) {
    const utils = await makeWorkerUtils({ connectionString, logger })
    await utils.migrate()
    return {
      add: (input) => utils.addJob('noop', { input }),
      addMany: (inputs) => utils.addJobs(inputs.map((input) => ({ identifier: 'noop', payload: { input } }))),
      close: async () => void (await utils.release()),
    }
  },

  async worker({ url: connectionString }, handler) {
    const utils = await makeWorkerUtils({ connectionString, logger })
    await utils.migrate()
    let done = 0
    const runner = await run({
      connectionString,
      logger,
      concurrency: CONCURRENCY,
      noHandleSignals: true,
      preset: { worker: { localQueue: { size: LOCAL_QUEUE }, completeJobBatchDelay: 0 } },
      taskList: { noop: (payload) => handler((payload as Payload).input) },
    })
    runner.events.on('job:success', () => {
      done += 1
    })
    return {
      get done() {
        return done
      },
      isStored: async (expected) => {
        const left = await utils.withPgClient((client) =>
          client.query<{ count: number }>('SELECT count(*)::int AS count FROM graphile_worker.jobs'),
        )
        return done >= expected && left.rows[0]?.count === 0
      },
      async close() {
        await runner.stop()
        await utils.release()
      },
    }
  },
}
