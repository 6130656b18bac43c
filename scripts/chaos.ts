/**
 * `npm run chaos`: kill -9 of two daemons and a producer at random moments, round after round, under load. Ends with a report and
 * exit code 1 if an acknowledged task was lost or is stuck, if one ran twice at the same time (child processes included), or
 * if what a dead daemon held was taken back later than its lease and a second after the kill.
 *
 * Options: `--url` (a fresh SQLite file), `--rounds` (100), `--leaseMs` (2000).
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openQueue } from '../src/runtime/durable/index.ts'
import { overlaps, readJournal } from '../test/fixtures/durable/journal.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    rounds: { type: 'string', default: '100' },
    leaseMs: { type: 'string', default: '2000' },
  },
})
const rounds = Number(values.rounds)
const leaseMs = Number(values.leaseMs)
/** How much later than its lease a task may be taken back. */
const SLACK_MS = 1_000
/** How long what is left may take in the end. */
const DRAIN_MS = 180_000
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../test/fixtures/durable/${name}.ts`, import.meta.url))

const folder = await mkdtemp(join(tmpdir(), 'stateward-chaos-'))
const url = values.url ?? `sqlite:${join(folder, 'tasks.db')}`
const file = join(folder, 'journal.txt')
await writeFile(file, '')
const acknowledged = new Set<string>()
/** When a daemon was killed, epoch ms, by its id in the store. */
const killedAt = new Map<string, number>()
const ids = new WeakMap<ChildProcess, string>()

function start(program: string, args: readonly string[], hear: (child: ChildProcess, said: unknown) => void) {
  const child = fork(fixture(program), args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  child.on('message', (said) => hear(child, said))
  return child
}
const startDaemon = (name: string): ChildProcess =>
  start(
    'daemon-process',
    [JSON.stringify({ url, name, leaseMs, size: 4, lostLimit: 1_000 })],
    (child, said) => {
      const { type, payload } = said as { type: string; payload: { id?: string; daemonId?: string } }
      const id = type === 'ready' ? payload.id : payload.daemonId
      if (id !== undefined) ids.set(child, id)
    },
  )
const startProducer = (): ChildProcess =>
  start('chaos-producer', [url, file], (_, id) => void acknowledged.add(id as string))

const starts = [() => startDaemon('a'), () => startDaemon('b'), startProducer]
const problems: string[] = []
const kills = [0, 0, 0]
const queue = await openQueue({ url, by: 'chaos' })
const alive = starts.map((one) => one())
try {
  for (let round = 0; round < rounds; round += 1) {
    await setTimeout(200 + Math.random() * 1_300)
    const which = Math.floor(Math.random() * alive.length)
    const victim = alive[which] as ChildProcess
    const gone = once(victim, 'exit')
    victim.kill('SIGKILL')
    const id = ids.get(victim)
    if (id !== undefined) killedAt.set(id, Date.now())
    await gone
    kills[which] = (kills[which] as number) + 1
    const next = (starts[which] as () => ChildProcess)()
    alive[which] = next
    // Where no daemon works, none can take anything back: the next kill comes when this one has said a word.
    await once(next, 'message')
  }
  const producer = alive.pop() as ChildProcess
  const over = once(producer, 'exit')
  producer.send('stop')
  await over
  const left = async (): Promise<number> => {
    const { finished, failed, cancelled, terminated, ...live } = await queue.counts()
    return Object.values(live).reduce((sum, count) => sum + count, 0)
  }
  for (const end = Date.now() + DRAIN_MS; (await left()) > 0 && Date.now() < end; ) await setTimeout(100)
  const stuck = await left()
  if (stuck > 0) problems.push(`${stuck} tasks are stuck`)
  let again = 0
  let latestMs = 0
  for (const id of acknowledged) {
    const task = await queue.get(id)
    if (task?.state !== 'finished') problems.push(`task ${id} is ${task?.state ?? 'lost'} (${task?.reason})`)
    for (const { act, at, detail } of await queue.log(id)) {
      if (act !== 'leaseLost') continue
      again += 1
      const killed = killedAt.get(detail ?? '')
      if (killed === undefined) problems.push(`task ${id} was taken from ${detail}, which was not killed`)
      else latestMs = Math.max(latestMs, at - killed)
    }
  }
  if (latestMs > leaseMs + SLACK_MS) problems.push(`a task was taken back ${latestMs} ms after the kill`)
  const spans = readJournal(file)
  for (const [a, b] of overlaps(spans)) {
    problems.push(`task ${a.id} ran twice at once: pid ${a.pid} until ${a.to}, pid ${b.pid} from ${b.from}`)
  }
  console.log(
    `rounds ${rounds}: killed daemon a ${kills[0]}, daemon b ${kills[1]}, producer ${kills[2]} times`,
  )
  console.log(`acknowledged ${acknowledged.size} tasks; ${spans.length} attempts in the journal`)
  console.log(`leases taken back ${again}; the latest ${latestMs} ms after the kill (lease ${leaseMs} ms)`)
  console.log(problems.length === 0 ? 'no task lost, stuck or run twice at once' : problems.join('\n'))
} finally {
  for (const child of alive) if (child.exitCode === null) child.kill('SIGKILL')
  await queue.close()
  await rm(folder, { recursive: true, force: true })
}
process.exitCode = problems.length === 0 ? 0 : 1
