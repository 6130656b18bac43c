import { createSupervisor } from '../../src/index.ts'
import { wait } from './tasks.ts'

await using supervisor = createSupervisor({ pool: { size: 1, reserveNormal: 0, reserveHigh: 0 } })
await supervisor.start()
supervisor.on('task.queueWarning', ({ queueMs }) => console.log(queueMs >= 10)) // → true

const first = supervisor.submit(wait, 'holds the slot', { runTimeoutMs: 60 })
const second = supervisor.submit(wait, 'waits', { queueWarningMs: 10, queueTimeoutMs: 20 })
const third = supervisor.submit(wait, 'waits too', { deadlineMs: 40 })

for (const run of [second, third, first]) {
  const error = await run.result.catch((reason) => reason)
  console.log(error.name, run.outcome?.kind, error.reason, run.step)
}
// → QueueTimeoutError terminated queueTimeout none
// → DeadlineError terminated deadline none
// → RunTimeoutError terminated runTimeout signal
