import { createSupervisor, type Run } from '../../src/index.ts'
import { hang, waits, where } from './loop-tasks.ts'

const begun = async (run: Run): Promise<void> => {
  for await (const _ of run.progress()) return
}

await using supervisor = createSupervisor()
await supervisor.start()
const loop = supervisor.createLoop('io')
const other = supervisor.createLoop('other')

const neighbour = loop.spawn(waits, undefined)
await begun(neighbour)
const blocked = new Promise<void>((resolve) => supervisor.on('loop.blocked', () => resolve()))
const run = loop.spawn(hang, undefined)
await blocked
console.log(loop.state) // → blocked
console.log((await other.run(where)).endsWith(':loop:other')) // → true

run.cancel('it hangs')
await run.result.catch(({ code, step }) => console.log(code, step)) // → ERR_TASK_CANCELLED kill
await neighbour.result.catch(({ code, cause }) => console.log(code, cause.code)) // → ERR_TASK_CRASHED ERR_LOOP_BLOCKED
console.log((await loop.run(where)).endsWith(':loop:io')) // → true
