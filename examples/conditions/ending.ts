import { after, createSupervisor } from '../../src/index.ts'
import { download, wait } from './tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const watched = supervisor.submit(wait, undefined, { endCondition: after(download) })
await supervisor.submit(download).result
const ended = await watched.result.catch((reason) => reason)
console.log(ended.message.replace(watched.id, '…')) // → Task "wait" (run …) was terminated: its end condition came true

const all = [supervisor.submit(wait), supervisor.submit(wait)]
console.log(supervisor.terminateAll(wait)) // → 2
console.log(await Promise.all(all.map((run) => run.result.catch(({ reason }) => reason)))) // → [ 'demanded', 'demanded' ]
