import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTask } from '../../src/index.ts'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { FaultPoints } from '../../src/runtime/testing/index.ts'

const charge = defineTask({ name: 'charge', module: import.meta.url }, async (amount: number) => amount)

const faults = new FaultPoints()
const folder = mkdtempSync(join(tmpdir(), 'stateward-testing-'))
const queue = await openQueue({ url: `sqlite:${folder}/tasks.db`, faults })

faults.fail('committed')
const lost = await queue.enqueue(charge, 100, { runId: 'order-7' }).catch((error) => error)
console.log(lost.cause.message) // → Fault at the point "committed"

// The answer was lost, the task was not: whoever asks again under the same id charges once.
const again = await queue.enqueue(charge, 100, { runId: 'order-7' }).catch((error) => error)
console.log(again.code, (await queue.list()).tasks.length) // → ERR_RUN_ID_TAKEN 1

await queue.close()
rmSync(folder, { recursive: true })
