import '../support/scratch.ts'
import { chain, createSupervisor } from '../../src/index.ts'
import { createDaemon, openQueue } from '../../src/runtime/durable/index.ts'
import * as albumTasks from './album-tasks.ts'
import { count, publish } from './album-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
await using supervisor = createSupervisor()
await supervisor.start()
await using daemon = createDaemon({ queue, supervisor, tasks: [albumTasks] })
await daemon.start()

const { id } = await queue.enqueue(count, { folders: [['sea', 'tree'], [], ['cat']], photos: 0 })
console.log(await queue.wait(id)) // → 3
const { step, input } = (await queue.get(id)) ?? {}
console.log(step, input) // → 3 { folders: [], photos: 3 }

// Calls one after the other, as one task; the value of the last one is the result.
const both = chain([count.call({ folders: [['cat']], photos: 0 }), publish.call('the year')])
console.log(await queue.wait(await queue.enqueue(both))) // → the year is online
