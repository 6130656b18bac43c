import { createSupervisor, defineTask } from '../../src/index.ts'
import { greet, wait } from './tasks.ts'

await using supervisor = createSupervisor({ pool: { size: 1, reserveNormal: 0, reserveHigh: 0 } })
await supervisor.start()

const parent = defineTask({ name: 'parent', deadlineMs: 5_000 }, async (names: string[], ctx) => {
  ctx.submit(wait, 'is cancelled when its parent ends')
  ctx.submit(greet, 'goes on alone', { detached: true })
  const greetings = names.map((name) => ctx.submit(greet, name).result)
  return Promise.all(greetings)
})

console.log(await supervisor.submit(parent, ['Ada', 'Bob']).result) // → [ 'hello Ada', 'hello Bob' ]
await supervisor.idle()
console.log(supervisor.list({ name: 'wait' }).map(({ state }) => state)) // → [ 'cancelled' ]

const stuck = defineTask(
  { name: 'stuck', runTimeoutMs: 30, graceMs: 10 },
  () => supervisor.submit(greet, 'never gets the slot').result,
)
console.log(await supervisor.submit(stuck).result.catch((error) => error.code)) // → ERR_TASK_TIMED_OUT
