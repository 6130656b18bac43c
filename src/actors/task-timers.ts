/** The one armed timer of a run: which clock is next, and the event it brings. */
import { backoffMs } from '../machines/backoff.ts'
import {
  type DueTimer,
  nextQueueTimer,
  nextRunTimer,
  nextWaitTimer,
  type TaskTimer,
} from '../machines/deadlines.ts'
import { type AttemptEnd, mayRetry } from '../machines/retry.ts'
import type { TaskEvent } from '../machines/task-model.ts'
import type { AttemptHandle, SharedAttemptHandle } from './attempt.ts'
import type { PoolPorts } from './pool-ports.ts'
import type { TaskRun } from './task-run.ts'
import type { TimerQueue } from './timer-queue.ts'

export type TaskTimerKind = TaskTimer | 'timer.grace' | 'timer.probe' | 'timer.killBound'

/** How long SIGTERM, and after it a kill, may take before the next step is taken. */
const KILL_BOUND_MS = 100
/** How long a loop may take to say that it turns. One that does answers within a millisecond. */
const PROBE_BOUND_MS = 150

const orNever = (mono: number | undefined): number => mono ?? Number.POSITIVE_INFINITY

/** Only a run that has never run expires. */
const expiryOf = (run: TaskRun): number =>
  run.startedMono < 0 ? orNever(run.expiryMono) : Number.POSITIVE_INFINITY

interface TimerContext {
  /** The monotonic clock as of the event that is being worked off. */
  readonly now: number
  readonly ports: PoolPorts
  readonly timers: TimerQueue
}

const EVENTS: {
  readonly [K in Exclude<TaskTimerKind, 'timer.runTimeout' | 'timer.probe'>]: TaskEvent & { type: K }
} = {
  'timer.wakeUp': { type: 'timer.wakeUp' },
  'timer.aged': { type: 'timer.aged' },
  'timer.queueWarning': { type: 'timer.queueWarning' },
  'timer.queueCritical': { type: 'timer.queueCritical' },
  'timer.queueTimeout': { type: 'timer.queueTimeout' },
  'timer.expiry': { type: 'timer.expiry' },
  'timer.deadline': { type: 'timer.deadline' },
  'timer.grace': { type: 'timer.grace' },
  'timer.killBound': { type: 'timer.killBound' },
}

export function timerEvent(context: TimerContext, run: TaskRun, kind: TaskTimerKind): TaskEvent {
  if (kind === 'timer.probe') {
    // This loop may have been blocked itself: then the answer waits to be read.
    return { type: kind, answered: isShared(run.attempt) && run.attempt.hasAnswered() }
  }
  if (kind !== 'timer.runTimeout') return EVENTS[kind]
  return { type: kind, retryInMs: retryInMs(context.ports, run, 'runTimeout', undefined) }
}

function isShared(attempt: AttemptHandle | undefined): attempt is SharedAttemptHandle {
  return attempt !== undefined && 'hasAnswered' in attempt
}

/** The wait before the next attempt, or `undefined` when there is to be none. */
export function retryInMs(
  ports: PoolPorts,
  run: TaskRun,
  end: AttemptEnd,
  error: unknown,
): number | undefined {
  const { attempt, attempts } = run.snapshot.context
  if (!mayRetry(end, attempt, attempts)) return undefined
  const { retryIf, backoff } = run.plan
  if (retryIf !== undefined && end !== 'runTimeout') {
    try {
      if (!retryIf(error, { kind: end, attempt })) return undefined
    } catch (thrown) {
      ports.logger(run).error({ err: thrown }, 'retryIf threw: the run is not tried again')
      return undefined
    }
  }
  return backoffMs(backoff, attempt, ports.random())
}

export function disarm(context: TimerContext, run: TaskRun): void {
  if (run.timer === undefined) return
  context.timers.cancel(run.timer)
  run.timer = undefined
}

export function armWakeUp(context: TimerContext, run: TaskRun): void {
  const { delayMs } = run.snapshot.context
  const wakeAt = context.now + delayMs
  run.runAt = Math.round(context.ports.clock.now() + delayMs)
  arm(context, run, nextWaitTimer(wakeAt, expiryOf(run), orNever(run.deadlineMono)))
}

export function armQueueTimers(context: TimerContext, run: TaskRun): void {
  const { alarms, band } = run.snapshot.context
  const mayAge = band === 'low' || band === 'normal'
  const bandMono = mayAge ? Math.max(run.queuedMono, run.agedMono) : Number.POSITIVE_INFINITY
  const deadline = orNever(run.deadlineMono)
  arm(context, run, nextQueueTimer(run.plan, run.queuedMono, bandMono, alarms, expiryOf(run), deadline))
}

export function armRunTimers(context: TimerContext, run: TaskRun): void {
  const started = run.snapshot.value
  const executing = typeof started === 'object' && started.running === 'executing'
  arm(
    context,
    run,
    nextRunTimer(executing ? run.startedMono : undefined, run.plan.runTimeoutMs, orNever(run.deadlineMono)),
  )
}

export function armGrace(context: TimerContext, run: TaskRun): void {
  const graceMs = Math.min(run.plan.graceMs, run.snapshot.context.graceMs ?? Number.POSITIVE_INFINITY)
  // Whoever asks again may shorten a grace that is under way, never lengthen it.
  const underWay = run.timer?.kind === 'timer.grace' ? run.timer.due : Number.POSITIVE_INFINITY
  const dueAt = Math.min(underWay, context.now + graceMs)
  arm(context, run, dueAt === Number.POSITIVE_INFINITY ? undefined : { dueAt, timer: 'timer.grace' })
}

export function armKillBound(context: TimerContext, run: TaskRun): void {
  arm(context, run, { dueAt: context.now + KILL_BOUND_MS, timer: 'timer.killBound' })
}

export function armProbeBound(context: TimerContext, run: TaskRun): void {
  arm(context, run, { dueAt: context.now + PROBE_BOUND_MS, timer: 'timer.probe' })
}

function arm(
  context: TimerContext,
  run: TaskRun,
  next: DueTimer | { dueAt: number; timer: TaskTimerKind } | undefined,
): void {
  disarm(context, run)
  if (next !== undefined) run.timer = context.timers.arm(next.dueAt, run, next.timer)
}
