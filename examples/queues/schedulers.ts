import { setTimeout as sleep } from 'node:timers/promises'
import { createSupervisor, defineTask } from '../../src/index.ts'

const poll = defineTask({ name: 'poll' }, (url: string) => console.log(`poll ${url}`))

await using supervisor = createSupervisor()

const poller = {
  async loop(signal: AbortSignal) {
    for (const url of ['a', 'b']) {
      if (signal.aborted) return
      await supervisor.submit(poll, url).result
    }
    await sleep(60_000, undefined, { signal })
  },
  stop: () => console.log('told to stop'),
}
supervisor.register(poller, { name: 'poller' }) // kept, and started with the supervisor
await supervisor.start()
await sleep(50)
// → poll a
// → poll b
console.log(supervisor.child('poller')?.state, supervisor.info().schedulers.registered) // → running 1
await supervisor.unregister('poller') // by its name, or by itself
// → told to stop

const timer = setInterval(() => {}, 1_000)
supervisor.registerSync({ stop: () => clearInterval(timer) })
