import '../support/scratch.ts'
import { pino } from 'pino'
import { createSupervisor } from '../../src/index.ts'
import { createDaemon, openQueue } from '../../src/runtime/durable/index.ts'
import { defineTask } from '../../src/task.ts'
import { report } from './report-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
// Last year's program: an input of version 1, and a task that is gone since.
const oldReport = defineTask({ name: 'report' }, async (from: string) => from)
const oldSweep = defineTask({ name: 'sweep' }, async () => {})
const old = await queue.enqueue(oldReport, '2026-01-01')
const gone = await queue.enqueue(oldSweep)

await using supervisor = createSupervisor({ logger: pino({ level: 'silent' }) })
await supervisor.start()
await using daemon = createDaemon({ queue, supervisor, tasks: [report] })
await daemon.start()

console.log(await queue.wait(old)) // → 1 days from 2026-01-01
await queue.wait(gone).catch(({ code, kind }) => console.log(code, kind)) // → ERR_TASK_UNKNOWN unknownTask
