import { createSupervisor, defineTask, type Run } from '../../src/index.ts'
import { count, polite, spin } from './thread-tasks.ts'

const deaf = defineTask({ name: 'deaf', graceMs: 50 }, (_, ctx) => {
  ctx.progress(1)
  return new Promise<void>(() => {})
})

await using supervisor = createSupervisor()
await supervisor.start()

async function cancel(run: Run): Promise<void> {
  await run.progress().next()
  run.cancel('enough')
  await run.result.catch(({ reason, step }) => console.log(run.name, run.execution, reason, step))
}

await cancel(supervisor.submit(polite)) // → polite process enough signal
await cancel(supervisor.submit(count)) // → count thread enough signal
await cancel(supervisor.submit(spin, undefined, { execution: 'thread' })) // → spin thread enough kill
await cancel(supervisor.submit(deaf)) // → deaf async enough abandon
console.log(supervisor.info().abandoned) // → 1

const waiting = supervisor.submit(deaf, undefined, { delayMs: 60_000 })
console.log(waiting.cancel(), waiting.state, waiting.step) // → true cancelled none
console.log(waiting.cancel()) // → false
