import { once } from 'node:events'
import { createSupervisor } from '../../src/index.ts'
import { wait } from './tasks.ts'

const supervisor = createSupervisor()
await supervisor.start()

let signals = 0
const onSignal = (): void => {
  signals += 1
  const bound = signals === 1 ? { wait: 10_000, graceMs: 9_000 } : { wait: false }
  supervisor.stop(bound).catch(console.error)
}
process.on('SIGINT', onSignal).on('SIGTERM', onSignal)

supervisor.submit(wait, 'a request')
setImmediate(() => process.kill(process.pid, 'SIGINT'))
setTimeout(() => process.kill(process.pid, 'SIGINT'), 50)

await supervisor.block()
console.log(supervisor.state, signals) // → stopped 2
void once
