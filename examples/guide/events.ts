import diagnostics from 'node:diagnostics_channel'
import { pino } from 'pino'
import { createSupervisor } from '../../src/index.ts'
import { greet } from './tasks.ts'

const actors: unknown[] = []
const supervisor = createSupervisor({
  id: 'shop',
  logger: pino({ level: 'info' }, { write: (line) => console.log('log', JSON.parse(line).msg) }),
  hooks: { 'supervisor.started': (payload) => console.log('hook', payload.supervisor) },
  inspect: ({ type, actorRef }) => type === '@xstate.actor' && actors.push((actorRef as { id?: string }).id),
})
await supervisor.start()
// → hook shop
// → log supervisor.started

const off = supervisor.on('task.finished', ({ name, value }) => console.log(name, value))
diagnostics.subscribe('stateward:task.finished', (payload) => {
  console.log('channel', (payload as { runId: string }).runId)
})
await supervisor.submit(greet, 'Ada', { runId: 'r1' }).result
// → greet hello Ada
// → channel r1
console.log(actors) // → [ 'shop', 'tasks', 'loops', 'children', 'task:r1' ]
off()

const events = supervisor.events({ buffer: 100 })
supervisor.submit(greet, 'Bob').cancel('never mind')
for await (const { type, payload } of events) {
  if (type !== 'task.cancelled') continue
  console.log(type, payload.reason) // → task.cancelled never mind
  break
}
await supervisor.stop()
// → log supervisor.stopping
// → log supervisor.stopped
