import { createMachine } from 'xstate'
import { createSupervisor } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const part = createMachine({
  initial: 'up',
  states: {
    up: { on: { 'child.stop': 'over', break: 'broken' } },
    over: { type: 'final' },
    broken: { entry: crash },
  },
})
function crash(): void {
  throw new Error('broken')
}

const pipeline = supervisor.group('pipeline', {
  strategy: 'rest-for-one',
  backoff: { kind: 'fixed', initialMs: 10 },
})
const [reader, parser, writer] = ['reader', 'parser', 'writer'].map((id) => pipeline.spawn(part, { id }))
const calm = new Promise((resolve) =>
  supervisor.on('child.restarted', ({ child }) => child === writer?.path && resolve(child)),
)
parser?.actor?.send({ type: 'break' })
for (const { path, state } of pipeline.which()) console.log(path, state)
// → pipeline/reader running
// → pipeline/parser backingOff
// → pipeline/writer backingOff
await calm
console.log(reader?.restarts, parser?.restarts, writer?.restarts) // → 0 1 1
