/**
 * What watching costs the program that is watched.
 *
 * A supervisor runs as many short tasks a second as make the given number of steps of machines (four each), beside runs
 * that wait. Pages connect from a process of their own, with the first 50 runs in view and all events. The cost is the CPU
 * time of the watched process beyond that of the same stretch without a page, as a share of one core; stretches of all
 * numbers of pages take turns.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { createSupervisor, defineTask, type Inspector, type Supervisor } from '../src/index.ts'
import { at, type Row, type Scale, type Table } from './harness/question.ts'
import { figure, Samples } from './harness/samples.ts'

export const description = 'What does it cost to be watched by the inspector'

/** Of one core, at 5,000 steps a second, by one page. */
const MOST_PERCENT = 15
const STEPS_PER_RUN = 4
const BEAT_MS = 10
const PAGES = [0, 1, 3]

interface Told {
  readonly frames: number
  readonly events: number
  readonly bytes: number
}

interface Stretch {
  /** Of one core. */
  readonly percent: number
  /** Steps per second that there were. */
  readonly steps: number
  readonly told: Told | undefined
  readonly seconds: number
}

const quick = defineTask({ name: 'quick' }, () => 1)
const waiting = defineTask({ name: 'waiting' }, () => 1)

export async function run(scale: Scale): Promise<Table[]> {
  const { rates, lengthMs, rounds, waitingRuns } = at(scale, {
    full: { rates: [1_000, 5_000, 20_000], lengthMs: 3_000, rounds: 3, waitingRuns: [0, 10_000] },
    quick: { rates: [5_000, 20_000], lengthMs: 2_000, rounds: 2, waitingRuns: [0, 10_000] },
    smoke: { rates: [5_000], lengthMs: 300, rounds: 1, waitingRuns: [100] },
  })
  const rows: Row[] = []
  for (const waitingCount of waitingRuns) {
    for (const rate of rates) rows.push(...(await measure(rate, waitingCount, lengthMs, rounds)))
  }
  return [
    {
      title: 'Being watched',
      note: `CPU of the watched process beyond that without a page, in percent of one core. Stretches of ${lengthMs / 1_000} s × ${rounds}.`,
      columns: [
        'steps/s',
        'runs that wait',
        'pages',
        'CPU, %',
        'beyond none, %',
        'frames/s a page',
        'told of steps, %',
        'KB/s a page',
      ],
      rows,
    },
  ]
}

async function measure(rate: number, waitingCount: number, lengthMs: number, rounds: number): Promise<Row[]> {
  await using supervisor = createSupervisor({
    id: 'watched',
    pool: { size: 50, reserveNormal: 50, reserveHigh: 0 },
    defaults: { queueWarningMs: Number.POSITIVE_INFINITY, queueCriticalMs: Number.POSITIVE_INFINITY },
    logger: pino({ level: 'silent' }),
  })
  await supervisor.start()
  for (let index = 0; index < waitingCount; index += 1)
    supervisor.submit(waiting, undefined, { delayMs: 3_600_000 })
  const inspector = await supervisor.serveInspector()
  await stretch(supervisor, inspector, rate, 1, Math.min(lengthMs, 1_000))
  const found = new Map<number, Stretch[]>(PAGES.map((pages) => [pages, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const pages of PAGES)
      found.get(pages)?.push(await stretch(supervisor, inspector, rate, pages, lengthMs))
  }
  const none = found.get(0) as Stretch[]
  const rows = PAGES.map((pages): Row => {
    const stretches = found.get(pages) as Stretch[]
    const beyond = new Samples(
      stretches.map(({ percent }, round) => percent - (none[round] as Stretch).percent),
    )
    const perPage = (pick: (told: Told, stretch: Stretch) => number): string =>
      pages === 0
        ? ''
        : figure(new Samples(stretches.map((one) => pick(one.told as Told, one) / pages)).median)
    const cells = [
      Math.round(new Samples(stretches.map(({ steps }) => steps)).median),
      waitingCount,
      pages,
      String(new Samples(stretches.map(({ percent }) => percent))),
      pages === 0 ? '' : String(beyond),
      perPage(({ frames }, { seconds }) => frames / seconds),
      perPage(({ events }, { seconds, steps }) => (100 * events) / (steps * seconds)),
      perPage(({ bytes }, { seconds }) => bytes / 1_000 / seconds),
    ]
    const isBound = rate === 5_000 && pages === 1
    return isBound
      ? { cells, verdict: { target: `≤ ${MOST_PERCENT} %`, met: beyond.median <= MOST_PERCENT } }
      : { cells }
  })
  await supervisor.stop({ wait: false })
  return rows
}

async function stretch(
  supervisor: Supervisor,
  { address }: Inspector,
  rate: number,
  pages: number,
  lengthMs: number,
): Promise<Stretch> {
  const watcher = pages === 0 ? undefined : await openPages(address, pages)
  globalThis.gc?.()
  const perBeat = (rate / STEPS_PER_RUN / 1_000) * BEAT_MS
  let runs = 0
  const begunAt = performance.now()
  const beat = setInterval(() => {
    // What a late beat owes is made up for.
    const due = ((performance.now() - begunAt) / BEAT_MS) * perBeat
    for (; runs < due; runs += 1) supervisor.submit(quick)
  }, BEAT_MS)
  const cpu = process.cpuUsage()
  await sleep(lengthMs)
  clearInterval(beat)
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - begunAt) / 1_000
  const told = watcher === undefined ? undefined : await toldOf(watcher)
  if (watcher !== undefined) {
    watcher.kill()
    await once(watcher, 'exit')
  }
  return {
    percent: (user + system) / 10_000 / seconds,
    steps: (runs * STEPS_PER_RUN) / seconds,
    told,
    seconds,
  }
}

async function openPages(address: string, pages: number): Promise<ChildProcess> {
  const file = new URL('./fixtures/inspector-pages.ts', import.meta.url)
  const child = fork(file, [address, String(pages)], { execArgv: [] })
  await once(child, 'message')
  // The first frames, which show all that is there, are none of the stretch.
  await sleep(200)
  return child
}

/** What all pages of the process were told, together. */
async function toldOf(child: ChildProcess): Promise<Told> {
  const all: Told[] = []
  const pages = Number(child.spawnargs.at(-1))
  const heard = Promise.withResolvers<void>()
  child.on('message', (message) => {
    all.push(message as Told)
    if (all.length === pages) heard.resolve()
  })
  child.send('count')
  await heard.promise
  const sum = (pick: (told: Told) => number): number => all.reduce((total, one) => total + pick(one), 0)
  return {
    frames: sum(({ frames }) => frames),
    events: sum(({ events }) => events),
    bytes: sum(({ bytes }) => bytes),
  }
}
