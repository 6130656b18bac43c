import { createSupervisor } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()

let reads = 0
const reader = supervisor.workers.plain({
  name: 'reader',
  backoff: { kind: 'fixed', initialMs: 5, jitter: 'none' },
  handler: () => {
    reads += 1
    if (reads === 2) throw new Error('the line is dead')
    return reads < 4
  },
  onError: (error) => console.log(((error as Error).cause as Error).message), // → the line is dead
})
await reader.ended
console.log(reads, reader.info().failures) // → 4 1
