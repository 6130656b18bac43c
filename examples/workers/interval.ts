import { createSupervisor } from '../../src/index.ts'
import { report } from './tasks.ts'

await using supervisor = createSupervisor()
await supervisor.start()

let beats = 0
const heartbeat = supervisor.workers.interval({
  name: 'heartbeat',
  intervalMs: 20,
  handler: () => {
    beats += 1
    return beats < 3 // Exactly `false` ends the worker.
  },
})
console.log(await heartbeat.ended, beats) // → { kind: 'done', output: undefined } 3

const days = ['Monday', 'Tuesday', 'Wednesday']
const reporter = supervisor.workers.interval({
  name: 'reporter',
  task: report,
  input: () => days.shift() ?? 'Sunday',
  delayAfterMs: 10,
  times: 2,
  run: { priority: 'high', execution: 'thread' },
  afterResult: (value, { run }) => console.log(run?.execution, value),
  // → thread report of Monday
  // → thread report of Tuesday
})
await reporter.ended
console.log(reporter.state, reporter.info().runs) // → stopped 2
