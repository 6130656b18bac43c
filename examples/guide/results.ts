import { setTimeout as sleep } from 'node:timers/promises'
import { createSupervisor, defineTask, isStatewardError, waitAll } from '../../src/index.ts'

const copy = defineTask({ name: 'copy' }, async (files: number, ctx) => {
  if (files === 0) throw new Error('nothing to copy')
  for (let done = 1; done <= files; done += 1) {
    await sleep(5, undefined, { signal: ctx.signal })
    ctx.progress((100 * done) / files, `file ${done}`)
  }
  return files
})

await using supervisor = createSupervisor({ keep: 100 })
await supervisor.start()

const run = supervisor.submit(copy, 2)
for await (const { percent, note } of run.progress()) console.log(percent, note)
// → 50 file 1
// → 100 file 2
console.log(await run.result, run.outcome) // → 2 { kind: 'finished', value: 2 }

const failed = supervisor.submit(copy, 0)
try {
  await failed.result
} catch (error) {
  if (!isStatewardError(error)) throw error
  console.log(error.code, '-', (error.cause as Error).message) // → ERR_TASK_THREW - nothing to copy
}
console.log(failed.state, failed.outcome?.kind) // → failed failed

const slow = supervisor.submit(copy, 10)
console.log(await slow.wait(0).catch((error) => error.code)) // → ERR_WAIT_TIMED_OUT
console.log(await slow.wait(5).catch((error) => error.code), slow.state) // → ERR_WAIT_TIMED_OUT running
console.log(await waitAll([run, slow], 5_000)) // → [ 2, 10 ]
console.log(supervisor.get(slow.id) === slow, supervisor.list({ state: 'failed' }).length) // → true 1
