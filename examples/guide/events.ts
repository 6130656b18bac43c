import diagnostics from 'node:diagnostics_channel'
import { createSupervisor } from '../../src/index.ts'
import { greet } from './tasks.ts'

const failures = diagnostics.channel('stateward:task.finished')
const onFinished = (payload: unknown): void => console.log('channel', (payload as { name: string }).name)
failures.subscribe(onFinished)

const actors: string[] = []
const supervisor = createSupervisor({
  id: 'shop',
  hooks: { 'supervisor.started': ({ supervisor: id }) => console.log('hook', id) },
  inspect: (event) => {
    if (event.type === '@xstate.actor') actors.push((event.actorRef as unknown as { id: string }).id)
  },
})
const off = supervisor.on('task.finished', ({ name, value }) => console.log('on', name, value))
await supervisor.start()
await supervisor.submit(greet, 'Ada', { runId: 'r1' }).result
off()
console.log(actors)

const events = supervisor.events({ buffer: 100 })
supervisor.submit(greet, 'Bob')
for await (const { type } of events) {
  if (type === 'task.admitted') break
  console.log(type)
}
await supervisor.stop()
