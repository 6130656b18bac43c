import '../support/scratch.ts'
import { createSupervisor } from '../../src/index.ts'
import { createDaemon, openQueue } from '../../src/runtime/durable/index.ts'
import { sendMail } from './mail-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
const { id } = await queue.enqueue(sendMail, { to: 'ada@example.org', text: 'Hello' })

// From here on it may be another program, started tomorrow.
await using supervisor = createSupervisor({ pool: { size: 8, reserveHigh: 2 } })
const daemon = createDaemon({ queue, supervisor, tasks: [sendMail] }) // or whole modules: tasks: [mailTasks]
await supervisor.start()
await daemon.start()

console.log(await queue.wait(id)) // → { to: 'ada@example.org', characters: 5 }
console.log(supervisor.which().map(({ path, state }) => `${path} ${state}`)) // → [ 'daemon:default running' ]

await supervisor.stop() // the daemon first: what it has not begun goes back to the queue
const { state, attempt, result } = (await queue.get(id)) ?? {}
console.log(state, attempt, result) // → finished 1 { to: 'ada@example.org', characters: 5 }
