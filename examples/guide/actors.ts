import { createActor, setup, waitFor } from 'xstate'
import { createSupervisor, fromTask } from '../../src/index.ts'
import { digest, wait } from './tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const machine = setup({
  actors: { digest: fromTask(supervisor, digest, { priority: 'high' }) },
}).createMachine({
  initial: 'digesting',
  states: {
    digesting: { invoke: { src: 'digest', input: 'a text', onDone: 'done', onError: 'failed' } },
    done: { type: 'final' },
    failed: { type: 'final' },
  },
})
const actor = createActor(machine).start()
const end = await waitFor(actor, ({ status }) => status === 'done')
console.log(end.value) // → done

const run = supervisor.submit(wait, 'watched')
run.actor.subscribe(({ value }) => console.log(value))
supervisor.on('task.started', () => run.actor.send({ type: 'task.cancel', reason: 'by its actor' }))
await run.result.catch(({ reason }) => console.log(reason))
// → { running: 'executing' }
// → { running: { stopping: 'signalled' } }
// → cancelled
// → by its actor
console.log(supervisor.actor.getSnapshot().value) // → running
