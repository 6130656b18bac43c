import { deepEqual } from 'node:assert/strict'
import { defineTask } from '../../src/index.ts'
import { createTestSupervisor } from '../../src/runtime/testing/index.ts'

const sendMail = defineTask(
  {
    name: 'mail.send',
    retry: { attempts: 3, backoff: { kind: 'fixed', initialMs: 60_000, jitter: 'none' } },
  },
  async ({ to }: { to: string }) => `sent to ${to}`,
)

await using test = createTestSupervisor({ pool: { size: 1, reserveNormal: 0, reserveHigh: 0 } })
await test.supervisor.start()

const first = test.supervisor.submit(sendMail, { to: 'a@example.org' })
const second = test.supervisor.submit(sendMail, { to: 'b@example.org' })
await test.turn()
console.log(first.state, second.state) // → running queued

test.attemptOf(first).throw(new Error('no route to host'))
await test.turn()
console.log(first.state, second.state) // → retrying running

test.attemptOf(second).return('sent')
await test.clock.advance(60_000)
console.log(first.attempt, await second.result) // → 2 sent

first.cancel('nobody waits for it')
await test.turn()
deepEqual(
  test.recorder.types().filter((type) => type === 'task.retrying' || type === 'task.cancelled'),
  ['task.retrying', 'task.cancelled'],
)
