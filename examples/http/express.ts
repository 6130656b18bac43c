import '../support/scratch.ts'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { createHttpHandler, taskqueueLocation, toNodeListener } from '../../src/runtime/http/index.ts'
import { sendMail } from './mail-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
const api = createHttpHandler({ queue, tasks: [sendMail], basePath: '/queue' })

const app = express()
app.use('/queue', toNodeListener(api)) // before express.json(), which would take the bodies
app.post('/users/:name', async (request, response) => {
  const to = `${request.params.name}@example.org`
  const task = await queue.enqueue(sendMail, { to, text: 'Welcome' }, { runId: 'w1' })
  response.status(202).set(taskqueueLocation(task, '/queue')).json({ to })
})

const server = app.listen(0)
const site = `http://localhost:${(server.address() as AddressInfo).port}`
const { status, headers } = await fetch(`${site}/users/ada`, { method: 'POST' })
console.log(status, headers.get('taskqueue-location')) // → 202 /queue/tasks/w1
const task = await fetch(site + headers.get('taskqueue-location'))
console.log(JSON.parse(await task.text()).state) // → queued
server.close()
server.closeAllConnections()
