import { createSupervisor } from '../../src/index.ts'
import { wait } from './tasks.ts'

const supervisor = createSupervisor()
await supervisor.start()

let asked = 0
function stop(): void {
  asked += 1
  process.exitCode = 130
  supervisor.stop({ wait: asked === 1 ? 10_000 : false }).catch(console.error)
}
process.on('SIGINT', stop).on('SIGTERM', stop)

supervisor.submit(wait, 'a long job')
// Stands for an impatient person who presses Ctrl-C twice.
supervisor.on('supervisor.stopping', () => process.kill(process.pid, 'SIGINT'))
process.kill(process.pid, 'SIGINT')

await supervisor.block()
console.log(supervisor.state, asked) // → stopped 2
