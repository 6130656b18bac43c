/**
 * A daemon in this process, with a supervisor of its own.
 *
 * - working: from the line that says so on.
 * - stopping: on Ctrl-C or SIGTERM, or told through the queue. What does not end in time is ended and handed back.
 * - stopped: its mark is gone from the queue.
 *
 * Of two that are started at the same time under one name, the later one stops again, unless it is forced: the marks in
 * the queue say who was first.
 */
import { createDaemon, type Daemon } from '../durable/daemon.ts'
import type { Queue } from '../durable/queue.ts'
import { QueueError } from '../errors.ts'
import { createSupervisor, type Supervisor } from '../supervisor.ts'
import type { SupervisorOptions } from '../supervisor-options.ts'
import { cliTracing } from './cli-tracing.ts'
import type { Session } from './command-kit.ts'
import { daemonRuns } from './daemon-errors.ts'
import { marksOf } from './daemon-marks.ts'
import { metricsMounts } from './daemon-metrics.ts'
import { type DaemonStartOptions, servedLines, toHttp, toSizes } from './daemon-options.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { ownToken, toInspectorLine } from './inspector-lines.ts'
import { loadTasks } from './load-tasks.ts'

export async function runDaemon(session: Session<DaemonStartOptions>): Promise<ExitCode> {
  const { queue, io, options, answer } = session
  const { name, tasks, force = false, lease, unknownTasks, timeout } = options
  const modules = await loadTasks(tasks)
  const signal = io.interruptible()
  const stopped = Promise.withResolvers<void>()
  const supervisor = await makeSupervisor(options, {
    'daemon.told': ({ reason }) =>
      answer({ event: 'told', name, reason }, () => [
        `Daemon ${name} was told to stop${reason === undefined ? '.' : `: ${reason}`}`,
      ]),
    'daemon.stopped': () => stopped.resolve(),
  })
  try {
    await supervisor.start()
    await showInspector(supervisor, session)
    const http = toHttp(options)
    const mounts = http === undefined ? [] : await metricsMounts(name, supervisor, queue)
    const daemon = createDaemon({
      queue,
      supervisor,
      tasks: modules,
      name,
      ...(lease === undefined ? {} : { leaseMs: lease }),
      ...(unknownTasks === undefined ? {} : { unknownTasks }),
      ...(http === undefined ? {} : { http: { ...http, mounts } }),
    })
    await daemon.start()
    if (!force) await refuseSecond(queue, daemon)
    const url = daemon.http?.url
    answer({ event: 'started', name, id: daemon.id, pid: process.pid, http: url }, () => [
      `Daemon ${name} works, pid ${process.pid}.`,
      ...servedLines(url),
    ])
    const look = new AbortController()
    const refused = force ? [] : [lookAgain(queue, daemon, look.signal)]
    await Promise.race([stopped.promise, aborted(signal), ...refused]).finally(() => look.abort())
    await daemon.stop({ wait: timeout })
    answer({ event: 'stopped', name }, () => [`Daemon ${name} has stopped.`])
    return EXIT.ok
  } finally {
    await supervisor.stop({ wait: timeout })
  }
}

/** Before it works: whoever has started it in the background reads where it is. */
async function showInspector(
  supervisor: Supervisor,
  { queue, options, answer }: Session<DaemonStartOptions>,
): Promise<void> {
  const { inspect, name } = options
  if (inspect === undefined) return
  const port = inspect === true ? 0 : inspect
  const inspector = await supervisor.serveInspector({ port, queue, ...ownToken() })
  const { address, url } = inspector
  answer({ event: 'inspecting', name, address, ...(ownToken().token === undefined ? { url } : {}) }, () => [
    toInspectorLine(inspector),
  ])
}

async function makeSupervisor(
  options: DaemonStartOptions,
  hooks: SupervisorOptions['hooks'] & {},
): Promise<Supervisor> {
  const id = `daemon:${options.name}`
  return createSupervisor({ id, hooks, ...toSizes(options), ...(await cliTracing()) })
}

/** @throws QueueError (`ERR_DAEMON_RUNNING`) */
async function refuseSecond(queue: Queue, { name, id }: Daemon): Promise<void> {
  const marks = await marksOf(queue, name)
  const own = marks.find((mark) => mark.id === id)
  const first = marks
    .filter(({ mark }) => mark !== 'dead')
    .sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))[0]
  if (own !== undefined && first !== undefined && first.id !== own.id) throw daemonRuns(first)
}

/** One that began before this one, and entered its mark after the first look. Its mark is there by then. */
const LOOK_AGAIN_MS = 2_000

/**
 * Never resolves.
 *
 * @throws QueueError (`ERR_DAEMON_RUNNING`)
 */
function lookAgain(queue: Queue, daemon: Daemon, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => {
      refuseSecond(queue, daemon).catch((error: unknown) => {
        // Whether the database answers is the business of the daemon.
        if (error instanceof QueueError && error.code === 'ERR_DAEMON_RUNNING') reject(error)
      })
    }, LOOK_AGAIN_MS)
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
