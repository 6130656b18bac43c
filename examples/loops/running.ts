import { createSupervisor } from '../../src/index.ts'
import { fetchPage, where } from './loop-tasks.ts'

await using supervisor = createSupervisor({ id: 'shop', pool: { size: 100 } })
const io = supervisor.createLoop('io')
supervisor.createLoop('reports', { default: true })
await supervisor.start()

const runs = Array.from({ length: 50 }, (_, page) => supervisor.submit(fetchPage, page))
console.log(io.live) // → 50
const pages = await Promise.all(runs.map((run) => run.result))
console.log(pages.length, pages[2]) // → 50 200

console.log(await supervisor.submit(where).result) // → the main thread
console.log(await io.run(where)) // → shop:loop:io
console.log(await supervisor.submit(where, undefined, { loop: 'default' }).result) // → shop:loop:reports
console.log(await supervisor.submit(where, undefined, { execution: 'main' }).result) // → the main thread

await supervisor.stopLoop('io', { wait: 1_000 })
try {
  io.spawn(where)
} catch (error) {
  console.log((error as { code: string }).code) // → ERR_LOOP_STOPPED
}
await supervisor.startLoop('io')
console.log(supervisor.info().loops.map(({ name, state }) => `${name} ${state}`)) // → [ 'io running', 'reports running' ]
