/**
 * Async no-op tasks, 20 at a time, against p-queue. Both sides get everything at once, so all but the first
 * twenty tasks wait in the queue; both give one promise per task, and all are awaited together. The handler
 * is the same function. Queue, supervisor and the callers' AbortControllers are made outside the time that
 * counts.
 *
 * "Featured" asks for the same three features on both sides: a priority, a run timeout, a signal of one's
 * own. Stateward's default deadlines, run ids, task log and ended runs stay on throughout.
 */
import PQueue from 'p-queue'
import { defineTask, type Priority, type Supervisor } from '../src/index.ts'
import { at, atLeast, atMost, type Row, type Scale, type Table, type Verdict } from './harness/question.ts'
import { type Cost, costs, perUnit, type RoundsOptions, takeTurns, timed } from './harness/rounds.ts'
import { figure, ratio } from './harness/samples.ts'
import { exactly, withSupervisor } from './harness/supervisors.ts'

export const description = 'How fast do async no-op tasks pass, 20 at a time, against p-queue'

const CONCURRENCY = 20
const TIMEOUT_MS = 60_000
const LAP = 2_000
const QUEUED_BANDS: readonly Priority[] = ['low', 'normal', 'high']
const ALL_BANDS: readonly Priority[] = [...QUEUED_BANDS, 'critical']

const handler = async (): Promise<void> => {}
const task = defineTask({ name: 'noop' }, handler)

/** How one load is given to each side: everything is submitted, all promises are awaited. */
interface Load {
  readonly name: string
  prepare(tasks: number): AbortController[]
  ours(supervisor: Supervisor, tasks: number, controllers: AbortController[]): Promise<unknown>
  theirs(queue: PQueue, tasks: number, controllers: AbortController[]): Promise<unknown>
}

const plain: Load = {
  name: 'plain',
  prepare: () => [],
  ours(supervisor, tasks) {
    const results: Promise<unknown>[] = []
    for (let i = 0; i < tasks; i++) results.push(supervisor.submit(task).result)
    return Promise.all(results)
  },
  theirs(queue, tasks) {
    const results: Promise<unknown>[] = []
    for (let i = 0; i < tasks; i++) results.push(queue.add(handler))
    return Promise.all(results)
  },
}

function featured(name: string, bands: readonly Priority[]): Load {
  return {
    name,
    prepare: (tasks) => Array.from({ length: tasks }, () => new AbortController()),
    ours(supervisor, tasks, controllers) {
      const results: Promise<unknown>[] = []
      for (let i = 0; i < tasks; i++) {
        const priority = bands[i % bands.length] as Priority
        const { signal } = controllers[i] as AbortController
        results.push(
          supervisor.submit(task, undefined, { priority, runTimeoutMs: TIMEOUT_MS, signal }).result,
        )
      }
      return Promise.all(results)
    },
    theirs(queue, tasks, controllers) {
      const results: Promise<unknown>[] = []
      for (let i = 0; i < tasks; i++) {
        const priority = i % bands.length
        const { signal } = controllers[i] as AbortController
        results.push(queue.add(handler, { priority, timeout: TIMEOUT_MS, signal }))
      }
      return Promise.all(results)
    },
  }
}

type Costs = ReturnType<typeof costs>

interface Cell {
  readonly load: Load
  readonly tasks: number
  readonly ours: Costs
  readonly theirs: Costs
}

async function measure(load: Load, tasks: number, scale: Scale, turns: RoundsOptions): Promise<Cell> {
  const leastMs = at(scale, { full: 300, quick: 100, smoke: 1 })
  const batch = (work: (controllers: AbortController[]) => Promise<unknown>): Promise<Cost> =>
    perUnit(tasks, leastMs, () => {
      const controllers = load.prepare(tasks)
      return timed(() => work(controllers))
    })
  // One queue and one supervisor for all rounds, as in a program. The collection before each round throws
  // compiled code away with the shapes it was made for, so each round begins with a short lap off the clock.
  const round = async (
    work: (size: number, controllers: AbortController[]) => Promise<unknown>,
  ): Promise<Cost> => {
    await work(LAP, load.prepare(LAP))
    return batch((controllers) => work(tasks, controllers))
  }
  const queue = new PQueue({ concurrency: CONCURRENCY })
  const [ours = [], theirs = []] = await withSupervisor({ pool: exactly(CONCURRENCY) }, (supervisor) =>
    takeTurns(
      [
        {
          name: 'stateward',
          round: () => round((size, controllers) => load.ours(supervisor, size, controllers)),
        },
        { name: 'p-queue', round: () => round((size, controllers) => load.theirs(queue, size, controllers)) },
      ],
      turns,
    ),
  )
  return { load, tasks, ours: costs(ours), theirs: costs(theirs) }
}

function rowOf({ load, tasks, ours, theirs }: Cell, verdict?: Verdict): Row {
  const cells = [
    load.name,
    tasks.toLocaleString('en'),
    ours.wall.toString(),
    theirs.wall.toString(),
    ratio(theirs.wall, ours.wall).toString(),
    ratio(theirs.cpu, ours.cpu).toString(),
  ]
  return verdict === undefined ? { cells } : { cells, verdict }
}

const COLUMNS = [
  'load',
  'tasks',
  'stateward, µs per task',
  'p-queue, µs per task',
  "times p-queue's throughput",
  'by CPU time',
]

async function growing(load: Load, scale: Scale): Promise<Cell[]> {
  const sizes = at(scale, {
    full: [1_000, 10_000, 100_000],
    quick: [1_000, 5_000, 50_000],
    smoke: [50, 100, 200],
  })
  const turns = at<RoundsOptions>(scale, {
    full: { rounds: 5, warmUps: 1 },
    quick: { rounds: 3, warmUps: 1 },
    smoke: { rounds: 1, warmUps: 0 },
  })
  const cells: Cell[] = []
  for (const tasks of sizes) cells.push(await measure(load, tasks, scale, turns))
  return cells
}

const judged = (cell: Cell, target: number): Row =>
  rowOf(cell, atLeast(ratio(cell.theirs.wall, cell.ours.wall).median, target))

export async function run(scale: Scale): Promise<Table[]> {
  const plainCells = await growing(plain, scale)
  const featuredCells = await growing(featured('priority (3 bands), timeout, signal', QUEUED_BANDS), scale)
  const most = plainCells.at(-1)?.tasks ?? 0
  const withCritical = featured('the same, 4 bands (critical is admitted at once)', ALL_BANDS)
  const critical = await measure(withCritical, most, scale, {
    rounds: at(scale, { full: 3, quick: 1, smoke: 1 }),
    warmUps: 0,
  })
  const tables: Table[] = [
    {
      title: 'Throughput',
      columns: COLUMNS,
      rows: [
        ...plainCells.map((cell) => judged(cell, 0.5)),
        ...featuredCells.map((cell) => judged(cell, 1.5)),
        judged(critical, 1.5),
      ],
    },
    {
      title: 'Growth: time per task at the largest size against the middle one',
      columns: ['load', 'stateward', 'p-queue'],
      rows: [plainCells, featuredCells].map(growthRow),
    },
  ]
  if (scale === 'full') {
    const million = await measure(plain, 1_000_000, scale, { rounds: 1, warmUps: 0 })
    tables.push({
      title: 'One million queued tasks',
      note: 'One round without warm-up, at the end of a process that has run the rest.',
      columns: COLUMNS,
      rows: [rowOf(million, { target: 'completes', met: true })],
    })
  }
  return tables
}

function growthRow(cells: readonly Cell[]): Row {
  const growth = (side: 'ours' | 'theirs'): number =>
    (cells.at(-1)?.[side].wall.median ?? 0) / (cells.at(-2)?.[side].wall.median ?? 1)
  return {
    cells: [cells[0]?.load.name ?? '', figure(growth('ours')), figure(growth('theirs'))],
    verdict: atMost(growth('ours'), 1.5),
  }
}
