import '../support/scratch.ts'
import { createSupervisor } from '../../src/index.ts'
import { createDaemon, openQueue } from '../../src/runtime/durable/index.ts'
import { sendMail } from './mail-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
await using supervisor = createSupervisor()
await supervisor.start()

// A port of 0 is any that is free. The API comes and goes with the daemon.
const daemon = createDaemon({ queue, supervisor, tasks: [sendMail], http: { port: 0 } })
await daemon.start()

const api = daemon.http?.url
const made = await fetch(`${api}/tasks`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ task: 'mail.send', input: { to: 'ada@example.org', text: 'Hello' } }),
})
console.log(made.status) // → 201

// The stream of a task ends with it.
const stream = await fetch(`${api}${made.headers.get('location')}/events`)
const events = (await stream.text()).split('\n\n').filter((event) => event.startsWith('event: task'))
const [, data = ''] = /^data: (.*)$/m.exec(events.at(-1) ?? '') ?? []
console.log(JSON.parse(data).result) // → { to: 'ada@example.org', characters: 5 }
