import { createSupervisor, defineTask } from '../../src/index.ts'

await using supervisor = createSupervisor({ id: 'shop' })
await supervisor.start()
const inspector = await supervisor.serveInspector({ port: 0 })
console.log(inspector.address.startsWith('http://127.0.0.1:')) // → true

// What its page does, in a few lines: any program may.
const feed = new WebSocket(new URL('feed', inspector.address.replace('http', 'ws')))
const ended = Promise.withResolvers<void>()
feed.addEventListener('message', ({ data }) => {
  const message = JSON.parse(String(data))
  if (message.type === 'hello') console.log(message.sources.supervisor.id, message.access) // → shop look
  for (const { name, from, to } of message.events ?? []) {
    if (to === 'finished') console.log(name, from) // → greet running.executing
    if (to === 'finished') ended.resolve()
  }
})
await new Promise((resolve) => feed.addEventListener('open', resolve))
supervisor.submit(defineTask({ name: 'greet' }, () => 'hello'))
await ended.promise
feed.close()
