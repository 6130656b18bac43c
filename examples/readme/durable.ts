import { createSupervisor } from 'stateward'
import { createDaemon, openQueue } from 'stateward/durable'
import { digest } from './tasks.ts'

// The web process:
const queue = await openQueue({ url: 'sqlite:./tasks.db' })
const { id } = await queue.enqueue(digest, 'package.json', { priority: 'high', key: 'manifest' })

// The daemon: this, or `stateward daemon start --tasks ./tasks.ts`.
const supervisor = createSupervisor()
await supervisor.start()
await createDaemon({ queue, supervisor, tasks: [digest] }).start()

// Either of them, or a third one:
const { length } = await queue.wait<string>(id)
console.log(length, (await queue.get(id))?.state)

await supervisor.stop()
await queue.close()
