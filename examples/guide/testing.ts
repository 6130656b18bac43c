import { createSupervisor } from '../../src/index.ts'
import { ManualClock, recordEvents } from '../../src/runtime/testing/index.ts'
import { wait } from './tasks.ts'

const clock = new ManualClock()
const supervisor = createSupervisor({ clock })
using recorder = recordEvents(supervisor)
await supervisor.start()

const run = supervisor.submit(wait, 'nightly', { delayMs: 3_600_000, runTimeoutMs: 60_000 })
await clock.advance(3_600_000)
console.log(run.state) // → running
await clock.advance(60_000)
const { payload } = await recorder.until('task.terminated')
console.log(payload.reason, payload.runMs) // → runTimeout 60000
await supervisor.stop({ wait: false })
console.log(clock.pending) // → 0
