/**
 * Whoever calls a function again and again, all behind one interface: Stateward in three ways, plain `setInterval`,
 * toad-scheduler, node-cron and Bree.
 *
 * An occurrence is reported with the instant at which its handler began, wherever that ran.
 */
import Bree from 'bree'
import cron from 'node-cron'
import { AsyncTask, SimpleIntervalJob, ToadScheduler } from 'toad-scheduler'
import { createSupervisor, type Supervisor, type SupervisorOptions, type Workers } from '../../src/index.ts'
import { nowTask } from '../fixtures/tasks.ts'

/** Ms on the clock that all threads of a machine share. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export interface Listener {
  /** @param at - `sharedNow()` when the handler began */
  ran(at: number): void
  /** The scheduler itself says that it let occurrences go by. */
  skipped(count: number): void
}

/** Prepared: `start` is all that remains to be done. */
export interface Schedule {
  start(): void
  stop(): Promise<unknown>
}

export interface Scheduler {
  readonly name: string
  /** Where its instants lie: whole intervals after the start, or whole seconds of the wall clock. */
  readonly grid: 'start' | 'wall'
  prepare(stepMs: number, listener: Listener): Promise<Schedule>
}

const EVERY_SECOND = '* * * * * *'

/** A supervisor of its own per stretch; its worker's skips are told. */
async function supervised(
  listener: Listener,
  options: SupervisorOptions,
  make: (workers: Workers) => { start(): Promise<void> },
  warmUp?: (supervisor: Supervisor) => Promise<unknown>,
): Promise<Schedule> {
  const supervisor = createSupervisor(options)
  supervisor.on('worker.skipped', ({ count }) => listener.skipped(count))
  await supervisor.start()
  const worker = make(supervisor.workers)
  await warmUp?.(supervisor)
  return { start: () => void worker.start(), stop: () => supervisor.stop() }
}

const MADE = { name: 'tick', start: false } as const

export const statewardInterval: Scheduler = {
  name: 'stateward',
  grid: 'start',
  prepare: (stepMs, listener) =>
    supervised(listener, {}, (workers) =>
      workers.interval({
        ...MADE,
        handler: async () => listener.ran(sharedNow()),
        intervalMs: stepMs,
        delayBeforeMs: stepMs,
      }),
    ),
}

export const statewardThread: Scheduler = {
  name: 'stateward, in a warm thread',
  grid: 'start',
  prepare: (stepMs, listener) =>
    supervised(
      listener,
      { pool: { minThreads: 1 } },
      (workers) =>
        workers.interval({
          ...MADE,
          task: nowTask,
          run: { execution: 'thread' },
          intervalMs: stepMs,
          delayBeforeMs: stepMs,
          afterResult: (microseconds) => listener.ran(microseconds / 1000),
        }),
      (supervisor) => supervisor.submit(nowTask, undefined, { execution: 'thread' }).result,
    ),
}

export const statewardCron: Scheduler = {
  name: 'stateward, cron',
  grid: 'wall',
  prepare: (_, listener) =>
    supervised(listener, {}, (workers) =>
      workers.cron({ ...MADE, cron: EVERY_SECOND, handler: async () => listener.ran(sharedNow()) }),
    ),
}

export const plainInterval: Scheduler = {
  name: 'setInterval',
  grid: 'start',
  async prepare(stepMs, listener) {
    let timer: NodeJS.Timeout | undefined
    return {
      start() {
        timer = setInterval(async () => listener.ran(sharedNow()), stepMs)
      },
      stop: async () => clearInterval(timer),
    }
  },
}

export const toad: Scheduler = {
  name: 'toad-scheduler',
  grid: 'start',
  async prepare(stepMs, listener) {
    const scheduler = new ToadScheduler()
    const task = new AsyncTask('tick', async () => listener.ran(sharedNow()))
    const job = new SimpleIntervalJob({ milliseconds: stepMs }, task)
    return {
      start: () => scheduler.addSimpleIntervalJob(job),
      stop: async () => scheduler.stop(),
    }
  },
}

export const nodeCron: Scheduler = {
  name: 'node-cron',
  grid: 'wall',
  async prepare(_, listener) {
    const task = cron.createTask(EVERY_SECOND, async () => listener.ran(sharedNow()))
    return { start: () => void task.start(), stop: async () => task.destroy() }
  },
}

export const bree: Scheduler = {
  name: 'Bree, a new thread per run',
  grid: 'start',
  async prepare(stepMs, listener) {
    const scheduler = new Bree({
      root: false,
      logger: false as never,
      workerMessageHandler: ({ message }) => listener.ran(message as number),
    })
    await scheduler.add({ name: 'tick', interval: stepMs, path: reportFromThread })
    return { start: () => void scheduler.start('tick'), stop: () => scheduler.stop('tick') }
  },
}

/** Sent to the thread as its text, so it uses nothing of this file. */
const reportFromThread = (): void => {
  const { parentPort } = process.getBuiltinModule('node:worker_threads')
  parentPort?.postMessage(Number(process.hrtime.bigint()) / 1e6)
}
