import { createSupervisor } from '../../src/index.ts'
import { greet, wait } from './tasks.ts'

const supervisor = createSupervisor({ pool: { size: 1, reserveNormal: 0, reserveHigh: 0 } })
const early = supervisor.submit(greet, 'early')
console.log(supervisor.state, early.state) // → idle queued
await supervisor.start()
await supervisor.idle()
console.log(early.state) // → finished

const running = supervisor.submit(wait, 'running')
const queued = supervisor.submit(wait, 'queued')
const stopped = supervisor.stop({ wait: true, cancelTasks: 'queued' })
console.log(supervisor.state, running.state, queued.state) // → draining running terminated
supervisor.stop({ wait: 200 }).catch(console.error)
await stopped
console.log(supervisor.state, running.state, running.step) // → stopped terminated signal

await supervisor.start()
console.log(await supervisor.submit(greet, 'again').result) // → hello again
await supervisor.stop()
