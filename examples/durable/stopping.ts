import '../support/scratch.ts'
import { setTimeout } from 'node:timers/promises'
import { pino } from 'pino'
import { createSupervisor } from '../../src/index.ts'
import { createDaemon, openQueue } from '../../src/runtime/durable/index.ts'
import { defineTask } from '../../src/task.ts'

const begun = Promise.withResolvers<void>()
const count = defineTask({ name: 'count' }, async (upTo: number, ctx) => {
  for (let at = 1; at <= upTo; at += 1) {
    begun.resolve()
    await setTimeout(10, undefined, { signal: ctx.signal })
  }
  return upTo
})

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
await using supervisor = createSupervisor({ pool: { size: 1 }, logger: pino({ level: 'silent' }) })
await supervisor.start()
const daemon = createDaemon({ queue, supervisor, tasks: [count] })
await daemon.start()
const long = await queue.enqueue(count, 1_000_000)
const next = await queue.enqueue(count, 1)
await begun.promise

// Claims nothing more. What runs may end by itself for 100 ms, then it has 100 ms more from its signal on.
await daemon.stop({ wait: 200, graceMs: 100 })
for (const task of [long, next]) {
  const { state, attempt } = (await queue.get(task)) ?? {}
  console.log(state, attempt)
}
// → queued 0
// → queued 0
console.log((await queue.status()).daemons.length) // → 0
