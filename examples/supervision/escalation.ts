import { pino } from 'pino'
import { fromPromise } from 'xstate'
import { createSupervisor, SupervisionError } from '../../src/index.ts'

const supervisor = createSupervisor({
  logger: pino({ level: 'silent' }),
  supervision: { intensity: 1, periodMs: 5_000 },
})
await supervisor.start()

const flaky = fromPromise(async () => {
  throw new Error('no database')
})
const group = supervisor.group('storage', { intensity: 1, backoff: { initialMs: 1 } })
group.spawn(flaky, { id: 'database' })
supervisor.on('child.escalated', ({ child }) => console.log(child, 'gives up'))

const error = await supervisor.closed.catch((reason: unknown) => reason)
// → storage gives up
// → storage gives up
// → children gives up
if (error instanceof SupervisionError) console.log(error.code, error.child) // → ERR_RESTART_INTENSITY storage
console.log(supervisor.state, supervisor.count().active) // → failed 0
