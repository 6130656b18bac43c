/**
 * `npm run chaos`: two daemons and a producer under load, and what can happen to them.
 *
 * - kills: kill -9 of one of the three at random moments, and another in its place;
 * - pauses: SIGSTOP of a daemon for longer than its lease;
 * - away: the store is unreachable for a minute (SQLite: another program has it locked; PostgreSQL: the server is stopped);
 * - restarts: the server restarts every five seconds (`--postgres` only).
 *
 * Ends with a report and exit code 1 if an acknowledged task was lost or is stuck, if one ran twice at the same time (child
 * processes included), if what a dead daemon held was taken back later than a second after its lease although another was
 * there (scripts/chaos/recovery.ts), or if a process of a stopped daemon outlived its lease.
 *
 * Options: `--postgres` (a server of its own) or `--url` (not taken away; default a fresh SQLite file), `--rounds` (100),
 * `--leaseMs` (2000), `--pauses` (10), `--awayMs` (60000), `--restarts` (12), `--hasty` (the next kill does not wait until what
 * was started has said a word, so that at times no daemon is there).
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openQueue } from '../src/runtime/durable/index.ts'
import { noop } from '../test/fixtures/durable/daemon-tasks.ts'
import { overlaps, readJournal } from '../test/fixtures/durable/journal.ts'
import { Fleet } from './chaos/fleet.ts'
import { pauseRound } from './chaos/pauses.ts'
import { openPlace } from './chaos/place.ts'
import { recoveryOf } from './chaos/recovery.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    postgres: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '100' },
    leaseMs: { type: 'string', default: '2000' },
    pauses: { type: 'string', default: '10' },
    awayMs: { type: 'string', default: '60000' },
    restarts: { type: 'string', default: '12' },
    hasty: { type: 'boolean', default: false },
  },
})
const [rounds, leaseMs, pauses, awayMs, restarts] = [
  values.rounds,
  values.leaseMs,
  values.pauses,
  values.awayMs,
  values.restarts,
].map(Number) as [number, number, number, number, number]
/** How much later than its lease a task may be taken back, where a daemon is there. */
const SLACK_MS = 1_000
/** How long what is left may take in the end. */
const DRAIN_MS = 180_000
const RESTART_EVERY_MS = 5_000

const place = await openPlace(values.url, values.postgres)
const { url, folder } = place
const file = join(folder, 'journal.txt')
const pausedFile = join(folder, 'paused.txt')
for (const one of [file, pausedFile]) await writeFile(one, '')

const problems: string[] = []
/** When the store was away, epoch ms: leases may be lost then, and a while later, without a kill. */
const gaps: { readonly from: number; readonly to: number }[] = []
const queue = await openQueue({ url, by: 'chaos' })
const fleet = new Fleet({ url, file, leaseMs })

/** Says what has happened, as it happens. */
const say = (text: string): void => console.log(text)

async function kill(): Promise<void> {
  const replaced: Promise<void>[] = []
  for (let round = 0; round < rounds; round += 1) {
    await setTimeout(200 + Math.random() * 1_300)
    replaced.push(fleet.killOne())
    if (!values.hasty) await replaced.at(-1)
  }
  await Promise.all(replaced)
  const { a, b, producer } = fleet.kills
  say(`${rounds} kills: daemon a ${a}, daemon b ${b}, producer ${producer}`)
}

async function pause(): Promise<void> {
  let held = 0
  const childIds = new Set<string>()
  let children = 0
  for (let round = 0; round < pauses; round += 1) {
    const done = await pauseRound(queue, fleet, { folder, file: pausedFile, leaseMs })
    held += done.held
    children += done.children
    problems.push(...done.problems)
    for (const id of done.childIds) childIds.add(id)
  }
  noteOverlaps(readJournal(pausedFile).filter(({ id }) => childIds.has(id)))
  say(`${pauses} pauses: ${held} tasks of stopped daemons ran again, ${children} of them in processes`)
}

/** @returns how long after the store was back the first task had run, ms */
async function backAfter(): Promise<number> {
  const backAt = performance.now()
  for (const end = backAt + 60_000; performance.now() < end; await setTimeout(20)) {
    try {
      await queue.wait(await queue.enqueue(noop, 1, { priority: 'critical' }), { timeoutMs: 30_000 })
      return Math.round(performance.now() - backAt)
    } catch {
      // Its connections are the old ones, perhaps.
    }
  }
  problems.push('no task ran within a minute after the store was back')
  return Number.POSITIVE_INFINITY
}

async function away(): Promise<void> {
  if (place.takeAway === undefined || awayMs === 0) return
  const from = Date.now()
  const bringBack = await place.takeAway()
  await setTimeout(awayMs)
  await bringBack()
  gaps.push({ from, to: Date.now() })
  const ms = await backAfter()
  say(`store away for ${awayMs} ms: the next task had run ${ms} ms after it was back`)
}

async function restart(): Promise<void> {
  if (place.restart === undefined || restarts === 0) return
  const from = Date.now()
  for (let round = 0; round < restarts; round += 1) {
    await setTimeout(RESTART_EVERY_MS)
    await place.restart()
  }
  gaps.push({ from, to: Date.now() })
  const ms = await backAfter()
  say(`${restarts} restarts, one every ${RESTART_EVERY_MS} ms: the next task had run ${ms} ms after the last`)
}

function noteOverlaps(spans: ReturnType<typeof readJournal>): void {
  for (const [a, b] of overlaps(spans))
    problems.push(`task ${a.id} ran twice at once: pid ${a.pid} until ${a.to}, pid ${b.pid} from ${b.from}`)
}

async function drain(): Promise<void> {
  const left = async (): Promise<number> => {
    const { finished, failed, cancelled, terminated, ...live } = await queue.counts()
    return Object.values(live).reduce((sum, count) => sum + count, 0)
  }
  for (const end = Date.now() + DRAIN_MS; (await left()) > 0 && Date.now() < end; ) await setTimeout(100)
  const stuck = await left()
  if (stuck > 0) problems.push(`${stuck} tasks are stuck`)
  if (!fleet.isWhole) problems.push('a daemon has ended by itself')
}

async function judge(): Promise<void> {
  let again = 0
  let inGaps = 0
  const latest = { fromDeathMs: 0, fromChanceMs: 0 }
  for (const id of fleet.acknowledged) {
    const task = await queue.get(id)
    if (task?.state !== 'finished') problems.push(`task ${id} is ${task?.state ?? 'lost'} (${task?.reason})`)
    for (const { act, at, detail } of await queue.log(id)) {
      if (act !== 'leaseLost') continue
      if (gaps.some(({ from, to }) => at >= from && at <= to + 2 * leaseMs)) {
        inGaps += 1
        continue
      }
      again += 1
      const taken = { holder: detail ?? '', at }
      const recovery = recoveryOf(taken, fleet.lives, { leaseMs, slackMs: SLACK_MS })
      if (recovery === undefined) {
        problems.push(`task ${id} was taken from ${detail}, which was alive`)
        continue
      }
      latest.fromDeathMs = Math.max(latest.fromDeathMs, recovery.fromDeathMs)
      latest.fromChanceMs = Math.max(latest.fromChanceMs, recovery.fromChanceMs)
      if (recovery.fromChanceMs > SLACK_MS)
        problems.push(`task ${id} was taken back ${recovery.fromChanceMs} ms after it could be`)
    }
  }
  const spans = readJournal(file)
  noteOverlaps(spans)
  say(`acknowledged ${fleet.acknowledged.size} tasks; ${spans.length} attempts in the journal`)
  say(`leases of dead daemons taken back ${again}, the latest ${latest.fromDeathMs} ms after the kill, and`)
  say(`  ${latest.fromChanceMs} ms after its lease (${leaseMs} ms) was over and a daemon was there to see it`)
  if (gaps.length > 0) say(`leases lost while the store was away or restarted: ${inGaps}`)
}

try {
  await fleet.startDaemons()
  await fleet.startProducer()
  await kill()
  if (!(await fleet.stopProducer())) problems.push('the producer did not end when it was told to')
  await drain()
  await pause()
  await fleet.startProducer()
  await away()
  await restart()
  if (!(await fleet.stopProducer())) problems.push('the producer did not end when it was told to')
  await drain()
  await judge()
  say(problems.length === 0 ? 'no task lost, stuck or run twice at once' : problems.join('\n'))
} finally {
  fleet.end()
  await queue.close()
  await place.close()
}
process.exitCode = problems.length === 0 ? 0 : 1
