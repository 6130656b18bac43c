/** Reads off what supervisors, their pools, loops, workers and daemons are now: in one turn, whoever scrapes. */
import { DaemonChild } from '../../actors/daemon/daemon-child.ts'
import { PRIORITIES, type Priority } from '../../machines/model.ts'
import type { WorkerState } from '../../machines/worker-model.ts'
import { poolInfo } from '../info.ts'
import type { LiveSupervisor } from '../live-supervisor.ts'
import type { QueueInfo } from '../queue-handle.ts'
import type { WorkerInfo } from '../worker-handle.ts'
import type { NameLimits } from './event-counts.ts'
import type { Families, Reader } from './families.ts'
import type { MetricName } from './metric-table.ts'

const READ = [
  'stateward_supervisor_up',
  'stateward_tasks_submitted_total',
  'stateward_tasks',
  'stateward_task_oldest_wait_seconds',
  'stateward_abandoned_handlers',
  'stateward_pool_size',
  'stateward_pool_reserve',
  'stateward_pool_active',
  'stateward_pool_waiting',
  'stateward_executors',
  'stateward_executors_max',
  'stateward_loop_up',
  'stateward_loop_attempts',
  'stateward_worker_up',
  'stateward_worker_live_runs',
  'stateward_worker_owed_runs',
  'stateward_worker_items',
  'stateward_worker_runs_total',
  'stateward_worker_failures_total',
  'stateward_daemon_up',
  'stateward_daemon_held_tasks',
  'stateward_daemon_running_tasks',
  'stateward_daemon_outbox',
  'stateward_daemon_claimed_total',
  'stateward_daemon_settled_total',
  'stateward_daemon_lease_renewals_total',
] as const satisfies readonly MetricName[]

/** States of a worker that lives and begins runs. */
const UP: readonly string[] = ['idle', 'waiting', 'active', 'backingOff'] satisfies readonly WorkerState[]

export interface LiveReaderOptions {
  readonly families: Families
  /** By their values in the label `supervisor`. */
  readonly supervisors: ReadonlyMap<string, LiveSupervisor>
  readonly limits: NameLimits
}

export class LiveReader implements Reader {
  readonly metrics: readonly MetricName[] = READ
  readonly #options: LiveReaderOptions
  #isFresh = false

  constructor(options: LiveReaderOptions) {
    this.#options = options
  }

  /** All metrics of a scrape are asked for in one turn: what was read for the first of them serves the others. */
  read(): undefined {
    if (this.#isFresh) return
    this.#isFresh = true
    queueMicrotask(() => {
      this.#isFresh = false
    })
    const { families, supervisors } = this.#options
    families.empty(READ)
    for (const [name, supervisor] of supervisors) {
      const own = { supervisor: name }
      this.#readRuns(own, supervisor)
      this.#readPools(own, supervisor)
      this.#readLoops(own, supervisor)
      for (const worker of supervisor.workers.list()) this.#readWorker(own, worker.info())
      this.#readDaemons(own, supervisor)
    }
  }

  #readRuns(own: { supervisor: string }, { state, parts }: LiveSupervisor): void {
    const { families } = this.#options
    const { pool, ports } = parts
    families.put('stateward_supervisor_up', own, state === 'running' ? 1 : 0)
    families.add('stateward_tasks_submitted_total', own, pool.submitted)
    families.put('stateward_abandoned_handlers', own, ports.abandoned)
    const now = pool.ports.clock.monotonic()
    const counts = new Map<string, { state: string; priority: Priority; count: number }>()
    const oldest = new Map<Priority, number>(PRIORITIES.map((priority) => [priority, now]))
    for (const run of pool.registry.live()) {
      const priority = run.snapshot.context.band
      const key = `${run.state} ${priority}`
      const known = counts.get(key)
      if (known === undefined) counts.set(key, { state: run.state, priority, count: 1 })
      else known.count += 1
      if (run.state === 'queued')
        oldest.set(priority, Math.min(run.queuedMono, oldest.get(priority) as number))
    }
    for (const { state: of, priority, count } of counts.values())
      families.put('stateward_tasks', { ...own, state: of, priority }, count)
    for (const [priority, since] of oldest)
      families.put('stateward_task_oldest_wait_seconds', { ...own, priority }, (now - since) / 1_000)
  }

  #readPools(own: { supervisor: string }, supervisor: LiveSupervisor): void {
    const { families } = this.#options
    const { pool: both, sizing, executors } = supervisor.parts
    for (const [name, slots] of [['pool', both.pool] as const, ['processes', both.processes] as const]) {
      const info = poolInfo(slots)
      const of = { ...own, pool: name }
      families.put('stateward_pool_size', of, info.size)
      families.put('stateward_pool_reserve', { ...of, priority: 'normal' }, info.reserveNormal)
      families.put('stateward_pool_reserve', { ...of, priority: 'high' }, info.reserveHigh)
      families.put('stateward_pool_active', of, info.active)
      for (const priority of PRIORITIES)
        families.put('stateward_pool_waiting', { ...of, priority }, info.waiting[priority])
    }
    const bounds = { thread: sizing.pool.lane.max, process: sizing.processes.lane.max }
    for (const kind of ['thread', 'process'] as const) {
      const { live, idle } = executors[kind]
      families.put('stateward_executors', { ...own, kind, state: 'idle' }, idle)
      families.put('stateward_executors', { ...own, kind, state: 'busy' }, live - idle)
      families.put('stateward_executors_max', { ...own, kind }, bounds[kind])
    }
  }

  #readLoops(own: { supervisor: string }, { parts }: LiveSupervisor): void {
    const { families, limits } = this.#options
    for (const { name, state, live } of parts.loops.info()) {
      const of = { ...own, loop: limits.loops.of(name) }
      families.put('stateward_loop_up', of, state === 'running' ? 1 : 0)
      families.put('stateward_loop_attempts', of, live)
    }
  }

  #readWorker(own: { supervisor: string }, info: WorkerInfo): void {
    const { families, limits } = this.#options
    const of = { ...own, worker: limits.workers.of(info.name) }
    families.put('stateward_worker_up', of, UP.includes(info.state) ? 1 : 0)
    families.put('stateward_worker_live_runs', of, info.live)
    families.put('stateward_worker_owed_runs', of, info.owed)
    families.add('stateward_worker_runs_total', of, info.runs)
    families.add('stateward_worker_failures_total', of, info.failures)
    if (info.kind === 'queue') families.put('stateward_worker_items', of, (info as QueueInfo).size)
  }

  #readDaemons(own: { supervisor: string }, { parts }: LiveSupervisor): void {
    const { families, limits } = this.#options
    for (const { spec } of parts.children.children.values()) {
      if (!(spec instanceof DaemonChild) || spec.numbers === undefined) continue
      const { state, held, running, untold, counts, renewals } = spec.numbers
      const of = { ...own, daemon: limits.daemons.of(spec.name) }
      families.put('stateward_daemon_up', of, state === 'working' ? 1 : 0)
      families.put('stateward_daemon_held_tasks', of, held)
      families.put('stateward_daemon_running_tasks', of, running)
      families.put('stateward_daemon_outbox', of, untold)
      const { claimed, lost: _, ...settled } = counts
      families.add('stateward_daemon_claimed_total', of, claimed)
      for (const [verdict, count] of Object.entries(settled))
        families.add('stateward_daemon_settled_total', { ...of, verdict }, count)
      for (const [result, count] of Object.entries(renewals))
        families.add('stateward_daemon_lease_renewals_total', { ...of, result }, count)
    }
  }
}
