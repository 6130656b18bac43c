import { createSupervisor, defineTask } from '../../src/index.ts'
import { wait } from './tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const report = defineTask({ name: 'report', multilaunch: false, onConflict: 'skip' }, wait.handler)
const first = supervisor.submit(report)
console.log(supervisor.submit(report) === first) // → true

const next = supervisor.submit(report, undefined, { onConflict: 'queue' })
console.log(next.state) // → queued

const last = supervisor.submit(report, undefined, { onConflict: 'replace' })
await Promise.allSettled([first.result, next.result])
console.log(first.state, next.state, last.state) // → terminated terminated running
console.log(await first.result.catch((error) => error.reason)) // → replaced

try {
  supervisor.submit(report, undefined, { onConflict: 'reject' })
} catch (error) {
  console.log((error as { code: string }).code) // → ERR_TASK_ALREADY_LIVE
}
last.cancel()
