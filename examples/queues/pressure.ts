import { setTimeout as sleep } from 'node:timers/promises'
import { createSupervisor } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const resize = supervisor.workers.queue<string>({
  name: 'resize',
  concurrency: 2,
  capacity: 3,
  handler: async () => {
    await sleep(20)
  },
})

for (let i = 0; i < 5; i++) await resize.put(`${i}.png`) // two run, three wait: all accepted at once
console.log(resize.tryPut('5.png')) // → false
const late = resize.put('6.png') // waits for room
console.log(resize.size, resize.waiting) // → 3 1
await late
console.log(resize.waiting) // → 0

const impatient = AbortSignal.timeout(1)
await resize.putMany(['7.png', '8.png', '9.png'], { signal: impatient }).catch((error) => {
  console.log(error.name) // → TimeoutError
})
resize.resize({ concurrency: 4, capacity: 100 })
