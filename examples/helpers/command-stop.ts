import { createSupervisor, defineCommand } from '../../src/index.ts'

// Hears no SIGTERM, and neither does what it started.
const stubborn = defineCommand({
  name: 'stubborn',
  command: `trap '' TERM; sleep 600 & echo started; wait; wait`,
  graceMs: 100,
  onLine: (line) => {
    if (line === 'started') run.cancel('not needed any more')
  },
})

await using supervisor = createSupervisor()
await supervisor.start()

const run = supervisor.submit(stubborn)
await run.result.catch((error) => console.log(error.code, error.step)) // → ERR_TASK_CANCELLED kill
