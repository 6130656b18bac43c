/**
 * `npm run chaos`: two daemons and a producer under load, and what can happen to them.
 *
 * - kills: kill -9 of one of the three at random moments, and another in its place, which has said a word before the next kill;
 * - hasty kills: the next kill does not wait for that, so that at times no daemon is there;
 * - pauses: SIGSTOP of a daemon for longer than its lease;
 * - away: the store is unreachable for a minute (SQLite: another program has it locked; PostgreSQL: the server is stopped);
 * - restarts: the server restarts every five seconds (`--postgres` only).
 *
 * After each kind what is left runs to its end, and a verdict is spoken: exit code 1 if a promised task was lost or is
 * stuck, if one ran twice at the same time (child processes included), if what a dead daemon held was taken back later than a second
 * after its lease although another was there (scripts/chaos/recovery.ts), or if a process of a stopped daemon outlived
 * its lease. Everything has a bound, so that there is a verdict also where something hangs; what comes after it is not asked then.
 *
 * Options: `--postgres` (a server of its own) or `--url` (not taken away; default a fresh SQLite file), `--rounds` (kills, 100),
 * `--hasty` (20), `--pauses` (10), `--awayMs` (60000), `--restarts` (12); 0 leaves a kind out. `--leaseMs` (2000).
 * `--write` puts the figures into bench/RESULTS.md.
 */
import { parseArgs } from 'node:util'
import { ownVersion } from '../bench/harness/machine.ts'
import { openQueue } from '../src/runtime/durable/index.ts'
import { faultRow, headRows, writeFaultRuns } from './chaos/fault-runs.ts'
import { kindsOf } from './chaos/faults.ts'
import { Fleet } from './chaos/fleet.ts'
import { within } from './chaos/patience.ts'
import { openPlace } from './chaos/place.ts'
import { Stage } from './chaos/stage.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    postgres: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '100' },
    hasty: { type: 'string', default: '20' },
    pauses: { type: 'string', default: '10' },
    awayMs: { type: 'string', default: '60000' },
    restarts: { type: 'string', default: '12' },
    leaseMs: { type: 'string', default: '2000' },
    write: { type: 'boolean', default: false },
  },
})
const number = (text: string): number => {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new TypeError(`Expected a whole number from 0 on, got "${text}".`)
}
const leaseMs = number(values.leaseMs)
/** How long it may take to bring everything to an end. */
const END_MS = 30_000

const place = await openPlace(values.url, values.postgres)
const queue = await openQueue({ url: place.url, by: 'chaos' })
const fleet = new Fleet({ url: place.url, leaseMs })
const interrupted = Promise.withResolvers<never>()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => interrupted.reject(new Error(`it was interrupted by ${signal}`)))
interrupted.promise.catch(() => {})

const day = new Date().toISOString().slice(0, 16).replace('T', ' ')
const versions = `Node ${process.versions.node}, ${place.engine}, ${ownVersion()}, ${day}`
const kinds = kindsOf(place, {
  rounds: number(values.rounds),
  hasty: number(values.hasty),
  pauses: number(values.pauses),
  awayMs: number(values.awayMs),
  restarts: number(values.restarts),
})
console.log(versions)
const stage = new Stage({ place, queue, fleet, leaseMs, versions, interrupted: interrupted.promise })
const runs = await stage.all(kinds)
await within(END_MS, stage.end()).catch((error: unknown) => console.error(error))

console.log(['', ...headRows(), ...runs.map(faultRow)].join('\n'))
const problems = runs.flatMap((run) => run.problems.map((problem) => `${run.faults}: ${problem}`))
if (values.write) writeFaultRuns(runs, leaseMs)
console.log(
  problems.length === 0
    ? '\nPASSED: no task lost, stuck or run twice at once'
    : `\nFAILED\n${problems.join('\n')}`,
)
// What hangs must not keep the verdict from whoever waits for this process.
process.exit(problems.length === 0 ? 0 : 1)
