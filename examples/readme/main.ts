import { createSupervisor } from 'stateward'
import { digest } from './tasks.ts'

const supervisor = createSupervisor({ pool: { size: 4, reserveHigh: 1 } })
await supervisor.start()

const urgent = supervisor.submit(digest, 'package.json', { priority: 'high' })
console.log(urgent.state)
console.log((await urgent.result).length)

const slow = supervisor.submit(digest, 'package.json', { delayMs: 60_000 })
slow.cancel('changed my mind')
await slow.result.catch((error) => console.log(error.code, '-', slow.state))

await supervisor.stop()
