/**
 * How late occurrences come, and whether lateness adds up.
 *
 * Each scheduler has the process to itself for a stretch. Its n-th run is held against the n-th instant of a fixed
 * grid that begins with its start (for cron: with a whole second of the wall clock). Occurrences that the scheduler
 * says it let go by (Stateward does, when the loop was blocked for longer than an interval) count as come, so that
 * they do not make all later ones look late.
 *
 * Drift is what the least lateness has grown by from the first tenth of a stretch to its last: what else the machine
 * does makes single runs late, never early. "Of those due" tells what drift, or skipping, has cost.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { at, type Row, type Scale, type Table, type Verdict } from './harness/question.ts'
import { takeTurns } from './harness/rounds.ts'
import { figure, Samples } from './harness/samples.ts'
import {
  bree,
  nodeCron,
  plainInterval,
  type Scheduler,
  sharedNow,
  statewardCron,
  statewardInterval,
  statewardThread,
  toad,
} from './harness/schedulers.ts'

export const description = 'How late do the runs of an interval come, and do they drift'

const P99_MS = 3
/** What counts as none: a clock timer is set in whole milliseconds. */
const DRIFT_MS = 1
const FINE = [statewardInterval, plainInterval, toad]
const COARSE = [statewardInterval, statewardCron, statewardThread, plainInterval, toad, nodeCron, bree]

interface Stretch {
  /** Ms after the instant of the grid, one per run. */
  readonly lateness: Samples
  readonly driftMs: number
  readonly ran: number
  readonly due: number
}

interface Play {
  readonly schedulers: readonly Scheduler[]
  readonly stepMs: number
  /** Of each stretch. */
  readonly lengthMs: number
  readonly rounds: number
}

export async function run(scale: Scale): Promise<Table[]> {
  const tens = await play({
    schedulers: FINE,
    stepMs: 10,
    ...at(scale, {
      full: { lengthMs: 10_000, rounds: 3 },
      quick: { lengthMs: 3_000, rounds: 2 },
      smoke: { lengthMs: 200, rounds: 1 },
    }),
  })
  const hundreds = await play({
    schedulers: FINE,
    stepMs: 100,
    ...at(scale, {
      full: { lengthMs: 4_000, rounds: 2 },
      quick: { lengthMs: 2_000, rounds: 1 },
      smoke: { lengthMs: 200, rounds: 1 },
    }),
  })
  const seconds = await play({
    schedulers: COARSE,
    stepMs: 1_000,
    ...at(scale, {
      full: { lengthMs: 3_000, rounds: 2 },
      quick: { lengthMs: 2_000, rounds: 1 },
      smoke: { lengthMs: 1_000, rounds: 1 },
    }),
  })
  const lengths = [tens, hundreds, seconds].map(({ lengthMs, rounds }) => `${lengthMs / 1000} s × ${rounds}`)
  return [
    {
      title: 'Lateness against a fixed grid',
      note: [
        `Stretches of ${lengths.join(', ')}. node-cron and cron workers know whole seconds only, and Bree starts a`,
        'thread for each run: they are measured at 1 s. There p99 is the latest of a few.',
      ].join('\n'),
      columns: ['every', 'side', 'p50, ms', 'p99, ms', 'latest, ms'],
      rows: [tens, hundreds, seconds].flatMap(latenessRows),
    },
    {
      title: 'Drift',
      note: 'How much later the runs at the end of a stretch are than those at its beginning. At 1 s both are one run.',
      columns: ['every', 'side', 'drift, ms', 'runs', 'of those due'],
      rows: [tens, hundreds, seconds].flatMap(driftRows),
    },
  ]
}

interface Played extends Play {
  readonly stretches: readonly (readonly Stretch[])[]
}

async function play(plan: Play): Promise<Played> {
  const { schedulers, stepMs, lengthMs, rounds } = plan
  // Compiles what runs; a stretch at 1 s has nothing that this has not.
  if (stepMs === 10) for (const one of schedulers) await stretch(one, stepMs, Math.min(lengthMs, 1_000))
  const sides = schedulers.map((one) => ({
    name: one.name,
    round: () => stretch(one, stepMs, lengthMs),
  }))
  return { ...plan, stretches: await takeTurns(sides, { rounds, warmUps: 0 }) }
}

async function stretch(
  { name, grid, prepare }: Scheduler,
  stepMs: number,
  lengthMs: number,
): Promise<Stretch> {
  const due = Math.floor(lengthMs / stepMs)
  const lateness: number[] = []
  let anchor = 0
  let index = 0
  const schedule = await prepare(stepMs, {
    ran(ranAt) {
      index += 1
      if (index <= due) lateness.push(ranAt - anchor - index * stepMs)
    },
    skipped(count) {
      index += count
    },
  })
  anchor = grid === 'start' ? sharedNow() : await betweenSeconds()
  schedule.start()
  const endAt = anchor + due * stepMs + stepMs / 2
  await sleep(Math.max(0, endAt - sharedNow()))
  const seen = lateness.slice()
  await schedule.stop()
  if (seen.length === 0) throw new Error(`${name} has not run at all.`)
  return { lateness: new Samples(seen), driftMs: driftOf(seen), ran: seen.length, due }
}

/** Half a second lies before the next instant of the wall clock's grid. @returns the last one, as `sharedNow()` */
async function betweenSeconds(): Promise<number> {
  const before = Date.now()
  // The shared clock at a change of the wall clock's millisecond: closer than either can be read alone.
  while (Date.now() === before);
  const offset = Date.now() - sharedNow()
  const phase = (offset + sharedNow()) % 1_000
  await sleep(phase <= 500 ? 500 - phase : 1_500 - phase)
  return Math.floor((offset + sharedNow()) / 1_000) * 1_000 - offset
}

function driftOf(lateness: readonly number[]): number {
  const part = Math.max(1, Math.floor(lateness.length / 10))
  return Math.min(...lateness.slice(-part)) - Math.min(...lateness.slice(0, part))
}

function latenessRows({ schedulers, stepMs, stretches }: Played): Row[] {
  return schedulers.map((one, side) => {
    const all = (stretches[side] ?? []).map(({ lateness }) => lateness)
    const p99 = new Samples(all.map((lateness) => lateness.quantile(0.99)))
    return {
      cells: [
        `${stepMs} ms`,
        one.name,
        new Samples(all.map((lateness) => lateness.median)).toString(),
        p99.toString(),
        figure(Math.max(...all.flatMap(({ values }) => values))),
      ],
      ...(one === statewardInterval && stepMs === 10
        ? { verdict: { target: `p99 < ${P99_MS} ms`, met: p99.median < P99_MS } satisfies Verdict }
        : {}),
    }
  })
}

function driftRows({ schedulers, stepMs, stretches }: Played): Row[] {
  return schedulers.map((one, side) => {
    const all = stretches[side] ?? []
    const drift = new Samples(all.map(({ driftMs }) => driftMs))
    const ran = all.reduce((sum, stretched) => sum + stretched.ran, 0)
    const due = all.reduce((sum, stretched) => sum + stretched.due, 0)
    return {
      cells: [`${stepMs} ms`, one.name, drift.toString(), ran, due],
      ...(one === statewardInterval && stepMs < 1_000
        ? {
            verdict: {
              target: `none (< ${DRIFT_MS} ms)`,
              met: Math.abs(drift.median) < DRIFT_MS,
            } satisfies Verdict,
          }
        : {}),
    }
  })
}
