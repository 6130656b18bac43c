import { createSupervisor, defineTask } from '../../src/index.ts'
import { wait } from './tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const report = defineTask({ name: 'report', multilaunch: false }, wait.handler)
const first = supervisor.submit(report, 'Monday')
const second = supervisor.submit(report, 'Tuesday')
console.log(first.state, second.state) // → running queued

console.log(supervisor.submit(report, 'Wednesday', { onConflict: 'skip' }) === first) // → true

const last = supervisor.submit(report, 'Thursday', { onConflict: 'replace' })
console.log(await first.result.catch((error) => error.reason)) // → replaced
console.log(first.state, second.state, last.state) // → terminated terminated running

try {
  supervisor.submit(report, 'Friday', { onConflict: 'reject' })
} catch (error) {
  console.log((error as { code: string }).code) // → ERR_TASK_ALREADY_LIVE
}
last.cancel()
