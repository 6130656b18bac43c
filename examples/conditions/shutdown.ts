import { count, createSupervisor, defineTask } from '../../src/index.ts'

const say = (name: string) => defineTask({ name }, () => console.log(name))
const work = say('work')

const supervisor = createSupervisor({
  onStartup: [say('connect')],
  onShutdown: [say('disconnect')],
  shutdownWhen: count(work, 'success', { within: 60_000, atLeast: 2 }),
})
supervisor.submit(work)
await supervisor.start() // → connect
supervisor.submit(work) // → work
await supervisor.block() // → work
console.log(supervisor.state) // → disconnect
// → stopped
