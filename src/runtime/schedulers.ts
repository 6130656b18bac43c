/** Schedulers of one's own: registered with the supervisor, which starts, restarts and stops them like every child. */
import {
  type Scheduler,
  SchedulerChild,
  type SchedulerPorts,
  type SyncScheduler,
} from '../actors/scheduler.ts'
import type { ChildSpec } from '../actors/supervised.ts'
import type { Tracer } from '../actors/tracer.ts'
import { RESTART_TYPES, type RestartType } from '../machines/restart.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import { OptionError } from './errors.ts'

/** Options of {@link Supervisor.register}. */
export interface RegisterOptions {
  /** Unique among the children of the supervisor. @defaultValue `scheduler-1` and so on */
  readonly name?: string
  /** Whether another life follows when its loop has ended by itself. @defaultValue 'transient': when it threw */
  readonly restart?: RestartType
  /**
   * How long its end may take, ms. It cannot be killed on this loop: after that it is given up, and counted in
   * `info().schedulers.abandoned` until it ends. @defaultValue 5000
   */
  readonly shutdownMs?: number
}

/** Options of {@link Supervisor.registerSync}. */
export type RegisterSyncOptions = Omit<RegisterOptions, 'restart'>

/** Schedulers in numbers. */
export interface SchedulersInfo {
  readonly registered: number
  /** Told to stop and given up; they still go on. */
  readonly abandoned: number
}

/** Where schedulers are supervised. */
export interface SchedulerHome {
  /** @throws when its id is taken or its group is stopping: then nothing is listed */
  add(spec: ChildSpec): RegisteredChild
}

interface RegisteredChild {
  readonly state: string
  remove(): Promise<void>
}

const DEFAULT_SHUTDOWN_MS = 5_000

const syncChecks: Checks = { name: check.text, shutdownMs: check.duration }
const loopChecks: Checks = { ...syncChecks, restart: check.oneOf(...RESTART_TYPES) }

interface Registered {
  readonly scheduler: Scheduler | SyncScheduler
  readonly child: RegisteredChild
}

export class Schedulers {
  readonly #home: SchedulerHome
  readonly #ports: SchedulerPorts
  readonly #registered: Map<string, Registered> = new Map()
  #abandoned = 0
  #names = 0

  /** @param onError - told of what a scheduler threw when that was no failure any more */
  constructor(home: SchedulerHome, tracer: Tracer, onError: SchedulerPorts['onError']) {
    this.#home = home
    this.#ports = {
      tracer,
      onError,
      abandoned: (change) => {
        this.#abandoned += change
      },
    }
  }

  get info(): SchedulersInfo {
    this.#prune()
    return { registered: this.#registered.size, abandoned: this.#abandoned }
  }

  /** @returns its name @throws OptionError */
  register(scheduler: Scheduler, options: RegisterOptions): string {
    check.having('a scheduler', 'loop')('register(scheduler)', scheduler)
    if (scheduler.stop !== undefined) check.fn('register(scheduler).stop', scheduler.stop)
    checkOptions('register()', options, loopChecks)
    return this.#add('register()', scheduler, options)
  }

  /** @returns its name @throws OptionError */
  registerSync(scheduler: SyncScheduler, options: RegisterSyncOptions): string {
    check.having('a scheduler', 'stop')('registerSync(scheduler)', scheduler)
    if ('loop' in scheduler) {
      refuse('registerSync(scheduler)', 'without a loop', scheduler, 'Use register() for one with a loop.')
    }
    checkOptions('registerSync()', options, syncChecks)
    return this.#add('registerSync()', scheduler, options)
  }

  /** Ends it and forgets it. @throws OptionError (`ERR_SCHEDULER_UNKNOWN`) */
  async unregister(which: string | object): Promise<void> {
    this.#prune()
    const name = typeof which === 'string' ? which : this.#nameOf(which)
    const registered = name === undefined ? undefined : this.#registered.get(name)
    if (name === undefined || registered === undefined) {
      throw new OptionError(
        `${typeof which === 'string' ? `Scheduler "${which}"` : 'This scheduler'} is not registered.`,
        { code: 'ERR_SCHEDULER_UNKNOWN' },
      )
    }
    await registered.child.remove()
    if (this.#registered.get(name) === registered) this.#registered.delete(name)
  }

  #add(where: string, scheduler: Scheduler | SyncScheduler, options: RegisterOptions): string {
    this.#prune()
    const name = options.name ?? this.#freeName()
    if (name.includes('/')) refuse(`${where}.name`, 'free of "/"', name)
    const known = this.#nameOf(scheduler)
    if (known !== undefined) {
      throw new OptionError(`This scheduler is registered already, as "${known}". Unregister it first.`, {
        code: 'ERR_SCHEDULER_REGISTERED',
      })
    }
    const { restart = 'transient', shutdownMs = DEFAULT_SHUTDOWN_MS } = options
    const spec = new SchedulerChild({ name, scheduler, restart, shutdownMs, ports: this.#ports })
    const child = this.#home.add(spec)
    this.#registered.set(name, { scheduler, child })
    return name
  }

  #freeName(): string {
    this.#names += 1
    return `scheduler-${this.#names}`
  }

  #nameOf(scheduler: object): string | undefined {
    for (const [name, registered] of this.#registered) if (registered.scheduler === scheduler) return name
    return undefined
  }

  /** Its group no longer lists one that was removed there, or was temporary and has ended. */
  #prune(): void {
    for (const [name, { child }] of this.#registered)
      if (child.state === 'removed') this.#registered.delete(name)
  }
}
