import { Piscina } from 'piscina'
import { createSupervisor, type Executor } from '../../src/index.ts'
import { digest } from './tasks.ts'
import { where } from './thread-tasks.ts'

const piscina = new Piscina({ minThreads: 0, maxThreads: 2 })
const supervisor = createSupervisor({ executors: { thread: piscina }, pool: { maxThreads: 2 } })
await supervisor.start()
console.log(await supervisor.submit(digest, 'Ada').result, piscina.threads.length) // → 99a563ab 1
await supervisor.stop()
console.log(piscina.threads.length)
await piscina.destroy()

const executor: Executor = {
  start(job, listener) {
    const load = async (): Promise<void> => {
      listener.started(Date.now())
      listener.settled({ type: 'returned', value: `${job.name} ran elsewhere` })
    }
    load().catch((error) => listener.settled({ type: 'crashed', error }))
    const end = (): void => listener.settled({ type: 'crashed', error: new Error('killed') })
    return { signal() {}, terminate: end, kill: end }
  },
  resize() {},
  warm: async () => {},
  live: 0,
  idle: 0,
  close: async () => {},
}
await using other = createSupervisor({ executors: { process: executor } })
await other.start()
console.log(await other.submit(where, undefined, { execution: 'process' }).result) // → where ran elsewhere
