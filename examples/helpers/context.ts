import { createSupervisor } from '../../src/index.ts'
import { audit, context } from './lock-tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

console.log(await supervisor.submit(audit, undefined).result) // → nobody 4 in look, then 3
const acme = supervisor.submit(audit, undefined, { context: { tenant: 'acme' } })
console.log(await acme.result) // → acme 4 in look, then 3
console.log(context.run, context.has('tenant')) // → undefined false
