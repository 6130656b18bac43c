import { createSupervisor } from '../../src/index.ts'
import { scan } from './reports-tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const index = supervisor.workers.queue<string>({
  name: 'index',
  capacity: 1,
  handler: (folder) => console.log(`index ${folder}`),
})
supervisor.workers.event({
  name: 'summary',
  handler: async () => console.log('summary'),
})
await supervisor.submit(scan, ['docs', 'src', 'test']).result
await index.stop()
// → index docs
// → index src
// → index test
// → summary
