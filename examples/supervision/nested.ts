import { createSupervisor, supervisorLogic } from '../../src/index.ts'
import { digest } from './tasks.ts'

await using supervisor = createSupervisor({ id: 'whole' })
const part = supervisorLogic(() => createSupervisor({ id: 'part', pool: { size: 2 } }))
const child = supervisor.spawn(part, { id: 'part', restart: 'transient' })
await supervisor.start()

const inner = child.actor?.getSnapshot().supervisor
console.log(child.kind, inner?.id, inner?.state) // → supervisor part running
console.log(await inner?.submit(digest, 'a text').result) // → 734194ed
await inner?.stop()
console.log((await child.ended).kind, supervisor.state) // → done running
