/** Starts a daemon in a process of its own that outlives this one, and waits until it is up. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Queue } from '../durable/queue.ts'
import { parseQueueUrl } from '../durable/queue-url.ts'
import { OptionError } from '../errors.ts'
import type { Session } from './command-kit.ts'
import { daemonNotStarted, daemonRuns, toldUsage } from './daemon-errors.ts'
import { type DaemonMark, marksOf } from './daemon-marks.ts'
import {
  type DaemonStartOptions,
  servedAt,
  servedLines,
  toStartArguments,
  toStartEnvironment,
} from './daemon-options.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { ownToken, shownUrl, TOKEN_VARIABLE } from './inspector-lines.ts'

/** How often to look for its mark. */
const LOOK_MS = 50
/** Of what it has written, for the error. */
const LOG_TAIL = 2_000

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const ENTRY = fileURLToPath(new URL(`./cli-entry.${extension}`, import.meta.url))

/**
 * @throws QueueError (`ERR_DAEMON_NOT_STARTED`; `ERR_DAEMON_RUNNING` for one that others have started at the same time); no
 *   process is left then
 * @throws OptionError for what it refuses, and for a log that cannot be written
 */
export async function detachDaemon(session: Session<DaemonStartOptions>): Promise<ExitCode> {
  const { queue, url, options, answer } = session
  const { name } = options
  const logFile = resolve(options.log ?? defaultLog(url, name))
  const isNew = !existsSync(logFile)
  const log = openLog(logFile)
  const before = sizeOf(logFile)
  const { token = randomBytes(24).toString('base64url') } = ownToken()
  const child = spawn(process.execPath, [...process.execArgv, ENTRY, ...toStartArguments(options)], {
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      ...toStartEnvironment(url, options),
      // Chosen here, so that it does not stand in the log.
      ...(options.inspect === undefined ? {} : { [TOKEN_VARIABLE]: token }),
    },
  })
  closeSync(log)
  child.unref()
  try {
    const mark = await untilUp(queue, child, options)
    const http = servedAt(options)
    const address = options.inspect === undefined ? undefined : addressIn(logFile, before)
    const inspector =
      address === undefined ? {} : { inspector: shownUrl({ address, url: `${address}#token=${token}` }) }
    answer({ name, id: mark.id, pid: mark.pid, log: logFile, http, ...inspector }, () => [
      `Daemon ${name} works, pid ${mark.pid}. Its log is ${logFile}`,
      ...servedLines(http),
      ...(inspector.inspector === undefined ? [] : [`Inspector: ${inspector.inspector}`]),
    ])
    return EXIT.ok
  } catch (error) {
    child.kill('SIGKILL')
    const said = readFileSync(logFile).subarray(before).toString('utf8')
    const mistake = child.exitCode === EXIT.usage ? toldUsage(said) : undefined
    const first = mistake === undefined ? await runningFirst(queue, child, options) : undefined
    if (first !== undefined) throw daemonRuns(first)
    if (mistake === undefined) throw daemonNotStarted(name, (error as Error).message, said.slice(-LOG_TAIL))
    // All of it is told.
    if (isNew) rmSync(logFile, { force: true })
    throw mistake
  }
}

/** The one of its name that another program has started at the same time, and that stays. */
async function runningFirst(
  queue: Queue,
  { pid, exitCode }: ChildProcess,
  { name, force = false }: DaemonStartOptions,
): Promise<DaemonMark | undefined> {
  if (force || exitCode === null) return undefined
  const marks = await marksOf(queue, name).catch(() => [])
  return marks.find((mark) => mark.mark === 'alive' && mark.pid !== pid)
}

/** Where it says that its inspector is. */
function addressIn(logFile: string, before: number): string | undefined {
  const said = readFileSync(logFile).subarray(before).toString('utf8')
  return /^Inspector: (http\S+)$/m.exec(said)?.[1]
}

async function untilUp(
  queue: Queue,
  child: ChildProcess,
  { name, timeout }: DaemonStartOptions,
): Promise<DaemonMark> {
  const ended = Promise.withResolvers<never>()
  child.once('error', ended.reject)
  child.once('exit', (code, signal) =>
    ended.reject(
      new Error(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`),
    ),
  )
  ended.promise.catch(() => {})
  const lateAt = performance.now() + timeout
  while (performance.now() < lateAt) {
    const marks = await Promise.race([marksOf(queue, name), ended.promise])
    const own = marks.find(
      ({ pid, mark, state }) => pid === child.pid && mark === 'alive' && state === 'working',
    )
    if (own !== undefined) return own
    await Promise.race([setTimeout(LOOK_MS), ended.promise])
  }
  throw new Error(`it was not up within ${timeout / 1_000} s`)
}

function defaultLog(url: string, name: string): string {
  const parsed = parseQueueUrl(url)
  const folder = parsed.engine === 'sqlite' ? dirname(parsed.file) : '.'
  return join(folder, `stateward-${encodeURIComponent(name)}.log`)
}

/** @throws OptionError */
function openLog(file: string): number {
  try {
    return openSync(file, 'a')
  } catch (error) {
    throw new OptionError(
      `The log file cannot be written: ${(error as Error).message}. Give --log a file that can.`,
      { code: 'ERR_OPTION_INVALID', cause: error },
    )
  }
}

function sizeOf(file: string): number {
  return readFileSync(file).length
}
