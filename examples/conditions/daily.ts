import { createSupervisor, daily, defineTask } from '../../src/index.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'

const clock = new ManualClock({ startAt: Date.UTC(2030, 0, 1, 6) })
const supervisor = createSupervisor({ clock })
await supervisor.start()

let failures = 1
const report = defineTask({ name: 'report' }, () => {
  console.log(new Date(clock.now()).toISOString(), failures > 0 ? 'fails' : 'done')
  failures -= 1
  if (failures >= 0) throw new Error('no data yet')
})

const morning = daily({ after: '08:00', timezone: 'UTC', retries: 1 })
supervisor.workers.event({ name: 'reporter', task: report, when: morning })
await clock.advance(36 * 3_600_000)
// → 2030-01-01T08:00:00.000Z fails
// → 2030-01-01T08:00:00.000Z done
// → 2030-01-02T08:00:00.000Z done
await supervisor.stop({ wait: false })
