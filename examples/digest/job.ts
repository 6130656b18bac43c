/**
 * The job: a supervisor, one listing to begin with, and what is made of the rest.
 *
 * It ends when no run is pending, or when a signal has stopped the supervisor; then the report is written,
 * by a `critical` task if there still is somebody to run it.
 */
import { lstatSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { pino } from 'pino'
import { createSupervisor, type Supervisor } from '../../src/index.ts'
import { toBytePath, toLine } from './byte-path.ts'
import { formatBytes, formatCount, formatMany } from './format.ts'
import { Interrupt } from './interrupt.ts'
import { Ledger } from './ledger.ts'
import type { Options } from './options.ts'
import { ProgressDisplay, type ProgressOutput } from './progress.ts'
import { type Report, writeReport } from './report.ts'
import { summaryOf } from './summary.ts'
import { list, report as reportTask, type Walk } from './tasks.ts'

/** Listing rests while so many files wait: a queued run takes about 1.5 kB. */
const FULL_BACKLOG = 50_000
/** How long a stop may take, and how much of it handlers have to end by themselves. */
const STOP = { wait: 5_000, graceMs: 4_000, cancelTasks: true } as const

export interface JobOutput {
  readonly out: ProgressOutput
  readonly err: ProgressOutput
}

/** @returns the exit code: 0, 1 after failures, 130 or 143 after a signal */
export async function digestTree(options: Options, { out, err }: JobOutput): Promise<number> {
  const root = toBytePath(options.directory)
  const startedAt = Date.now()
  await using supervisor = makeSupervisor()
  const ledger = new Ledger(supervisor)
  const display = options.quiet ? undefined : new ProgressDisplay(ledger, err)
  using interrupt = new Interrupt((signal, again) => {
    display?.say(again ? `${signal} again: ending what still runs` : `${signal}: stopping`)
    void supervisor.stop(again ? { ...STOP, wait: 0 } : STOP)
  })
  display?.say(`Digesting ${toLine(root)}`)
  display?.begin()
  await supervisor.start().catch((error: unknown) => {
    if (interrupt.signal === undefined) throw error
  })
  if (interrupt.signal === undefined) {
    const { dev: device } = lstatSync(options.directory)
    const walk: Walk = {
      device,
      except: toBytePath(options.report),
      isFull: () => ledger.backlog >= FULL_BACKLOG,
      found: (part) => ledger.list(part),
    }
    supervisor.submit(list, { walk, directory: root })
    await ledger.idle
  }
  const content: Report = { root, signal: interrupt.signal, startedAt, endedAt: Date.now(), ledger }
  await report(supervisor, interrupt, options.report, content)
  display?.end()
  return conclude(options, content, interrupt, { out, err })
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

/** Writes the report in a task, or without one when the supervisor stops. */
async function report(
  supervisor: Supervisor,
  interrupt: Interrupt,
  file: string,
  content: Report,
): Promise<void> {
  if (interrupt.signal === undefined) {
    try {
      await supervisor.submit(reportTask, { file, content }).result
    } catch (error) {
      if (interrupt.signal === undefined) throw error
    }
  }
  await supervisor.stop(STOP)
  if (interrupt.signal !== undefined) await writeReport(file, content)
}

function conclude(options: Options, content: Report, interrupt: Interrupt, { out, err }: JobOutput): number {
  const { ledger } = content
  const { failures, done, found } = ledger
  if (!options.quiet) {
    const lines = [...summaryOf(content), `Report: ${options.report}`]
    out.write(`${lines.join('\n')}\n`)
  }
  if (interrupt.signal !== undefined) {
    err.write(
      `Stopped by ${interrupt.signal}: ${formatCount(done.files)} of ${formatMany(found.files, 'file')} found ` +
        `so far are digested, ${formatBytes(done.bytes)} of ${formatBytes(found.bytes)}; the rest is left.\n`,
    )
  } else if (failures.length > 0) err.write(`${formatMany(failures.length, 'task')} failed.\n`)
  return interrupt.exitCode ?? (failures.length > 0 ? 1 : 0)
}
