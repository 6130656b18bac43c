import { createSupervisor } from '../../src/index.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'

const clock = new ManualClock()
await using supervisor = createSupervisor({ clock, daemon: true })
await supervisor.start()
supervisor.on('worker.skipped', ({ worker, reason, count }) => console.log(worker, 'skipped', count, reason))

// A run of 25 ms every 10 ms: the default never overlaps itself and drops what comes meanwhile.
const slow = (): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, 25))
const skips = supervisor.workers.interval({ name: 'skips', handler: slow, intervalMs: 10 })
await clock.advance(30)
// → skips skipped 1 overlap
// → skips skipped 1 overlap
console.log(skips.info().runs, skips.info().live) // → 1 1
skips.pause()
await clock.advance(100)

// What passes while a worker is paused is missed: one run makes up for all of it.
let made = 0
const makesUp = supervisor.workers.interval({
  name: 'makes up',
  handler: () => void made++,
  intervalMs: 10,
  missed: 'once',
})
makesUp.pause()
await clock.advance(35)
makesUp.resume() // → makes up skipped 2 missed
await clock.advance(0)
console.log(made) // → 2

// By hand, between two occurrences: the grid stays.
makesUp.trigger()
makesUp.trigger({ skip: true })
await clock.advance(5) // → makes up skipped 1 asked
console.log(made) // → 3
