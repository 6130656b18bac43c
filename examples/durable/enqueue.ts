import '../support/scratch.ts'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { sendMail } from './mail-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })

const { id } = await queue.enqueue(sendMail, { to: 'ada@example.org', text: 'Hello' })
// It is committed: whatever happens to this process, the task is there.

const task = await queue.get(id)
console.log(task?.state, task?.description) // → queued mail to ada@example.org
console.log(await queue.counts().then(({ queued }) => queued)) // → 1
