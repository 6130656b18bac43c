import '../support/scratch.ts'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { sendMail } from './mail-tasks.ts'

const queue = await openQueue({ url: 'sqlite:./tasks.db', by: 'web' })

const server = createServer(async (request, response) => {
  const [, name = ''] = request.url?.split('/') ?? []
  if (request.method === 'POST') {
    const { id } = await queue.enqueue(sendMail, { to: `${name}@example.org`, text: 'Hello' })
    response.writeHead(202, { location: `/${id}` }).end()
  } else {
    const task = await queue.get(name)
    response.writeHead(task === undefined ? 404 : 200).end(JSON.stringify(task))
  }
})
server.listen(0)

const site = `http://localhost:${(server.address() as AddressInfo).port}`
const { status, headers } = await fetch(`${site}/ada`, { method: 'POST' })
console.log(status) // → 202
const answer = await fetch(site + headers.get('location'))
console.log(JSON.parse(await answer.text()).state) // → queued
console.log((await fetch(`${site}/nobody`)).status) // → 404
server.close()
await queue.close()
