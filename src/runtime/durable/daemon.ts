/**
 * A daemon as its users see it: it runs the tasks of a durable queue under a supervisor. What it does next is
 * machines/daemon.ts; the queue is authoritative for the tasks.
 */
import { DaemonChild } from '../../actors/daemon/daemon-child.ts'
import type { DaemonSettings, DaemonStore } from '../../actors/daemon/daemon-ports.ts'
import type { AnyDefinition } from '../../actors/definition.ts'
import { refuse } from '../check.ts'
import type { Child } from '../children.ts'
import type { HttpChild } from '../http/http-child.ts'
import type { HttpServer } from '../http/serve-http.ts'
import type { HttpServerOptions } from '../http/server-options.ts'
import { LiveSupervisor } from '../live-supervisor.ts'
import { checkStopOptions, planStop, type StopOptions } from '../stop-options.ts'
import { checkDaemonOptions, type DaemonOptions, pruneRules } from './daemon-options.ts'
import { daemonStore, LOST_LIMIT, oneTaskStore } from './daemon-store.ts'
import { daemonPorts } from './daemon-wiring.ts'
import { storeOf } from './queue-access.ts'
import type { QueueStore } from './queue-store.ts'
import { taskTable } from './task-table.ts'

/** States of a daemon; see `daemonMachine`. */
export type DaemonState = 'idle' | 'starting' | 'working' | 'backingOff' | 'draining' | 'leaving' | 'stopped'

/** A daemon in numbers. */
export interface DaemonInfo {
  /** Tasks that it holds, and how many of them run. */
  readonly held: number
  readonly running: number
  /** Ends of tasks that are not known to be stored. */
  readonly untold: number
  /** What it did since it was started, by what became of the tasks. */
  readonly counts: Readonly<Record<string, number>>
}

export interface Daemon extends AsyncDisposable {
  readonly name: string
  /** Of the life under way: the holder of its leases. `undefined` before the first one. */
  readonly id: string | undefined
  readonly state: DaemonState
  /** Its HTTP API while it listens; see the option `http`. */
  readonly http: HttpServer | undefined
  /**
   * Starts it, unless it lives. Resolves when it is up, also while the database does not answer; at once when its supervisor
   * does not run yet: then it starts with it.
   */
  start(): Promise<void>
  /**
   * Claims nothing more and hands back what has not begun. What runs may end by itself until the signal, and is handed back
   * when that ended it. Resolves when all that is stored.
   */
  stop(options?: Pick<StopOptions, 'wait' | 'graceMs'>): Promise<void>
  info(): DaemonInfo
}

/** @throws OptionError for a bad option; (`ERR_TASK_NAME_TAKEN`) for two tasks with one name */
export function createDaemon(options: DaemonOptions): Daemon {
  return makeDaemon(options, (queue) => daemonStore(queue))
}

/** What runs one task of a queue here, to its end, and nothing else of it: also before it is due. */
export function createTaskRunner(options: DaemonOptions, id: string): Daemon {
  return makeDaemon(options, (queue) => oneTaskStore(queue, id))
}

function makeDaemon(options: DaemonOptions, storeFor: (queue: QueueStore) => DaemonStore): Daemon {
  checkDaemonOptions(options)
  const { supervisor } = options
  if (!(supervisor instanceof LiveSupervisor))
    refuse('createDaemon().supervisor', 'a supervisor made by createSupervisor()', supervisor)
  return new LiveDaemon(options, supervisor, storeFor)
}

class LiveDaemon implements Daemon {
  readonly name: string
  readonly #supervisor: LiveSupervisor
  readonly #spec: DaemonChild
  readonly #http: HttpServerOptions | undefined
  #child: Child | undefined = undefined
  #server: { readonly spec: HttpChild; readonly child: Child } | undefined = undefined

  constructor(
    options: DaemonOptions,
    supervisor: LiveSupervisor,
    storeFor: (queue: QueueStore) => DaemonStore,
  ) {
    const {
      name = 'default',
      leaseMs = 10_000,
      lostLimit = LOST_LIMIT,
      prefetch = 2_000,
      unknownTasks = 'fail',
    } = options
    const tasks = taskTable(options.tasks)
    this.name = name
    this.#supervisor = supervisor
    this.#http = httpOptions(options, this)
    const settings = {
      leaseMs,
      lostLimit,
      prefetch,
      keep: pruneRules(options.keep),
      unknownTasks,
      ...namesByPool(supervisor, tasks),
    }
    const queue = storeOf(options.queue)
    const ports = daemonPorts({
      name,
      queue,
      store: storeFor(queue),
      supervisor,
      tasks,
      settings,
      shutdown: () => void this.stop(),
    })
    this.#spec = new DaemonChild(name, ports)
  }

  get id(): string | undefined {
    return this.#spec.life?.identity.id
  }

  get state(): DaemonState {
    return (this.#spec.life?.state ?? 'idle') as DaemonState
  }

  get http(): HttpServer | undefined {
    return this.#server?.spec.server
  }

  async start(): Promise<void> {
    this.#child ??= this.#supervisor.supervise(this.#spec)
    await this.#child.start()
    if (this.#http !== undefined) await this.#serve(this.#http)
  }

  async stop(options: Pick<StopOptions, 'wait' | 'graceMs'> = {}): Promise<void> {
    checkStopOptions(options)
    const { clock, defaultGraceMs } = this.#supervisor.parts
    const plan = planStop(options, clock.monotonic(), defaultGraceMs)
    // Asked through its supervisor, which would else start another life.
    const stopped = this.#child?.stop()
    this.#spec.life?.send({ type: 'daemon.stop', plan })
    await Promise.all([this.#server?.child.stop(), stopped])
  }

  info(): DaemonInfo {
    const { held = 0, running = 0, untold = 0, counts } = this.#spec.numbers ?? {}
    return { held, running, untold, counts: { ...counts } }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #serve(options: HttpServerOptions): Promise<void> {
    if (this.#server === undefined) {
      // Who serves nothing loads none of it.
      const { HttpChild } = await import('../http/http-child.ts')
      const spec = new HttpChild(`http:${this.name}`, options)
      this.#server ??= { spec, child: this.#supervisor.supervise(spec) }
    }
    await this.#server.child.start()
  }
}

/** Whoever may ask may have everything that it runs. */
function httpOptions({ http, queue, tasks }: DaemonOptions, daemon: Daemon): HttpServerOptions | undefined {
  return http === undefined ? undefined : { tasks, ...http, queue, daemon }
}

/** Names of the tasks that its pool of processes runs, and of all others. */
function namesByPool(
  supervisor: LiveSupervisor,
  tasks: ReadonlyMap<string, AnyDefinition>,
): Pick<DaemonSettings, 'names' | 'processNames'> {
  const { definitions } = supervisor.parts
  const processNames: string[] = []
  const names: string[] = []
  for (const [name, definition] of tasks) {
    const { execution } = definitions.entryOf(definition).plan
    ;(execution === 'process' ? processNames : names).push(name)
  }
  return { names, processNames }
}
