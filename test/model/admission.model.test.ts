/**
 * The real supervisor against a simple model: after any sequence of commands exactly those runs are
 * running that the model says. Threads and processes are pretended, so that every step is determined.
 */
import fc from 'fast-check'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Limits } from '../../src/machines/admission.ts'
import { EXECUTIONS, PRIORITIES, TASK_STATES } from '../../src/machines/model.ts'
import { createSupervisor, type Supervisor } from '../../src/runtime/supervisor.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'
import { turns } from '../support/turns.ts'
import { AdmissionModel, GRACE_MS, type ModelRun, OVERFLOW, RETRY_MS, type Sizes } from './admission-model.ts'
import { AdmissionWatch } from './admission-watch.ts'
import { HeldWork, type Word } from './held-work.ts'

interface Real {
  readonly supervisor: Supervisor
  readonly clock: ManualClock
  readonly work: HeldWork
  readonly watch: AdmissionWatch
}

type Action = (model: AdmissionModel, real: Real) => void | Promise<void>

const LIVE = TASK_STATES.slice(0, 6)
const toOptions = ({ pool, processes }: Sizes) => ({
  pool: { ...pool, maxOverflowThreads: OVERFLOW },
  processes: { ...processes, maxOverflowProcesses: OVERFLOW },
})

/** A command that does the same to both and then demands that both look the same. */
class Command implements fc.AsyncCommand<AdmissionModel, Real, false> {
  readonly #text: string
  readonly #can: (model: AdmissionModel) => boolean
  readonly #act: Action

  constructor(text: string, can: (model: AdmissionModel) => boolean, act: Action) {
    this.#text = text
    this.#can = can
    this.#act = act
  }

  check(model: Readonly<AdmissionModel>): boolean {
    return this.#can(model as AdmissionModel)
  }

  async run(model: AdmissionModel, real: Real): Promise<void> {
    await this.#act(model, real)
    await turns(2)
    demandSame(model, real)
  }

  toString(): string {
    return this.#text
  }
}

function demandSame(model: AdmissionModel, { supervisor, work, watch }: Real): void {
  watch.check()
  const states = Object.fromEntries(model.runs.map(({ id, state }) => [id, state]))
  expect(Object.fromEntries(model.runs.map(({ id }) => [id, supervisor.get(id)?.state]))).toEqual(states)
  const info = supervisor.info()
  expect(info.pool.active).toBe(model.active('async'))
  expect(info.processes.active).toBe(model.active('process'))
  for (const run of model.in('running')) expect(work.ids).toContain(run.id)
  for (const run of model.runs) {
    expect(supervisor.get(run.id)?.attempt).toBe(run.attempt)
    expect(watch.ends(run.id)).toBe(LIVE.includes(run.state) ? 0 : 1)
  }
}

const limits: fc.Arbitrary<Limits> = fc.record({
  size: fc.nat(3),
  reserveNormal: fc.nat(2),
  reserveHigh: fc.nat(2),
})
const bounded = limits.map((one) => ({ ...one, size: Math.max(1, one.size) }))
const sizes: fc.Arbitrary<Sizes> = fc.record({
  pool: fc.tuple(limits, fc.integer({ min: 1, max: 4 })).map(([one, maxThreads]) => ({ ...one, maxThreads })),
  processes: bounded,
})
const picked = (runs: readonly ModelRun[], pick: number): ModelRun => runs[pick % runs.length] as ModelRun
const always = (): boolean => true

const submit = fc
  .record({
    band: fc.constantFrom(...PRIORITIES),
    execution: fc.constantFrom(...EXECUTIONS, 'async' as const),
    attempts: fc.integer({ min: 1, max: 2 }),
    stubborn: fc.boolean(),
    delayMs: fc.constantFrom(0, 0, 0, 20),
  })
  .map((given) => {
    const { band, execution, attempts, stubborn, delayMs } = given
    return new Command(`submit(${JSON.stringify(given)})`, always, (model, { supervisor, work }) => {
      const run = supervisor.submit(
        work.task,
        { stubborn },
        { priority: band, execution, delayMs, retry: { attempts } },
      )
      model.submit({ id: run.id, band, execution, attempts, stubborn }, delayMs)
    })
  })
const say = fc.tuple(fc.nat(), fc.constantFrom<Word[]>('ok', 'ok', 'throw', 'skip', 'snooze')).map(
  ([pick, word]) =>
    new Command(
      `say(${pick}, ${word})`,
      (model) => model.in('running').length > 0,
      (model, { work }) => {
        const run = picked(model.in('running'), pick)
        work.say(run.id, word)
        model.say(run, word)
      },
    ),
)
const cancel = fc.nat().map(
  (pick) =>
    new Command(
      `cancel(${pick})`,
      (model) => model.in(...LIVE).length > 0,
      (model, { supervisor }) => {
        const run = picked(model.in(...LIVE), pick)
        expect(supervisor.get(run.id)?.cancel('asked')).toBe(true)
        model.cancel(run)
      },
    ),
)
const resize = sizes.map(
  (given) =>
    new Command(`resize(${JSON.stringify(given)})`, always, (model, { supervisor }) => {
      const running = model.in('running').map(({ id }) => id)
      supervisor.resize(toOptions(given))
      for (const id of running) expect(supervisor.get(id)?.state).toBe('running')
      model.resize(given)
    }),
)
const hold = fc.boolean().map(
  (open) =>
    new Command(open ? 'resume' : 'pause', always, (model, { supervisor }) => {
      if (open) supervisor.resume()
      else supervisor.pause()
      model.hold(open)
    }),
)
const advance = fc.constantFrom(0, 5, GRACE_MS, RETRY_MS, 200).map(
  (ms) =>
    new Command(`advance(${ms})`, always, async (model, { clock }) => {
      await clock.advance(ms)
      model.advance(ms)
    }),
)

async function begin(given: Sizes): Promise<{ model: AdmissionModel; real: Real }> {
  const clock = new ManualClock()
  const work = new HeldWork()
  const supervisor = createSupervisor({
    ...toOptions(given),
    clock,
    random: () => 0.5,
    keep: 10_000,
    logger: pino({ level: 'silent' }),
    executors: { thread: work.executor(), process: work.executor() },
    defaults: {
      graceMs: GRACE_MS,
      retry: { backoff: { kind: 'fixed', initialMs: RETRY_MS, jitter: 'none' } },
    },
  })
  const watch = new AdmissionWatch(supervisor)
  await supervisor.start()
  return { model: new AdmissionModel(given), real: { supervisor, clock, work, watch } }
}

/** Whatever state it is in, a stop ends every run that is left, each of them once. */
async function end(model: AdmissionModel, { supervisor, clock, work, watch }: Real): Promise<void> {
  const stopped = supervisor.stop({ wait: 1_000, cancelTasks: true })
  await turns(2)
  for (const id of work.ids) work.say(id, 'ok')
  await stopped
  watch.check()
  for (const run of model.runs) expect([run.id, watch.ends(run.id)]).toEqual([run.id, 1])
  expect(supervisor.info().pool.active + supervisor.info().processes.active).toBe(0)
  expect(clock.pending).toBe(0)
}

test('after any commands exactly those runs run that ought to', async () => {
  const commands = fc.commands<AdmissionModel, Real, false>(
    [submit, submit, submit, say, say, cancel, resize, hold, advance] as fc.Arbitrary<
      fc.AsyncCommand<AdmissionModel, Real, false>
    >[],
    { maxCommands: 60, size: 'max' },
  )
  await fc.assert(
    fc.asyncProperty(sizes, commands, async (given, plan) => {
      const { model, real } = await begin(given)
      try {
        await fc.asyncModelRun(() => ({ model, real }), plan)
      } finally {
        await end(model, real)
      }
    }),
    { numRuns: 150 },
  )
})
