import { createSupervisor } from '../../src/index.ts'
import { crash, where } from './thread-tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

for (const execution of ['main', 'async', 'thread', 'process'] as const) {
  const { pid, isMainThread } = await supervisor.submit(where, undefined, { execution }).result
  console.log(execution, pid === process.pid ? 'same process' : 'other process', isMainThread)
}
// → main same process true
// → async same process true
// → thread same process false
// → process other process true

const run = supervisor.submit(crash, undefined, { execution: 'process' })
console.log(await run.result.catch((error) => error.code)) // → ERR_TASK_CRASHED
