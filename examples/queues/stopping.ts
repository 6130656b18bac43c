import { setTimeout as sleep } from 'node:timers/promises'
import { createSupervisor } from '../../src/index.ts'

const supervisor = createSupervisor()
await supervisor.start()

const handler = async () => {
  await sleep(50)
}
const drained = supervisor.workers.queue<number>({ name: 'drained', handler })
await drained.putMany([1, 2])
console.log(await drained.stop()) // → { kind: 'stopped', returned: [] }

const handed = supervisor.workers.queue<number>({ name: 'handed', onStop: 'return', handler })
await handed.putMany([1, 2, 3])
await sleep(10)
console.log(await handed.stop()) // → { kind: 'stopped', returned: [ 2, 3 ] }
await handed.put(4).catch((error) => console.log(error.code)) // → ERR_WORKER_STOPPED

const long = supervisor.workers.queue<number>({
  name: 'long',
  handler: (_, ctx) => sleep(60_000, undefined, { signal: ctx.signal }),
})
await long.putMany([1, 2, 3])
await sleep(10)
const report = await supervisor.stop({ wait: 100, graceMs: 50 })
console.log(report.returned) // → { long: [ 2, 3 ] }
