import '../support/scratch.ts'
import fastify from 'fastify'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { createHttpHandler, taskqueueLocation, toNodeListener } from '../../src/runtime/http/index.ts'
import { sendMail } from './mail-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
const api = toNodeListener(createHttpHandler({ queue, tasks: [sendMail], basePath: '/queue' }))

const app = fastify()
app.register(async (scope) => {
  scope.removeAllContentTypeParsers() // bodies are read by the API
  scope.addContentTypeParser('*', (_request, _body, done) => done(null))
  scope.all('/queue/*', (request, reply) => {
    reply.hijack()
    return api(request.raw, reply.raw)
  })
})
app.post('/users/:name', async (request, reply) => {
  const to = `${(request.params as { name: string }).name}@example.org`
  const task = await queue.enqueue(sendMail, { to, text: 'Welcome' }, { runId: 'w1' })
  return reply.code(202).headers(taskqueueLocation(task, '/queue')).send({ to })
})

const site = await app.listen()
const { status, headers } = await fetch(`${site}/users/ada`, { method: 'POST' })
console.log(status, headers.get('taskqueue-location')) // → 202 /queue/tasks/w1
const at = site + headers.get('taskqueue-location')
console.log(JSON.parse(await (await fetch(at)).text()).state) // → queued
const cancelled = await fetch(`${at}/cancel`, { method: 'POST' })
console.log(cancelled.status, await cancelled.text()) // → 200 {"result":"cancelled"}
await app.close()
