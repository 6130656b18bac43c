/**
 * The job: a queue in a file, a daemon under a supervisor that works it off, one listing to begin with, and what
 * is made of the rest.
 *
 * - It ends when nothing waits or runs in the queue; then a `critical` task writes the report.
 * - A signal stops the daemon: what has not ended goes back to the queue, and a report says what is done so far.
 * - However it ends before it is done, with `kill -9` too, started again it goes on where it was. What a killed
 *   process had under way is done anew when its lease is over.
 */
import { lstatSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { createSupervisor, type Supervisor } from '../../src/index.ts'
import { createDaemon, type Queue } from '../../src/runtime/durable/index.ts'
import { type BytePath, toBytePath, toLine } from './byte-path.ts'
import { formatBytes, formatCount, formatMany } from './format.ts'
import { EXIT_CODES, Interrupt, type StopSignal } from './interrupt.ts'
import { openJobQueue } from './job-queue.ts'
import { Ledger } from './ledger.ts'
import type { Options } from './options.ts'
import { ProgressDisplay, type ProgressOutput } from './progress.ts'
import { type Report, writeReport } from './report.ts'
import { summaryOf } from './summary.ts'
import { Tally } from './tally.ts'
import { digest, jobTasks, packageCheck, REPORT_ID, rootId } from './tasks.ts'

/** How long a stop may take, and how much of it handlers have to end by themselves. */
const STOP = { wait: 5_000, graceMs: 4_000, cancelTasks: true } as const
/** How long what a killed process had under way rests. */
const LEASE_MS = 2_000
/** A file that is under way whenever the process is killed is no reason to give it up. */
const LOST_LIMIT = 1_000
/** How often the queue is looked at when nothing runs here. */
const LOOK_MS = 20
/** The queue is the ledger: it is kept whole until the job is done. */
const KEEP_ALL = { finished: {}, failed: {}, cancelled: {}, terminated: {} }

export interface JobOutput {
  readonly out: ProgressOutput
  readonly err: ProgressOutput
}

/** What belongs to a job while it is worked on. */
interface Job {
  readonly queue: Queue
  readonly supervisor: Supervisor
  readonly interrupt: Interrupt
  readonly options: Options
  readonly root: BytePath
}

/**
 * @returns the exit code: 0, 1 after failures, 130 or 143 after a signal
 * @throws UsageError when the job cannot be kept where it is to be
 */
export async function digestTree(options: Options, { out, err }: JobOutput): Promise<number> {
  const root = toBytePath(options.directory)
  const begunAt = Date.now()
  await using kept = await openJobQueue(options)
  const { queue, isUnderWay } = kept
  await using supervisor = makeSupervisor()
  const before = await Ledger.read(queue)
  const tally = new Tally(before, supervisor)
  const display = options.quiet ? undefined : new ProgressDisplay(tally, err)
  using interrupt = new Interrupt((signal, again) => {
    display?.say(again ? `${signal} again: ending what still runs` : `${signal}: stopping`)
    void supervisor.stop(again ? { ...STOP, wait: 0 } : STOP)
  })
  supervisor.on('daemon.storeLost', ({ error }) => display?.say(`${(error as Error).message} Trying again`))
  display?.say(`${isUnderWay ? 'Going on with' : 'Digesting'} ${toLine(root)}`)
  if (!options.quiet || options.keep) {
    // Nobody need look: what keeps it from being served keeps nothing else.
    const line = await supervisor.serveInspector({ queue }).then(
      ({ url }) => `See it at ${url}`,
      (error: Error) => error.message,
    )
    if (display === undefined) err.write(`${line}\n`)
    else display.say(line)
  }
  display?.begin()
  const job: Job = { queue, supervisor, interrupt, options, root }
  try {
    await work(job, isUnderWay, tally)
  } catch (error) {
    if (interrupt.signal === undefined) throw error
  }
  const { signal } = interrupt
  const isKept = options.keep && signal === undefined
  if (!isKept) await supervisor.stop(STOP)
  const content = await contentOf(job)
  if (signal !== undefined) await writeReport(options.report, content)
  display?.end()
  if (!options.quiet) {
    const lines = [...summaryOf(content, { begunAt, done: before.done }), `Report: ${options.report}`]
    out.write(`${lines.join('\n')}\n`)
  }
  if (isKept) await keep(supervisor, interrupt, err)
  return conclude(content, signal, err)
}

/** Resolves when the report is written, or a signal has come. */
async function work(job: Job, isUnderWay: boolean, tally: Tally): Promise<void> {
  const { queue, supervisor, interrupt, options, root } = job
  const tasks = jobTasks({
    queue,
    root,
    device: lstatSync(options.directory).dev,
    except: new Set([toBytePath(options.report), toBytePath(options.state)]),
    found: (files) => tally.list(files),
    writeReport: async (signal) => writeReport(options.report, await contentOf(job), signal),
  })
  const daemon = createDaemon({
    queue,
    supervisor,
    tasks: [tasks.list, digest, packageCheck, tasks.report],
    leaseMs: LEASE_MS,
    lostLimit: LOST_LIMIT,
    keep: KEEP_ALL,
  })
  await supervisor.start()
  await daemon.start()
  if (!isUnderWay) await queue.enqueue(tasks.list, { directory: root }, { runId: rootId(root) })
  await allEnded(job)
  if (interrupt.signal !== undefined) return
  // An earlier process may have had no luck with it.
  if ((await queue.get(REPORT_ID)) === undefined)
    await queue.enqueue(tasks.report, undefined, { runId: REPORT_ID })
  else await queue.retry(REPORT_ID)
  await queue.wait(REPORT_ID, { signal: interrupt.stopping })
}

async function allEnded({ queue, supervisor, interrupt }: Job): Promise<void> {
  while (!interrupt.stopping.aborted) {
    await supervisor.idle()
    const { waiting, running } = await queue.status()
    if (waiting + running === 0) return
    await sleep(LOOK_MS)
  }
}

async function contentOf({ queue, interrupt, root }: Job): Promise<Report> {
  const { createdAt = Date.now() } = (await queue.get(rootId(root))) ?? {}
  const ledger = await Ledger.read(queue)
  return { root, signal: interrupt.signal, startedAt: createdAt, endedAt: Date.now(), ledger }
}

/** The job is done; who looks at it ends it. */
async function keep(supervisor: Supervisor, { stopping }: Interrupt, err: ProgressOutput): Promise<void> {
  err.write('Kept open: Ctrl-C ends it.\n')
  if (!stopping.aborted)
    await new Promise((resolve) => stopping.addEventListener('abort', resolve, { once: true }))
  await supervisor.stop(STOP)
}

function makeSupervisor(): Supervisor {
  const cores = availableParallelism()
  return createSupervisor({
    id: 'digest',
    // Large files take the cores. One small file, or a listing, may always come in between.
    pool: { size: cores, reserveNormal: 1, reserveHigh: 1, maxThreads: cores + 1 },
    processes: { size: 1, reserveNormal: 0, reserveHigh: 0 },
    // Here waiting is normal, and what goes wrong is in the summary and the report.
    defaults: { queueWarningMs: Number.POSITIVE_INFINITY, queueCriticalMs: Number.POSITIVE_INFINITY },
    logger: pino({ level: 'silent' }),
  })
}

function conclude({ ledger }: Report, signal: StopSignal | undefined, err: ProgressOutput): number {
  const { failures, done, found } = ledger
  if (signal !== undefined) {
    err.write(
      `Stopped by ${signal}: ${formatCount(done.files)} of ${formatMany(found.files, 'file')} found ` +
        `so far are digested, ${formatBytes(done.bytes)} of ${formatBytes(found.bytes)}; ` +
        'the next start goes on from here.\n',
    )
  } else if (failures.length > 0) err.write(`${formatMany(failures.length, 'task')} failed.\n`)
  if (signal !== undefined) return EXIT_CODES[signal]
  return failures.length > 0 ? 1 : 0
}
