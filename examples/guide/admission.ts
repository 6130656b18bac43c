import { createSupervisor } from '../../src/index.ts'
import { wait } from './tasks.ts'

await using supervisor = createSupervisor({ pool: { size: 2, reserveNormal: 1, reserveHigh: 1 } })
await supervisor.start()

const submit = (priority: 'low' | 'normal' | 'high' | 'critical') =>
  supervisor.submit(wait, priority, { priority })

console.log(submit('normal').state, submit('normal').state, submit('normal').state) // → running running running
console.log(submit('normal').state, submit('low').state) // → queued queued
console.log(submit('high').state, submit('high').state) // → running queued
console.log(submit('critical').state) // → running
console.log(supervisor.info().pool.active, supervisor.info().pool.waiting.high) // → 5 1

supervisor.resize({ pool: { size: 5 } })
console.log(supervisor.info().pool.active, supervisor.info().runs.queued) // → 6 2

supervisor.pause()
console.log(submit('critical').state) // → queued
supervisor.resume()
await supervisor.stop({ cancelTasks: true })
