import '../support/scratch.ts'
import { pino } from 'pino'
import { createSupervisor } from '../../src/index.ts'
import { createDaemon, openQueue } from '../../src/runtime/durable/index.ts'
import { report } from './report-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db', by: 'admin' })
await using supervisor = createSupervisor({ logger: pino({ level: 'silent' }) })
await supervisor.start()
await using daemon = createDaemon({
  queue,
  supervisor,
  tasks: [report],
  keep: { finished: { ageMs: 3_600_000 }, failed: { count: 10_000 } }, // the rest as usual
})
await daemon.start()

const { id } = await queue.enqueue(report, { from: '2026-01-01', days: 1_000 }, { runId: 'r1' })
await queue.wait(id).catch(({ cause }) => console.log(String(cause))) // → RangeError: more than a year
const { tasks } = await queue.deadLetters() // with class, message, stack and cause of what was thrown
for (const { state, reason, attempt, error } of tasks) console.log(state, reason, attempt, error?.message)
// → failed threw 2 more than a year

console.log(await queue.retryMany({ name: 'report' })) // → 1
await queue.wait(id).catch(() => {})
for (const { act } of await queue.log(id)) console.log(act)
// → created
// → started
// → attemptFailed
// → started
// → failed
// → retried
// → started
// → attemptFailed
// → started
// → failed
