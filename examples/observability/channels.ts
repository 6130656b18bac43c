import { subscribe, tracingChannel } from 'node:diagnostics_channel'
import { createSupervisor } from '../../src/index.ts'
import { greet } from './greet-tasks.ts'

subscribe('stateward:task.finished', (message) => {
  const { name, value } = message as { name: string; value: unknown }
  console.log(name, value)
})
tracingChannel('stateward:attempt').subscribe({
  start: (message) => console.log('start', (message as { name: string }).name),
  end() {},
  asyncStart() {},
  asyncEnd: (message) => console.log('end', (message as { result?: unknown }).result),
  error: (message) => console.log('error', (message as { error: unknown }).error),
})

await using supervisor = createSupervisor()
await supervisor.start()
await supervisor.submit(greet, 'Ada').result
// → start greet
// → end hello Ada
// → greet hello Ada
