import { fromPromise } from 'xstate'
import { createSupervisor } from '../../src/index.ts'

await using supervisor = createSupervisor({ supervision: { backoff: { initialMs: 10 } } })
await supervisor.start()
supervisor.on('child.failed', ({ child }) => console.log(child, 'failed'))
supervisor.on('child.restarted', ({ child, restarts }) => console.log(child, 'lives again', restarts))

let tries = 0
const connect = fromPromise(async () => {
  tries += 1
  if (tries < 3) throw new Error('refused')
  return `connected at try ${tries}`
})
const transient = supervisor.spawn(connect, { id: 'transient', restart: 'transient' })
console.log(await transient.ended)
// → transient failed
// → transient lives again 1
// → transient failed
// → transient lives again 2
// → { kind: 'done', output: 'connected at try 3' }

tries = 0
const temporary = supervisor.spawn(connect, { id: 'temporary', restart: 'temporary' })
console.log((await temporary.ended).kind, temporary.state)
// → temporary failed
// → failed removed
