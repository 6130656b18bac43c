/**
 * Tells the world what happens to runs: events, diagnostics channels, log lines, task log. Payloads are
 * made only when somebody listens, so that a run nobody watches costs next to nothing here.
 */
import diagnostics from 'node:diagnostics_channel'
import type { Logger } from 'pino'
import type { Clock } from '../actors/clock.ts'
import { type HandBackReason, handBackReason } from '../actors/kept-run.ts'
import type { TaskRun } from '../actors/task-run.ts'
import type { Outcome, TaskState } from '../machines/model.ts'
import type { TaskFact } from '../machines/task-model.ts'
import {
  EVENT_NAMES,
  type EventHub,
  type EventName,
  type SupervisorEvents,
  type TaskEnded,
  type TaskEventBase,
} from './events.ts'
import { say } from './logger.ts'
import { outcomeError } from './outcome-error.ts'
import { type TaskLog, terminalAction } from './task-log.ts'

type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const LEVELS: Partial<Record<EventName, LogLevel>> = {
  'supervisor.started': 'info',
  'supervisor.paused': 'info',
  'supervisor.resumed': 'info',
  'supervisor.stopping': 'info',
  'supervisor.stopped': 'info',
  'supervisor.failed': 'error',
  'pool.starved': 'warn',
  'task.retrying': 'info',
  // A batch that waits would write a line per task; `pool.starved` warns once.
  'task.queueWarning': 'info',
  'task.queueCritical': 'info',
  'task.failed': 'error',
  'task.terminated': 'warn',
  'task.abandoned': 'error',
  'condition.failed': 'error',
  'child.failed': 'error',
  'child.restarted': 'info',
  'child.escalated': 'error',
  'loop.started': 'info',
  'loop.blocked': 'warn',
  'loop.unblocked': 'info',
  'loop.stopped': 'info',
  'loop.failed': 'error',
  'loop.gaveUp': 'error',
  'loop.restarted': 'warn',
  'worker.restarted': 'info',
  'worker.failed': 'warn',
  'daemon.started': 'info',
  'daemon.storeLost': 'error',
  'daemon.storeFound': 'info',
  'daemon.leaseLost': 'error',
  'daemon.renewalFailed': 'error',
  'daemon.renewalWorks': 'info',
  'daemon.fenced': 'warn',
  'daemon.overdue': 'warn',
  'schedule.ended': 'info',
  'daemon.told': 'info',
  'daemon.stopping': 'info',
  'daemon.stopped': 'info',
}

/** Where an event goes besides the listeners: its diagnostics channel and its log level. */
interface Topic {
  readonly channel: diagnostics.Channel
  readonly level: LogLevel
}

/** One channel per event, `stateward:task.finished` and so on; the message is the event's payload. */
const TOPICS = Object.fromEntries(
  EVENT_NAMES.map((name): [EventName, Topic] => [
    name,
    { channel: diagnostics.channel(`stateward:${name}`), level: LEVELS[name] ?? 'debug' },
  ]),
) as Readonly<Record<EventName, Topic>>

// Names put together at run time would cost more than all else here.
const FACT_EVENTS = {
  scheduled: 'task.scheduled',
  queued: 'task.queued',
  queueWarning: 'task.queueWarning',
  queueCritical: 'task.queueCritical',
  admitted: 'task.admitted',
  started: 'task.started',
  retrying: 'task.retrying',
  snoozed: 'task.snoozed',
} as const satisfies Record<TaskFact, EventName>

const OUTCOME_EVENTS = {
  finished: 'task.finished',
  failed: 'task.failed',
  cancelled: 'task.cancelled',
  terminated: 'task.terminated',
} as const satisfies Record<Outcome['kind'], EventName>

/** The state that a task has in its queue when a daemon has given it back. */
const HANDED_BACK = {
  retry: 'retrying',
  snooze: 'snoozed',
  next: 'queued',
  returned: 'queued',
} as const satisfies Record<HandBackReason, TaskState>

export interface ReporterOptions {
  readonly id: string
  readonly clock: Clock
  readonly logger: Logger
  readonly hub: EventHub
  readonly taskLog: TaskLog
}

export class Reporter {
  readonly #options: ReporterOptions
  readonly #hub: EventHub
  /** Runs that the stop under way has ended. */
  #endedByStop = 0
  #level: string | undefined = undefined
  #levels: Readonly<Record<LogLevel, boolean>> = { debug: false, info: false, warn: false, error: false }

  constructor(options: ReporterOptions) {
    this.#options = options
    this.#hub = options.hub
  }

  /** Whether anybody would see an event of this name. */
  heard(name: EventName): boolean {
    if (this.#hub.hears(name)) return true
    const { channel, level } = TOPICS[name]
    return channel.hasSubscribers || this.#logs(level)
  }

  /** Asking pino costs more than a short task has: its answer is kept as long as its level stays. */
  #logs(level: LogLevel): boolean {
    const { logger } = this.#options
    const { level: current } = logger
    if (typeof current !== 'string') return logger.isLevelEnabled(level)
    if (current !== this.#level) {
      this.#level = current
      this.#levels = {
        debug: logger.isLevelEnabled('debug'),
        info: logger.isLevelEnabled('info'),
        warn: logger.isLevelEnabled('warn'),
        error: logger.isLevelEnabled('error'),
      }
    }
    return this.#levels[level]
  }

  /** Whether `emit` writes a line for this event. */
  logs(name: EventName, payload: object): boolean {
    // A stop may end 100,000 runs: one line says how many.
    if (name === 'task.terminated' && 'reason' in payload && payload.reason === 'stop') return false
    return this.#logs(TOPICS[name].level)
  }

  emit<Name extends EventName>(name: Name, facts: Omit<SupervisorEvents[Name], 'supervisor' | 'at'>): void {
    if (!this.heard(name) && this.#endedByStop === 0) return
    const { id, clock, hub, logger } = this.#options
    const payload = { supervisor: id, at: clock.now(), ...facts } as SupervisorEvents[Name]
    if (hub.hears(name)) hub.emit(name, payload)
    const { channel, level } = TOPICS[name]
    if (channel.hasSubscribers) channel.publish(payload)
    if (name === 'supervisor.stopped' && this.#endedByStop > 0) {
      say(logger, 'warn', { terminated: this.#endedByStop }, 'tasks were terminated by the stop')
      this.#endedByStop = 0
    }
    if (this.logs(name, payload)) say(logger, level, toLogFields(payload), name)
  }

  created(run: TaskRun): void {
    if (this.heard('task.created')) this.emit('task.created', base(run))
  }

  announce(run: TaskRun, fact: TaskFact): void {
    if (fact === 'started') this.#options.taskLog.note(run, 'run')
    const name = FACT_EVENTS[fact]
    if (!this.heard(name)) return
    const { context } = run.snapshot
    if (name === 'task.scheduled' || name === 'task.snoozed') {
      this.emit(name, { ...base(run), delayMs: context.delayMs })
    } else if (name === 'task.retrying') {
      const error = context.lastFailure?.error ?? context.lastFailure?.kind
      this.emit(name, { ...base(run), delayMs: context.delayMs, error })
    } else if (name === 'task.queueWarning' || name === 'task.queueCritical') {
      const queueMs = this.#options.clock.monotonic() - run.queuedMono
      this.emit(name, { ...base(run), queueMs })
    } else if (name === 'task.admitted') this.emit(name, { ...base(run), queueMs: run.queueMs })
    else this.emit(name, base(run))
  }

  progressed(run: TaskRun): void {
    if (run.progress !== undefined && this.heard('task.progress')) {
      this.emit('task.progress', { ...base(run), ...run.progress })
    }
  }

  abandoned(run: TaskRun): void {
    this.emit('task.abandoned', base(run))
  }

  settled(run: TaskRun): void {
    const { outcome } = run
    if (outcome === undefined) return
    const why = handBackReason(run)
    if (why !== undefined) return this.#handedBack(run, why)
    this.#options.taskLog.note(run, terminalAction(run))
    const name =
      outcome.kind === 'finished' && outcome.skipped !== undefined
        ? 'task.skipped'
        : OUTCOME_EVENTS[outcome.kind]
    if (outcome.kind === 'terminated' && outcome.reason === 'stop') {
      this.#endedByStop += 1
      if (!this.#hub.hears(name) && !TOPICS[name].channel.hasSubscribers) return
    }
    if (!this.heard(name)) return
    const ended = endedBase(run)
    if (outcome.kind === 'finished') {
      if (outcome.skipped === undefined) this.emit('task.finished', { ...ended, value: outcome.value })
      else this.emit('task.skipped', { ...ended, reason: outcome.skipped })
    } else if (outcome.kind === 'failed') {
      this.emit('task.failed', { ...ended, kind: outcome.failure.kind, error: outcomeError(run) })
    } else if (outcome.kind === 'cancelled') {
      this.emit('task.cancelled', { ...ended, reason: outcome.reason, step: outcome.step })
    } else {
      const { reason, step } = outcome
      this.emit('task.terminated', { ...ended, reason, step, error: outcomeError(run) })
    }
  }

  /** No end: the task goes on elsewhere, or here as another run. */
  #handedBack(run: TaskRun, why: HandBackReason): void {
    if (run.ranMs >= 0) this.#options.taskLog.note(run, 'inaction')
    if (this.heard('task.handedBack'))
      this.emit('task.handedBack', { ...endedBase(run), state: HANDED_BACK[why], why })
  }
}

function endedBase(run: TaskRun): Omit<TaskEnded, 'supervisor' | 'at'> {
  return { ...base(run), queueMs: run.queueMs, runMs: run.ranMs < 0 ? undefined : run.ranMs }
}

function base(run: TaskRun): Omit<TaskEventBase, 'supervisor' | 'at'> {
  const facts = {
    runId: run.id,
    name: run.definition.name,
    state: run.state,
    priority: run.snapshot.context.band,
    execution: run.execution,
    attempt: run.snapshot.context.attempt,
  }
  if (run.worker === undefined) return facts
  return { ...facts, worker: run.worker }
}

/** Stable field names; values of results and inputs stay out of the log. */
export function toLogFields(payload: object): object {
  const {
    at: _,
    supervisor: ___,
    name,
    error,
    value: __,
    output: ____,
    ...fields
  } = payload as {
    supervisor?: string
    at?: number
    name?: string
    error?: unknown
    value?: unknown
    output?: unknown
  }
  return {
    ...fields,
    ...(name === undefined ? {} : { task: name }),
    ...(error === undefined ? {} : { err: error }),
  }
}
