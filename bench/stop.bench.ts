/**
 * How long a stop takes beyond what its handlers take, and what an idle supervisor costs.
 *
 * Stopping: `stop({ cancelTasks: true })` with running and queued tasks until it resolves and every result
 * has settled. A log at the default level gets a line for every task that is ended; it goes to /dev/null
 * here, so what a terminal takes to show it does not count, and what it takes to write it does.
 *
 * Idle: the supervisor has done work in every execution, then nothing for two seconds. CPU is that of this
 * process with all its threads, and of the child processes, against the same two seconds without.
 */
import { createHook } from 'node:async_hooks'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Logger, pino } from 'pino'
import { createSupervisor, defineTask } from '../src/index.ts'
import { echoTask } from './fixtures/tasks.ts'
import { at, type Row, type Scale, type Table } from './harness/question.ts'
import { takeTurns } from './harness/rounds.ts'
import { figure, Samples } from './harness/samples.ts'
import { exactly } from './harness/supervisors.ts'

export const description = 'How long does a stop take, and what does an idle supervisor cost'

const BEYOND_MS = 200
const IDLE_CPU_MS = 5
const RUNNING = 20

const obedient = defineTask(
  { name: 'obedient' },
  (_: undefined, { signal }) =>
    new Promise<void>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    }),
)
const deaf = defineTask({ name: 'deaf', graceMs: 300 }, () => new Promise<void>(() => {}))

export async function run(scale: Scale): Promise<Table[]> {
  return [await stopping(scale), await idling(scale)]
}

async function stopping(scale: Scale): Promise<Table> {
  const few = at(scale, { full: 10_000, quick: 10_000, smoke: 100 })
  const most = at(scale, { full: 100_000, quick: 30_000, smoke: 200 })
  const silent = pino({ level: 'silent' })
  const logging = pino({ level: 'warn' }, pino.destination({ dest: '/dev/null', sync: true }))
  const loads = [
    { name: 'handlers obey at once', task: obedient, queued: few, logger: logging, log: 'warn', graceMs: 0 },
    { name: 'handlers obey at once', task: obedient, queued: few, logger: silent, log: 'silent', graceMs: 0 },
    {
      name: 'handlers never end, graceMs 300',
      task: deaf,
      queued: few,
      logger: silent,
      log: 'silent',
      graceMs: 300,
    },
    {
      name: 'handlers obey at once',
      task: obedient,
      queued: most,
      logger: silent,
      log: 'silent',
      graceMs: 0,
    },
  ] as const
  const rows: Row[] = []
  for (const { name, task, queued, logger, log, graceMs } of loads) {
    const [measured = []] = await takeTurns(
      [{ name, round: async () => (await stopOnce(task, queued, logger, graceMs)) - graceMs }],
      { rounds: at(scale, { full: 5, quick: 2, smoke: 1 }), warmUps: 1 },
    )
    const beyond = new Samples(measured)
    const cells = [name, RUNNING, queued.toLocaleString('en'), log, beyond.toString()]
    const verdict = { target: `< ${BEYOND_MS} ms`, met: beyond.median < BEYOND_MS }
    rows.push(queued === few ? { cells, verdict } : { cells })
  }
  return {
    title: 'stop({ cancelTasks: true })',
    columns: ['load', 'running', 'queued', 'log level', "ms beyond the handlers' own"],
    rows,
  }
}

/** @returns ms from the call of `stop` until it and every result have settled */
async function stopOnce(
  task: typeof obedient | typeof deaf,
  queued: number,
  logger: Logger,
  graceMs: number,
): Promise<number> {
  const supervisor = createSupervisor({ pool: exactly(RUNNING), logger })
  await supervisor.start()
  const results = Array.from(
    { length: RUNNING + queued },
    () => supervisor.submit(task as never, undefined).result,
  )
  await sleep(20)
  const startedAt = performance.now()
  await supervisor.stop({ cancelTasks: true, ...(graceMs === 0 ? {} : { graceMs }) })
  await Promise.allSettled(results)
  return performance.now() - startedAt
}

async function idling(scale: Scale): Promise<Table> {
  const idleMs = at(scale, { full: 2_000, quick: 2_000, smoke: 50 })
  const without = await idleCost(idleMs)
  const supervisor = createSupervisor({
    pool: { minThreads: 2 },
    processes: { minProcesses: 1 },
  })
  await supervisor.start()
  const executions = ['main', 'async', 'thread', 'process'] as const
  await Promise.all(
    executions.map((execution) => supervisor.submit(echoTask, 1, { execution, runTimeoutMs: 60_000 }).result),
  )
  await sleep(at(scale, { full: 500, quick: 500, smoke: 50 }))
  // Threads beyond two are retired after 10 s; here are exactly two.
  const idle = await idleCost(idleMs)
  await supervisor.stop()
  const title = `Idle for ${(idleMs / 1000).toFixed(1)} s, with two warm threads and one warm process`
  return {
    title,
    columns: ['what', 'stateward', 'nothing at all'],
    rows: [
      {
        cells: ['timers held', idle.timers, without.timers],
        verdict: { target: 'none', met: idle.timers === without.timers },
      },
      {
        cells: ['asynchronous resources made', idle.made, without.made],
        verdict: { target: 'none', met: idle.made <= without.made },
      },
      {
        cells: ['CPU of the process, ms', figure(idle.cpuMs), figure(without.cpuMs)],
        verdict: { target: `≤ nothing + ${IDLE_CPU_MS}`, met: idle.cpuMs <= without.cpuMs + IDLE_CPU_MS },
      },
      {
        cells: ['CPU of its children, ms', idle.childrenMs ?? 'unknown', without.childrenMs ?? 'unknown'],
        verdict: { target: 'none (to 10 ms)', met: (idle.childrenMs ?? 0) <= 10 },
      },
    ],
  }
}

interface IdleCost {
  readonly timers: number
  readonly made: number
  readonly cpuMs: number
  readonly childrenMs: number | undefined
}

async function idleCost(ms: number): Promise<IdleCost> {
  const timers = process
    .getActiveResourcesInfo()
    .filter((name) => name === 'Timeout' || name === 'Immediate').length
  // The watching itself sleeps on one timer, made before the hook is on.
  const slept = sleep(ms)
  let made = 0
  const hook = createHook({
    init: () => {
      made += 1
    },
  }).enable()
  const childrenBefore = childrenCpuMs()
  const before = process.cpuUsage()
  await slept
  const { user, system } = process.cpuUsage(before)
  const childrenAfter = childrenCpuMs()
  hook.disable()
  return {
    timers,
    made,
    cpuMs: (user + system) / 1000,
    childrenMs:
      childrenBefore === undefined || childrenAfter === undefined
        ? undefined
        : childrenAfter - childrenBefore,
  }
}

/** CPU time of the child processes, to 10 ms; known on Linux only. */
function childrenCpuMs(): number | undefined {
  try {
    return readdirSync('/proc/self/task')
      .flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' '))
      .filter((pid) => pid !== '')
      .reduce((sum, pid) => sum + cpuTicks(pid) * 10, 0)
  } catch {
    return undefined
  }
}

function cpuTicks(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}
