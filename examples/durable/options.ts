import '../support/scratch.ts'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { sendMail } from './mail-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db', by: 'web-1' })
const mail = { to: 'bob@example.org', text: 'Your report is ready' }

const later = await queue.enqueue(sendMail, mail, {
  runAt: new Date('2100-01-01'), // or delayMs
  priority: 'high', // over the definition's
  runTimeoutMs: 5_000,
  metadata: { to: mail.to, order: 4711 },
})
console.log((await queue.get(later))?.state) // → scheduled

// At most one live task has a key: a click too many changes nothing.
const first = await queue.enqueue(sendMail, mail, { key: 'welcome bob' })
const again = await queue.enqueue(sendMail, mail, { key: 'welcome bob' })
console.log(again.existing, again.id === first.id) // → true true

// Calls and calls with options; a thousand share a transaction.
await queue.enqueueMany([
  sendMail.call({ to: 'cyd@example.org', text: 'Hi' }),
  { call: sendMail.call({ to: 'dee@example.org', text: 'Hi' }), priority: 'low' },
])
const { tasks } = await queue.list({ state: 'queued', order: 'oldest' })
for (const { description, priority } of tasks) console.log(description, priority)
// → mail to bob@example.org normal
// → mail to cyd@example.org normal
// → mail to dee@example.org low
