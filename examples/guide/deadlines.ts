import { createSupervisor, DeadlineError, QueueTimeoutError, RunTimeoutError } from '../../src/index.ts'
import { wait } from './tasks.ts'

await using supervisor = createSupervisor({ pool: { size: 1, reserveNormal: 0, reserveHigh: 0 } })
await supervisor.start()

const first = supervisor.submit(wait, 'holds the slot', { runTimeoutMs: 60 })
const second = supervisor.submit(wait, 'waits too long', { queueTimeoutMs: 20, queueWarningMs: 10 })
const third = supervisor.submit(wait, 'is too late', { deadlineMs: 40 })
supervisor.on('task.queueWarning', ({ queueMs }) => console.log(queueMs >= 10)) // → true

for (const run of [second, third, first]) {
  const error = await run.result.catch((reason) => reason)
  console.log(run.state, error.name, error.code)
}
// → terminated QueueTimeoutError ERR_TASK_QUEUE_TIMED_OUT
// → terminated DeadlineError ERR_TASK_DEADLINE_PASSED
// → terminated RunTimeoutError ERR_TASK_TIMED_OUT
void [DeadlineError, QueueTimeoutError, RunTimeoutError]
