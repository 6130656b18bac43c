import { createSupervisor, defineTask, type Run } from '../../src/index.ts'
import { count, polite, spin } from './thread-tasks.ts'

const deaf = defineTask({ name: 'deaf', graceMs: 50 }, (_: void, ctx) => {
  ctx.progress(1)
  return new Promise<void>(() => {})
})

await using supervisor = createSupervisor()
await supervisor.start()

async function cancelled(run: Run): Promise<void> {
  if (run.progressed === undefined) await run.progress().next()
  run.cancel('enough')
  await run.result.catch((error) => console.log(run.name, run.execution, error.code, error.step))
}

await cancelled(supervisor.submit(polite)) // → polite process ERR_TASK_CANCELLED signal
await cancelled(supervisor.submit(spin, undefined, { execution: 'thread' })) // → 
await cancelled(supervisor.submit(spin, undefined, { execution: 'process' })) // → 
await cancelled(supervisor.submit(deaf)) // →
console.log(supervisor.info().abandoned) // → 1
const waiting = supervisor.submit(deaf, undefined, { delayMs: 1_000 })
waiting.cancel()
console.log(waiting.state, waiting.step) // → cancelled none
void count
