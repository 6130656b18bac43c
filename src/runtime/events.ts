/**
 * The events of a supervisor. Payloads are plain data; instants are epoch ms, durations ms.
 *
 * The table in docs/events.md lists them; a test holds it against {@link EVENT_NAMES}.
 */
import mitt from 'mitt'
import type { HandBackReason } from '../actors/kept-run.ts'
import type { ChildKind } from '../actors/supervised.ts'
import type { Limits } from '../machines/admission.ts'
import type { ChildStopStep } from '../machines/child.ts'
import type {
  Execution,
  FailureKind,
  Priority,
  StopStep,
  TaskState,
  TerminationReason,
} from '../machines/model.ts'
import type { OverdueReason } from '../machines/overdue.ts'
import type { RunCause, SkipReason, WorkerKind } from '../machines/worker-model.ts'

/** What every event carries. */
export interface EventBase {
  /** Id of the supervisor. */
  readonly supervisor: string
  readonly at: number
}

/** What every event about a run carries. */
export interface TaskEventBase extends EventBase {
  readonly runId: string
  readonly name: string
  readonly state: TaskState
  readonly priority: Priority
  readonly execution: Execution
  /** Attempts begun so far. */
  readonly attempt: number
  /** Name of the worker whose run it is, if it is one's. */
  readonly worker?: string
}

/** A run has ended. */
export interface TaskEnded extends TaskEventBase {
  /** Time in the queue, all returns together. */
  readonly queueMs: number
  /** Time of the last attempt; `undefined` when no handler ever began. */
  readonly runMs: number | undefined
}

/** What every event about a supervised child carries. */
export interface ChildEventBase extends EventBase {
  /** Its path: ids from the supervisor down, joined by `/`. */
  readonly child: string
  readonly kind: ChildKind
}

/** What every event about a named loop carries. */
export interface LoopEventBase extends EventBase {
  /** Its name. */
  readonly loop: string
}

/** What every event about a worker carries. */
export interface WorkerEventBase extends EventBase {
  /** Its name. */
  readonly worker: string
  readonly kind: WorkerKind
}

/** What every event about a daemon carries. */
export interface DaemonEventBase extends EventBase {
  /** Its name. */
  readonly daemon: string
  /** The holder of its leases. */
  readonly daemonId: string
}

/** Every event by its name. */
export interface SupervisorEvents {
  'supervisor.started': EventBase
  'supervisor.paused': EventBase
  'supervisor.resumed': EventBase
  'supervisor.stopping': EventBase
  'supervisor.stopped': EventBase
  'supervisor.failed': EventBase & { readonly error: unknown }
  'pool.resized': EventBase & { readonly pool: Limits; readonly processes: Limits }
  'pool.starved': EventBase & { readonly waiting: number; readonly idleMs: number }
  /** Before the first run of it is created. */
  'definition.used': EventBase & {
    readonly name: string
    /** URL of the module that exports it, if it says so. */
    readonly module: string | undefined
    /** The definition's own, or the supervisor's default. */
    readonly priority: Priority
    readonly execution: Execution
  }
  'task.created': TaskEventBase
  'task.scheduled': TaskEventBase & { readonly delayMs: number }
  'task.queued': TaskEventBase
  'task.queueWarning': TaskEventBase & { readonly queueMs: number }
  'task.queueCritical': TaskEventBase & { readonly queueMs: number }
  'task.admitted': TaskEventBase & { readonly queueMs: number }
  'task.started': TaskEventBase
  'task.progress': TaskEventBase & { readonly percent: number; readonly note: string | undefined }
  'task.retrying': TaskEventBase & { readonly delayMs: number; readonly error: unknown }
  'task.snoozed': TaskEventBase & { readonly delayMs: number }
  'task.skipped': TaskEnded & { readonly reason: string }
  'task.finished': TaskEnded & { readonly value: unknown }
  'task.failed': TaskEnded & { readonly kind: FailureKind; readonly error: unknown }
  'task.cancelled': TaskEnded & { readonly reason: unknown; readonly step: StopStep }
  'task.terminated': TaskEnded & {
    readonly reason: TerminationReason
    readonly step: StopStep
    readonly error: unknown
  }
  /** An attempt of a durable task is over here, and the task is not: its queue has it again. */
  'task.handedBack': TaskEnded & { readonly why: HandBackReason }
  'task.abandoned': TaskEventBase
  /** `condition`: the part that threw, in words. `owner`: the definition it was asked for. */
  'condition.failed': EventBase & {
    readonly condition: string
    readonly error: unknown
    readonly owner: string | undefined
  }
  'child.started': ChildEventBase
  'child.ended': ChildEventBase & { readonly output: unknown }
  'child.failed': ChildEventBase & { readonly error: unknown }
  'child.restarting': ChildEventBase & { readonly delayMs: number }
  'child.restarted': ChildEventBase & { readonly restarts: number }
  'child.stopped': ChildEventBase & { readonly step: ChildStopStep; readonly ms: number }
  'child.escalated': ChildEventBase & { readonly error: unknown }
  'loop.started': LoopEventBase & { readonly threadId: number }
  'loop.blocked': LoopEventBase & { readonly blockedMs: number; readonly runs: readonly string[] }
  'loop.unblocked': LoopEventBase & { readonly blockedMs: number }
  'loop.stopped': LoopEventBase
  'loop.failed': LoopEventBase & { readonly error: unknown; readonly attempts: number }
  /** It has failed too often, and is not started again by itself. */
  'loop.gaveUp': LoopEventBase & { readonly error: unknown }
  'loop.restarted': LoopEventBase & { readonly threadId: number; readonly restarts: number }
  'worker.started': WorkerEventBase
  'worker.restarted': WorkerEventBase & { readonly lives: number }
  'worker.triggered': WorkerEventBase & { readonly by: RunCause; readonly runId: string }
  'worker.skipped': WorkerEventBase & { readonly reason: SkipReason; readonly count: number }
  'worker.paused': WorkerEventBase
  'worker.resumed': WorkerEventBase
  'worker.stopped': WorkerEventBase & { readonly reason: 'asked' | 'done' }
  'worker.failed': WorkerEventBase & { readonly error: unknown }
  'daemon.started': DaemonEventBase
  'daemon.storeLost': DaemonEventBase & { readonly error: unknown }
  'daemon.storeFound': DaemonEventBase
  'daemon.leaseLost': DaemonEventBase & { readonly runId: string; readonly name: string }
  /** Leases could not be renewed, and are tried again; once until `daemon.renewalWorks`. */
  'daemon.renewalFailed': DaemonEventBase & { readonly error: unknown; readonly held: number }
  'daemon.renewalWorks': DaemonEventBase & { readonly held: number }
  'daemon.fenced': DaemonEventBase & { readonly runId: string }
  /** A task of the queue had waited for longer than it may, and this daemon has ended it. */
  'daemon.overdue': DaemonEventBase & {
    readonly runId: string
    readonly name: string
    readonly state: 'failed' | 'terminated'
    readonly reason: OverdueReason
  }
  /** No occurrence of it follows: its rule has none, or a run of it (`runId`) has asked for that. */
  'schedule.ended': DaemonEventBase & {
    readonly schedule: string
    readonly reason: 'exhausted' | 'asked'
    readonly runId: string | undefined
  }
  'daemon.told': DaemonEventBase & { readonly reason: string | undefined }
  'daemon.stopping': DaemonEventBase
  'daemon.stopped': DaemonEventBase & { readonly held: number; readonly untold: number }
}

export type EventName = keyof SupervisorEvents

const NAMES: Readonly<Record<EventName, true>> = {
  'supervisor.started': true,
  'supervisor.paused': true,
  'supervisor.resumed': true,
  'supervisor.stopping': true,
  'supervisor.stopped': true,
  'supervisor.failed': true,
  'pool.resized': true,
  'pool.starved': true,
  'definition.used': true,
  'task.created': true,
  'task.scheduled': true,
  'task.queued': true,
  'task.queueWarning': true,
  'task.queueCritical': true,
  'task.admitted': true,
  'task.started': true,
  'task.progress': true,
  'task.retrying': true,
  'task.snoozed': true,
  'task.skipped': true,
  'task.finished': true,
  'task.failed': true,
  'task.cancelled': true,
  'task.terminated': true,
  'task.handedBack': true,
  'task.abandoned': true,
  'condition.failed': true,
  'child.started': true,
  'child.ended': true,
  'child.failed': true,
  'child.restarting': true,
  'child.restarted': true,
  'child.stopped': true,
  'child.escalated': true,
  'loop.started': true,
  'loop.blocked': true,
  'loop.unblocked': true,
  'loop.stopped': true,
  'loop.failed': true,
  'loop.gaveUp': true,
  'loop.restarted': true,
  'worker.started': true,
  'worker.restarted': true,
  'worker.triggered': true,
  'worker.skipped': true,
  'worker.paused': true,
  'worker.resumed': true,
  'worker.stopped': true,
  'worker.failed': true,
  'daemon.started': true,
  'daemon.storeLost': true,
  'daemon.storeFound': true,
  'daemon.leaseLost': true,
  'daemon.renewalFailed': true,
  'daemon.renewalWorks': true,
  'daemon.fenced': true,
  'daemon.overdue': true,
  'schedule.ended': true,
  'daemon.told': true,
  'daemon.stopping': true,
  'daemon.stopped': true,
}

export const EVENT_NAMES: readonly EventName[] = Object.keys(NAMES) as EventName[]

export type EventListener<Name extends EventName> = (payload: SupervisorEvents[Name]) => void
/** Arguments of a listener for every event. */
export type AnyEvent = { [Name in EventName]: [type: Name, payload: SupervisorEvents[Name]] }[EventName]

/** One event as the async iterator gives it. */
export type RecordedEvent = {
  [Name in EventName]: { readonly type: Name; readonly payload: SupervisorEvents[Name] }
}[EventName]

// mitt's typings are CommonJS in the eyes of nodenext; at run time its default export is the function.
const createEmitter = mitt as unknown as typeof mitt.default

/** mitt with listeners that cannot hurt each other or the emitter. */
export class EventHub {
  readonly #emitter = createEmitter<Record<string, unknown>>()
  readonly #onError: (error: unknown, type: string) => void
  /** What is listened to: payloads are only made then. */
  readonly #heard = new Set<string>()

  constructor(onError: (error: unknown, type: string) => void) {
    this.#onError = onError
  }

  /** @returns a function that takes the listener away again */
  on(type: string, listener: (...args: never[]) => void): () => void {
    const isolated = (...args: unknown[]): void => {
      try {
        const told = (listener as (...all: unknown[]) => unknown)(...args)
        if (told instanceof Promise) told.catch((error: unknown) => this.#onError(error, type))
      } catch (error) {
        this.#onError(error, type)
      }
    }
    this.#emitter.on(type as '*', isolated as never)
    this.#look()
    return () => {
      this.#emitter.off(type as '*', isolated as never)
      this.#look()
    }
  }

  /** Whether anybody listens to events of this name. */
  hears(type: EventName): boolean {
    return this.#heard.size > 0 && (this.#heard.has('*') || this.#heard.has(type))
  }

  emit<Name extends EventName>(type: Name, payload: SupervisorEvents[Name]): void {
    this.#emitter.emit(type, payload as never)
  }

  #look(): void {
    this.#heard.clear()
    for (const [type, listeners] of this.#emitter.all) if (listeners.length > 0) this.#heard.add(String(type))
  }
}
