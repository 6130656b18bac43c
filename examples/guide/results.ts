import { setTimeout as sleep } from 'node:timers/promises'
import { createSupervisor, defineTask, waitAll } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()

const copy = defineTask({ name: 'copy' }, async (files: number, ctx) => {
  if (files === 0) throw new Error('nothing to copy')
  for (let done = 1; done <= files; done += 1) {
    await sleep(5, undefined, { signal: ctx.signal })
    ctx.progress((100 * done) / files, `file ${done}`)
  }
  return files
})

const run = supervisor.submit(copy, 2)
for await (const { percent, note } of run.progress()) console.log(percent, note)
// → 50 file 1
// → 100 file 2
console.log(await run.result, run.outcome) // → 2 { kind: 'finished', value: 2 }

const failed = supervisor.submit(copy, 0)
await failed.result.catch((error) => console.log(error.code, '-', error.cause.message))
// → ERR_TASK_THREW - nothing to copy

const slow = supervisor.submit(copy, 10)
console.log(await slow.wait(0).catch((error) => error.code)) // → ERR_WAIT_TIMED_OUT
console.log(await waitAll([run, slow], 5_000)) // → [ 2, 10 ]
console.log(supervisor.get(slow.id) === slow, supervisor.list({ state: 'failed' }).length) // → true 1
