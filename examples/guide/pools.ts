import { Piscina } from 'piscina'
import { createSupervisor, type Executor } from '../../src/index.ts'
import { digest } from './tasks.ts'
import { where } from './thread-tasks.ts'

const piscina = new Piscina({ maxThreads: 2 })
const borrowing = createSupervisor({ executors: { thread: piscina }, pool: { maxThreads: 2 } })
await borrowing.start()
console.log(await borrowing.submit(digest, 'Ada').result) // → 99a563ab
await borrowing.stop()
console.log(piscina.threads.length > 0) // → true
await piscina.destroy()

const elsewhere: Executor = {
  live: 0,
  idle: 0,
  resize() {},
  async warm() {},
  async close() {},
  start(job, listener) {
    const send = async (): Promise<string> => `${job.name} ran elsewhere`
    listener.started(Date.now())
    send().then(
      (value) => listener.settled({ type: 'returned', value }),
      (error) => listener.settled({ type: 'threw', error }),
    )
    const kill = (): void => listener.settled({ type: 'crashed', error: new Error('killed') })
    return { signal() {}, terminate: kill, kill }
  },
}
await using supervisor = createSupervisor({ executors: { process: elsewhere } })
await supervisor.start()
console.log(await supervisor.submit(where, undefined, { execution: 'process' }).result)
// → where ran elsewhere
