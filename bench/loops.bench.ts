/**
 * Round trips to a named loop against a bare `MessageChannel` to a thread (one message each way per job) and piscina with one
 * thread that may run many jobs at once (`concurrentTasksPerWorker`).
 *
 * `one by one` has one job under way, `all at once` gets all jobs and awaits them together.
 */
import { MessageChannel, Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { echoTask } from './fixtures/tasks.ts'
import { at, atLeast, atMost, type Row, type Scale, type Table } from './harness/question.ts'
import { type Cost, costs, perUnit, takeTurns, timed } from './harness/rounds.ts'
import { ratio } from './harness/samples.ts'
import { exactly, withSupervisor } from './harness/supervisors.ts'

export const description = 'What does a task on a named loop cost over a bare MessageChannel and piscina'

type Submit = (input: number) => Promise<unknown>
type Costs = ReturnType<typeof costs>

const LOADS = {
  async 'one by one'(submit: Submit, jobs: number): Promise<void> {
    for (let i = 0; i < jobs; i++) await submit(i)
  },
  async 'all at once'(submit: Submit, jobs: number): Promise<void> {
    await Promise.all(Array.from({ length: jobs }, (_, i) => submit(i)))
  },
} as const
type LoadName = keyof typeof LOADS

export async function run(scale: Scale): Promise<Table[]> {
  const raw = new RawLoop()
  const piscina = new Piscina<number, number>({
    filename: new URL('./fixtures/raw.ts', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 1_000,
    idleTimeout: Number.POSITIVE_INFINITY,
  })
  try {
    return await withSupervisor({ pool: exactly(10_000) }, async (supervisor) => {
      const loop = supervisor.createLoop('bench')
      await loop.start()
      const sides = [
        {
          name: 'stateward',
          submit: (input: number) => supervisor.submit(echoTask, input, { loop: 'bench' }).result,
        },
        { name: 'MessageChannel', submit: (input: number) => raw.run(input) },
        { name: 'piscina', submit: (input: number) => piscina.run(input, { name: 'echo' }) },
      ]
      const rows: Row[] = []
      for (const load of Object.keys(LOADS) as LoadName[]) rows.push(await measure(sides, load, scale))
      return [
        {
          title: 'An empty task on one loop, µs per round trip',
          columns: [
            'load',
            'jobs',
            'stateward',
            'MessageChannel',
            'piscina',
            'over MessageChannel',
            'piscina over us',
          ],
          rows,
        },
        await starts(scale),
      ]
    })
  } finally {
    raw.close()
    await piscina.destroy()
  }
}

async function measure(
  sides: readonly { readonly name: string; readonly submit: Submit }[],
  load: LoadName,
  scale: Scale,
): Promise<Row> {
  const jobs = at(scale, { full: 5_000, quick: 2_000, smoke: 20 })
  const leastMs = at(scale, { full: 300, quick: 100, smoke: 1 })
  const samples = await takeTurns(
    sides.map(({ name, submit }) => ({
      name,
      round: (): Promise<Cost> => perUnit(jobs, leastMs, () => timed(() => LOADS[load](submit, jobs))),
    })),
    {
      rounds: at(scale, { full: 9, quick: 3, smoke: 1 }),
      warmUps: at(scale, { full: 2, quick: 1, smoke: 1 }),
    },
  )
  const [ours, bare, piscina] = samples.map(costs) as [Costs, Costs, Costs]
  const gained = ratio(piscina.wall, ours.wall)
  return {
    cells: [
      load,
      jobs,
      ours.wall.toString(),
      bare.wall.toString(),
      piscina.wall.toString(),
      ratio(ours.wall, bare.wall).toString(),
      gained.toString(),
    ],
    verdict: atLeast(gained.median, 1),
  }
}

/** How long a killed loop is away. */
async function starts(scale: Scale): Promise<Table> {
  const rounds = at(scale, { full: 10, quick: 4, smoke: 1 })
  const restarts: number[] = []
  await withSupervisor({}, async (supervisor) => {
    for (let round = 0; round < rounds; round++) {
      const loop = supervisor.createLoop(`round ${round}`)
      await loop.start()
      const from = performance.now()
      loop.kill()
      await loop.run(echoTask, 1)
      restarts.push(performance.now() - from)
      await loop.stop({ wait: false })
    }
  })
  restarts.sort((a, b) => a - b)
  const median = restarts[Math.floor(restarts.length / 2)] as number
  return {
    title: 'A killed loop, ms from kill() to the first result of its next thread',
    note: 'One that is killed is replaced at once; one that crashes waits for the backoff of its supervisor.',
    columns: ['rounds', 'median', 'worst'],
    rows: [
      {
        cells: [rounds, median.toFixed(0), (restarts.at(-1) as number).toFixed(0)],
        verdict: atMost(Math.round(median), 500, 'ms'),
      },
    ],
  }
}

class RawLoop {
  readonly #worker: Worker
  readonly #port
  readonly #waiting = new Map<number, (value: unknown) => void>()
  #lastId = 0

  constructor() {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#worker = new Worker(new URL('./fixtures/raw-loop.ts', import.meta.url), {
      workerData: { port: port2 },
      transferList: [port2],
    })
    port1.on('message', ([id, value]: [number, unknown]) => {
      this.#waiting.get(id)?.(value)
      this.#waiting.delete(id)
    })
  }

  run(input: number): Promise<unknown> {
    return new Promise((resolve) => {
      this.#lastId += 1
      this.#waiting.set(this.#lastId, resolve)
      this.#port.postMessage([this.#lastId, input])
    })
  }

  close(): void {
    this.#port.close()
    void this.#worker.terminate()
  }
}
