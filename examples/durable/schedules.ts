import '../support/scratch.ts'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { sendMail } from './mail-tasks.ts'

await using queue = await openQueue({ url: 'sqlite:./tasks.db' })
const digest = { to: 'team@example.org', text: 'What happened today' }

// Say it at every start of the program: the same rule goes on as planned.
const { nextAt } = await queue.schedule('daily digest', sendMail, digest, {
  cron: '0 18 * * MON-FRI',
  timezone: 'Europe/Berlin',
  missed: 'once', // nobody was there at six: one run makes up for it
})
console.log(nextAt !== undefined && nextAt > Date.now()) // → true

await queue.schedule('poll', sendMail, digest, { everyMs: 60_000, from: 'end' }) // a minute after each run
await queue.schedule('reminder', sendMail, digest, {
  rrule: 'FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9',
  timezone: 'UTC',
})
for (const { name, times } of await queue.schedules()) console.log(name, times?.missed, times?.from)
// → daily digest once due
// → poll skip end
// → reminder skip due
console.log(await queue.unschedule('poll')) // → true
