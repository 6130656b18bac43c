import { createSupervisor } from '../../src/index.ts'
import { greet } from './tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const urgent = supervisor.submit(greet, 'now', { priority: 'critical', runId: 'greet-42' })
console.log(urgent.id, urgent.state) // → greet-42 running

const later = supervisor.submit(greet, 'later', { delayMs: 20 })
const dated = supervisor.submit(greet, 'dated', { runAt: new Date('2100-01-01') })
console.log(later.state, dated.state) // → scheduled scheduled
console.log(await later.result) // → hello later

const request = new AbortController()
const bound = supervisor.submit(greet, 'client', { delayMs: 60_000, signal: request.signal })
request.abort('client went away')
console.log(bound.state, await bound.result.catch((error) => error.reason)) // → cancelled client went away

const call = greet.call('a call', { priority: 'low' })
console.log(await supervisor.submit(call).result) // → hello a call

const stale = supervisor.submit(greet, 'stale', { delayMs: 50, expiresAt: Date.now() + 10 })
console.log(await stale.result.catch((error) => error.code)) // → ERR_TASK_EXPIRED
