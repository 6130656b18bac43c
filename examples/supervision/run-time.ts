import { type EventObject, fromCallback } from 'xstate'
import { createSupervisor } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const heart = fromCallback<EventObject, { everyMs: number }>(({ input }) => {
  const timer = setInterval(() => {}, input.everyMs)
  return () => clearInterval(timer)
})
const beats = supervisor.group('beats')
for (const id of ['fast', 'slow']) beats.spawn(heart, { id, input: { everyMs: 1_000 }, restart: 'transient' })

await supervisor.child('beats/fast')?.stop()
await supervisor.child('beats/slow')?.restart()
for (const { path, kind, state, restarts } of supervisor.which()) console.log(path, kind, state, restarts)
// → beats group running 0
// → beats/fast actor stopped 0
// → beats/slow actor running 1
await supervisor.child('beats/fast')?.remove()
console.log(supervisor.count()) // → { specs: 2, active: 2, kinds: { group: 1, actor: 1 } }
