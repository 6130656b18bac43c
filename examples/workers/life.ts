import { createSupervisor } from '../../src/index.ts'

await using supervisor = createSupervisor()
const worker = supervisor.workers.interval<string>({
  name: 'poll',
  input: 'all',
  intervalMs: 1_000,
  handler: (input) => console.log('polls', input),
  hooks: {
    beforeStart: async () => console.log('opens'),
    afterStop: async () => console.log('closes'),
  },
})
console.log(worker.state) // → stopped
await supervisor.start()
// → opens
// → polls all
await worker.stop() // → closes

await worker.start({ input: 'some' })
// → opens
// → polls some
worker.pause()
console.log(worker.state) // → paused
worker.resume()
console.log(supervisor.workers.get('poll') === worker, worker.info().lives) // → true 2

await supervisor.workers.remove('poll') // → closes
console.log(supervisor.workers.list()) // → []
