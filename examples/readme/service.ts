import { createSupervisor } from 'stateward'
import { fromCallback } from 'xstate'
import { digest } from './tasks.ts'

const supervisor = createSupervisor({ supervision: { intensity: 5, periodMs: 10_000 } })
await supervisor.start()

const { workers } = supervisor
// On a fixed grid, one run at a time; a run that is late is skipped, not piled up.
workers.interval({ name: 'watch', task: digest, input: () => 'package.json', intervalMs: 1_000 })
const nightly = { cron: '30 2 * * *', timezone: 'Europe/Berlin' }
workers.cron({ name: 'nightly', ...nightly, task: digest, input: () => 'package.json' })
const files = workers.queue({ name: 'files', task: digest, capacity: 100, concurrency: 2 })
console.log((await files.run('package.json')).length)

// Any XState logic: started again when it crashes, stopped in its turn.
const parser = fromCallback(({ receive }) => {
  receive(() => {
    throw new Error('cannot parse this')
  })
})
const restarted = new Promise((resolve) => supervisor.on('child.restarted', resolve))
const { actor } = supervisor.spawn(parser, { id: 'parser', restart: 'permanent' })
actor?.send({ type: 'line' })
await restarted
for (const { path, state, restarts } of supervisor.which()) console.log(path, state, restarts)

await supervisor.stop()
