/**
 * pg-boss driven raw, in its best batched form: two loops that fetch 500 jobs, look at each, and complete them all, so
 * that one loop waits for the database while the other one works. It finds new jobs by asking again and again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { PgBoss } from 'pg-boss'
import type { Engine } from './engine.ts'

const BATCH = 500
const LOOPS = 2
/** Before it asks again where there was nothing. */
const POLL_MS = 5

interface Data {
  readonly input: number
}

async function open(url: string, name: string): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false })
  boss.on('error', (error) => console.error(error))
  await boss.start()
  await boss.createQueue(name)
  return boss
}

export const pgBoss: Engine = {
  async producer({ url, queue: name }) {
    const boss = await open(url, name)
    return {
      add: (input) => boss.send(name, { input }),
      addMany: (inputs) =>
        boss.insert(
          name,
          inputs.map((input) => ({ data: { input } })),
        ),
      close: () => boss.stop({ graceful: false }),
    }
  },

  async worker({ url, queue: name }, handler) {
    const boss = await open(url, name)
    let done = 0
    let isOver = false
    const loop = async (): Promise<void> => {
      while (!isOver) {
        const jobs = await boss.fetch<Data>(name, { batchSize: BATCH })
        if (jobs.length === 0) {
          await sleep(POLL_MS)
          continue
        }
        for (const { data } of jobs) handler(data.input)
        await boss.complete(
          name,
          jobs.map(({ id }) => id),
        )
        done += jobs.length
      }
    }
    const loops = Array.from({ length: LOOPS }, loop)
    return {
      get done() {
        return done
      },
      // What `complete` has answered is committed.
      isStored: async (expected) => done >= expected,
      async close() {
        isOver = true
        await Promise.all(loops)
        await boss.stop({ graceful: false })
      },
    }
  },
}
