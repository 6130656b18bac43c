import { condition, createSupervisor } from '../../src/index.ts'
import { wait } from './tasks.ts'

await using supervisor = createSupervisor({ defaults: { graceMs: 1_000 } })
await supervisor.start()
supervisor.on('condition.failed', ({ condition, error }) => console.log(condition, String(error)))

let asked = 0
function isFull(): boolean {
  asked += 1
  if (asked === 2) throw new Error('the disk does not answer')
  return asked > 3
}
const run = supervisor.submit(wait, undefined, { endCondition: condition(isFull, { recheckMs: 20 }) })
const { reason } = await run.result.catch((error) => error)
// → condition(isFull) Error: the disk does not answer
console.log(reason, asked) // → endCondition 4
