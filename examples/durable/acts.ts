import '../support/scratch.ts'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { sendMail } from './mail-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db', by: 'admin' })
const { id } = await queue.enqueue(sendMail, { to: 'flo@example.org', text: 'Hello' })

await queue.move(id, Date.now() + 3_600_000)
console.log((await queue.get(id))?.state) // → scheduled
console.log(await queue.cancel(id, 'left the company')) // → cancelled
await queue.retry(id) // once more, from its first attempt
for (const { act, by } of await queue.log(id)) console.log(by, act)
// → admin created
// → admin moved
// → admin cancelled
// → admin retried

await queue.wait(id, { timeoutMs: 0 }).catch(({ code }) => console.log(code)) // → ERR_WAIT_TIMED_OUT
console.log(await queue.clear({ metadata: { to: 'flo@example.org' } })) // → 1

const { waiting, running, daemons } = await queue.status()
console.log(waiting, running, daemons.length) // → 0 0 0
