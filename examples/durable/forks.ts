import '../support/scratch.ts'
import { pino } from 'pino'
import { createSupervisor } from '../../src/index.ts'
import { createDaemon, openQueue } from '../../src/runtime/durable/index.ts'
import { all } from '../../src/task.ts'
import * as albumTasks from './album-tasks.ts'
import { album, page, resize } from './album-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
await using supervisor = createSupervisor({ logger: pino({ level: 'silent' }) })
await supervisor.start()
await using daemon = createDaemon({ queue, supervisor, tasks: [albumTasks] })
await daemon.start()

const photos = ['sea.jpg', 'tree.jpg']
const { id } = await queue.enqueue(
  all(
    photos.map((photo) => resize.call(photo)),
    page,
  ),
  { runId: 'page' },
)
console.log(await queue.wait<string>(id)) // → sea.jpg at 800 px, tree.jpg at 800 px

const { tasks } = await queue.list({ parent: id, order: 'oldest' }) // tasks like all others
for (const child of tasks) console.log(child.id, child.state, child.result)
// → page.1.0 finished sea.jpg at 800 px
// → page.1.1 finished tree.jpg at 800 px

const broken = await queue.enqueue(all(['sea.jpg', 'notes.txt'].map((photo) => resize.call(photo))), {
  runId: 'bad',
})
await queue.wait(broken).catch(({ cause }) => {
  console.log(cause.message)
  for (const error of cause.errors) console.log(error.taskName, String(error.cause))
})
// → 1 of 2 calls failed; the first: Task "album.resize" (run bad.1.1) threw notes.txt is no photo
// → album.resize Error: notes.txt is no photo

console.log(await queue.wait(await queue.enqueue(album, photos))) // → album is online
