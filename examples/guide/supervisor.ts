import { createSupervisor } from '../../src/index.ts'
import { greet, wait } from './tasks.ts'

const supervisor = createSupervisor({
  id: 'shop',
  pool: { size: 2, reserveNormal: 0, reserveHigh: 0 },
  defaults: { graceMs: 100 },
})
const early = supervisor.submit(greet, 'early')
console.log(supervisor.state, early.state) // → idle queued
await supervisor.start()
await supervisor.idle()
console.log(await early.result) // → hello early

const running = supervisor.submit(wait, 'running')
supervisor.submit(wait, 'running too')
const queued = supervisor.submit(wait, 'queued')
const stopped = supervisor.stop({ wait: true, cancelTasks: 'queued' })
console.log(supervisor.state, queued.state, running.state) // → draining terminated running
try {
  supervisor.submit(greet, 'late')
} catch (error) {
  console.log((error as { code: string }).code) // → ERR_SUPERVISOR_STOPPED
}
await Promise.all([stopped, supervisor.stop({ wait: 200 })])
console.log(supervisor.state, running.state, running.step) // → stopped terminated signal

await supervisor.start()
console.log(await supervisor.submit(greet, 'again').result) // → hello again
await supervisor.stop()
