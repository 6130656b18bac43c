import '../support/scratch.ts'
import { Hono } from 'hono'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { createHttpHandler, taskqueueLocation } from '../../src/runtime/http/index.ts'
import { sendMail } from './mail-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
const api = createHttpHandler({ queue, tasks: [sendMail], basePath: '/queue' })

const app = new Hono()
app.mount('/queue', api)
app.post('/users/:name', async (context) => {
  const to = `${context.req.param('name')}@example.org`
  const task = await queue.enqueue(sendMail, { to, text: 'Welcome' }, { runId: `welcome ${to}` })
  return context.json({ to }, 202, taskqueueLocation(task, '/queue'))
})

const { status, headers } = await app.request('/users/ada', { method: 'POST' })
const at = headers.get('taskqueue-location') ?? ''
console.log(status, at) // → 202 /queue/tasks/welcome%20ada%40example.org
const task = await app.request(at)
console.log(JSON.parse(await task.text()).state) // → queued
