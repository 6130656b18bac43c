import { createSupervisor, lock } from '../../src/index.ts'
import { book } from './lock-tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const lines = ['first', 'second'].map((text) =>
  supervisor.submit(book, text, { context: { tenant: 'acme' } }),
)
console.log((await Promise.all(lines.map((run) => run.result))).join(', ')) // → acme: first, acme: second

const ledger = lock('ledger')
const held = await ledger.acquire()
const late = ledger.run(() => console.log('never printed'), {
  timeoutMs: 20,
  onTimeout: ({ lock, waiting }) => console.log(lock, waiting), // → ledger 0
})
await late.catch((error) => console.log(error.code)) // → ERR_LOCK_TIMED_OUT
held.release()
console.log(ledger.state) // → free
