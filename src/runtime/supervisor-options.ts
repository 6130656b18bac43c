/** Options of a supervisor: checked as a whole before anything exists. */
import { availableParallelism } from 'node:os'
import type { ResourceLimits } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { InspectionEvent, Observer } from 'xstate'
import type { Executor } from '../actors/attempt.ts'
import type { Clock } from '../actors/clock.ts'
import type { AnyDefinition } from '../actors/definition.ts'
import type { LaneSize } from '../actors/slot-pool.ts'
import type { PiscinaLike } from '../actors/thread-borrowed-pool.ts'
import { type Limits, threshold } from '../machines/admission.ts'
import type { supervisorMachine } from '../machines/supervisor.ts'
import type { taskMachine } from '../machines/task.ts'
import { type Check, type Checks, check, checkOptions, refuse } from './check.ts'
import { type SupervisionOptions, supervisionChecks } from './child-options.ts'
import { type ConditionLike, checkShutdownCondition } from './condition-check.ts'
import { EVENT_NAMES, type EventListener, type EventName } from './events.ts'
import { checkLifecycleTasks, type LifecycleTask } from './lifecycle-tasks.ts'
import type { TaskLogStore } from './task-log.ts'
import { checkLoop, type RunOptions, runOptionChecks } from './task-options.ts'
import { tracingOf } from './tracing/tracing-access.ts'
import type { Tracing } from './tracing-option.ts'

/** Slots of `main`, `async` and `thread` tasks, and the threads under them. */
export interface PoolOptions {
  /** Slots for every band; 0 = unlimited. @defaultValue 2 × available parallelism, at least 4 */
  readonly size?: number
  /** Extra slots for `normal` and above. @defaultValue available parallelism */
  readonly reserveNormal?: number
  /** Extra slots for `high` and above. @defaultValue available parallelism */
  readonly reserveHigh?: number
  /** Threads kept warm; `'max'` for all of `maxThreads`. @defaultValue 0 */
  readonly minThreads?: number | 'max'
  /** Most threads below critical. @defaultValue all slots; 4 × available parallelism when unlimited */
  readonly maxThreads?: number
  /** How many more threads critical tasks may bring into being. @defaultValue 32 */
  readonly maxOverflowThreads?: number
  /** How long a thread beyond `minThreads` may be idle. @defaultValue 10000 */
  readonly idleTimeoutMs?: number
  /** Bounds of each thread's heap and stack; see `node:worker_threads`. */
  readonly resourceLimits?: ResourceLimits
}

/** Slots of `process` tasks, and the child processes under them. */
export interface ProcessesOptions {
  /** @defaultValue available parallelism */
  readonly size?: number
  /** @defaultValue 1 */
  readonly reserveNormal?: number
  /** @defaultValue 1 */
  readonly reserveHigh?: number
  /** Processes kept warm; `'max'` for all. @defaultValue 0 */
  readonly minProcesses?: number | 'max'
  /** How many more processes critical tasks may bring into being. @defaultValue 32 */
  readonly maxOverflowProcesses?: number
  /** @defaultValue 10000 */
  readonly idleTimeoutMs?: number
  /** Node options of the children, for example `['--max-old-space-size=256']`. @defaultValue none */
  readonly execArgv?: readonly string[]
}

export interface SupervisorOptions {
  /** Names it in logs, events and `ctx.supervisor`. @defaultValue a UUIDv7 */
  readonly id?: string
  readonly pool?: PoolOptions
  readonly processes?: ProcessesOptions
  /** Options for every run that neither definition nor submission say. */
  readonly defaults?: RunOptions & { readonly runId?: (definition: AnyDefinition, input: unknown) => string }
  /**
   * How the supervisor follows its own children. Backoff, and each loop's own `intensity` and `periodMs` where it says none, hold for
   * its loops, too.
   */
  readonly supervision?: SupervisionOptions
  /** Ended runs that `get` still knows. @defaultValue 1000 */
  readonly keep?: number
  /** The task log: how many records stay in memory, and a store that outlives the process. */
  readonly taskLog?: { readonly keep?: number; readonly store?: TaskLogStore }
  /**
   * Tasks that `start()` awaits, before children start and anything else is admitted: band by band, those of one
   * band together. One that does not finish makes the start fail. With calls: `[migrate, warmUp.call({ rows: 10 })]`.
   */
  readonly onStartup?: readonly LifecycleTask[]
  /**
   * Tasks that run when all else has ended, before threads and processes do: within the bound of the stop, at which they
   * are terminated. They are left out when the supervisor has never run, or the bound has come. Their failures are events.
   */
  readonly onShutdown?: readonly LifecycleTask[]
  /** Stops the supervisor when it turns true while it runs; see `supervisor.shutdownWhen`. */
  readonly shutdownWhen?: ConditionLike
  /** pino or a logger like it. @defaultValue pino at level `warn`, to stderr */
  readonly logger?: Logger
  /** Listeners from the first event on. */
  readonly hooks?: { readonly [Name in EventName]?: EventListener<Name> }
  /** Traces every run: `createTracing()` of `stateward/tracing`. @defaultValue nobody */
  readonly tracing?: Tracing
  /** Any XState inspection observer. One that throws is isolated. */
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void)
  /**
   * Debug mode: a log line at level `debug` for every event and for every step of every machine, whatever the logger's level is.
   * `supervisor.debug` switches it. @defaultValue false
   */
  readonly debug?: boolean
  /** Lets the process exit while it runs. @defaultValue false */
  readonly daemon?: boolean
  /** Waiting tasks and no admission for so long: `pool.starved`. @defaultValue 30000 */
  readonly starvedAfterMs?: number
  /** Pools of the user's own instead of ours. */
  readonly executors?: {
    readonly thread?: PiscinaLike | Executor
    readonly process?: Executor
    /** Instead of this event loop, for `main` and `async` runs on no named loop; the test kit holds them so. */
    readonly local?: Pick<Executor, 'start'>
  }
  /**
   * The machines with guards of your own (`machine.provide({ guards })`). The effects stay ours: actions that
   * are no `assign` are carried out by the supervisor, whatever is provided for them.
   */
  readonly logic?: { readonly task?: typeof taskMachine; readonly supervisor?: typeof supervisorMachine }
  /** Time. @defaultValue the machine's */
  readonly clock?: Clock
  /** Chance, for jitter: 0 ≤ r < 1. @defaultValue Math.random */
  readonly random?: () => number
}

/** Sizes that `resize` takes; what is omitted keeps its value. */
export interface ResizeOptions {
  readonly pool?: Omit<PoolOptions, 'idleTimeoutMs' | 'resourceLimits'>
  readonly processes?: Omit<ProcessesOptions, 'idleTimeoutMs' | 'execArgv'>
}

/** The sizes of one pool, filled in. */
export interface Sizes {
  readonly limits: Limits
  readonly lane: LaneSize
  /** Threads or processes kept warm. */
  readonly min: number
}

const sizeChecks: Checks = {
  size: check.count(0),
  reserveNormal: check.count(0),
  reserveHigh: check.count(0),
}
const minimum = check.either("a whole number from 0 on or 'max'", check.count(0), check.oneOf('max'))

const poolSizeChecks: Checks = {
  ...sizeChecks,
  minThreads: minimum,
  maxThreads: check.count(1),
  maxOverflowThreads: check.count(0),
}
const processSizeChecks: Checks = {
  ...sizeChecks,
  minProcesses: minimum,
  maxOverflowProcesses: check.count(0),
}

export const resizeChecks: Checks = {
  pool: check.options(poolSizeChecks),
  processes: check.options(processSizeChecks),
}

/** A smaller heap makes V8 abort the whole process while the thread starts (seen on Node 24). */
const SMALLEST_HEAP_MB = 4

export const resourceLimitsCheck: Check = check.options({
  maxOldGenerationSizeMb: check.number(SMALLEST_HEAP_MB, Number.MAX_SAFE_INTEGER),
  maxYoungGenerationSizeMb: check.number(1, Number.MAX_SAFE_INTEGER),
  codeRangeSizeMb: check.number(0, Number.MAX_SAFE_INTEGER),
  stackSizeMb: check.number(1, Number.MAX_SAFE_INTEGER),
})

const EXECUTOR_METHODS = ['start', 'resize', 'warm', 'close'] as const
const machineCheck = check.having('an XState machine', 'transition', 'provide')

export const supervisorChecks: Checks = {
  id: check.text,
  pool: check.options({
    ...poolSizeChecks,
    idleTimeoutMs: check.duration,
    resourceLimits: resourceLimitsCheck,
  }),
  processes: check.options({
    ...processSizeChecks,
    idleTimeoutMs: check.duration,
    execArgv: (where, value) => {
      if (!Array.isArray(value) || value.some((one) => typeof one !== 'string')) {
        refuse(where, 'an array of strings', value)
      }
    },
  }),
  defaults: check.options({ ...runOptionChecks, runId: check.fn }),
  supervision: check.options(supervisionChecks),
  keep: check.count(0),
  taskLog: check.options({ keep: check.count(0), store: check.having('a task log store', 'load', 'append') }),
  logger: check.having('a pino logger', 'child', 'debug', 'info', 'warn', 'error', 'isLevelEnabled'),
  hooks: check.options(Object.fromEntries(EVENT_NAMES.map((name) => [name, check.fn]))),
  tracing: (where, value) => void tracingOf(value, where),
  inspect: check.either('an observer or a function', check.fn, check.having('an observer')),
  debug: check.boolean,
  daemon: check.boolean,
  onStartup: checkLifecycleTasks,
  onShutdown: checkLifecycleTasks,
  shutdownWhen: checkShutdownCondition,
  starvedAfterMs: check.number(1, Number.POSITIVE_INFINITY),
  executors: check.options({
    thread: check.either(
      'a pool like Piscina (run, on, off) or an Executor',
      check.having('a pool', 'run', 'on', 'off'),
      check.having('an Executor', ...EXECUTOR_METHODS),
    ),
    process: check.having('an Executor', ...EXECUTOR_METHODS),
    local: check.having('an object with start()', 'start'),
  }),
  logic: check.options({ task: machineCheck, supervisor: machineCheck }),
  clock: check.having('a clock', 'now', 'monotonic', 'setTimeout', 'clearTimeout'),
  random: check.fn,
}

/** @throws OptionError for the first option that will not do */
export function checkSupervisorOptions(options: SupervisorOptions): void {
  checkOptions('createSupervisor()', options, supervisorChecks)
  checkLoop('createSupervisor().defaults', options.defaults ?? {})
}

/** @throws OptionError when `minThreads` is above `maxThreads` */
export function poolSizes(options: PoolOptions, where: string): Sizes {
  const parallelism = availableParallelism()
  const limits = {
    size: options.size ?? Math.max(4, 2 * parallelism),
    reserveNormal: options.reserveNormal ?? parallelism,
    reserveHigh: options.reserveHigh ?? parallelism,
  }
  const max = options.maxThreads ?? physical(limits)
  const min = options.minThreads === 'max' ? max : (options.minThreads ?? 0)
  if (min > max) refuse(`${where}.minThreads`, `at most maxThreads (${max})`, min)
  return { limits, lane: { max, overflow: options.maxOverflowThreads ?? 32 }, min }
}

/** @throws OptionError when `minProcesses` is above what the slots can hold */
export function processSizes(options: ProcessesOptions, where: string): Sizes {
  const limits = {
    size: options.size ?? availableParallelism(),
    reserveNormal: options.reserveNormal ?? 1,
    reserveHigh: options.reserveHigh ?? 1,
  }
  const max = physical(limits)
  const min = options.minProcesses === 'max' ? max : (options.minProcesses ?? 0)
  if (min > max) refuse(`${where}.minProcesses`, `at most size + reserves (${max})`, min)
  return { limits, lane: { max, overflow: options.maxOverflowProcesses ?? 32 }, min }
}

function physical(limits: Limits): number {
  const total = threshold(limits, 'high')
  return Number.isFinite(total) ? Math.max(1, total) : 4 * availableParallelism()
}
