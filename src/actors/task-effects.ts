/**
 * What the task machine's named effects do. One function per effect; the machine has decided, nothing
 * here looks at the phase of a run.
 */
import type { TaskEffect, TaskEvent, TaskFact } from '../machines/task-model.ts'
import { LocalAttempt } from './local-attempt.ts'
import { NO_PARAMETERS } from './parameters.ts'
import type { Continuation } from './pool-ports.ts'
import { RefusedAttempt } from './refused-attempt.ts'
import { RemoteAttempt } from './remote-attempt.ts'
import type { TaskPool } from './task-pool.ts'
import type { TaskRun } from './task-run.ts'
import {
  armGrace,
  armKillBound,
  armProbeBound,
  armQueueTimers,
  armRunTimers,
  armWakeUp,
  disarm,
} from './task-timers.ts'

type Effect = (pool: TaskPool, run: TaskRun, event: TaskEvent, params: unknown) => void

const EFFECTS: { readonly [K in TaskEffect]: Effect } = {
  armWakeUp,
  armQueueTimers,
  startRunClock,
  armRunTimers,
  armGrace,
  armKillBound,
  armProbeBound,
  disarmTimers: disarm,
  enqueue,
  dequeue,
  requeue,
  startAttempt,
  signalAttempt,
  probeLoop,
  terminateAttempt: (_, run) => run.attempt?.terminate(),
  killAttempt: (_, run) => run.attempt?.kill(),
  abandonAttempt: (pool, run) => pool.ports.abandoned(run),
  releaseSlot,
  adoptCall,
  announce: (pool, run, _, params) => pool.ports.announce(run, (params as { fact: TaskFact }).fact),
  settle,
}

export function runEffect(
  pool: TaskPool,
  run: TaskRun,
  type: string,
  params: unknown,
  event: TaskEvent,
): void {
  EFFECTS[type as TaskEffect](pool, run, event, params)
}

function enqueue(pool: TaskPool, run: TaskRun): void {
  if (run.seq === 0) run.entry.entered += 1
  run.seq = pool.nextSeq()
  run.queuedMono = pool.now
  run.agedMono = -1
  if (!run.plan.multilaunch && run.entry.isTaken) return run.entry.hold(run)
  pool.slots(run.execution).enqueue(run)
}

function dequeue(pool: TaskPool, run: TaskRun): void {
  run.queueMs += pool.now - run.queuedMono
  if (isGated(run)) run.entry.release(run)
  else pool.slots(run.execution).dequeue(run, run.snapshot.context.band)
}

/** After ageing: the tail of the higher band; among aged runs the order stays. */
function requeue(pool: TaskPool, run: TaskRun): void {
  run.agedMono = pool.now
  if (isGated(run)) {
    run.entry.release(run)
    return run.entry.hold(run)
  }
  const slots = pool.slots(run.execution)
  slots.dequeue(run, run.snapshot.context.band === 'high' ? 'normal' : 'low')
  slots.enqueue(run)
}

function startRunClock(pool: TaskPool, run: TaskRun, event: TaskEvent): void {
  const agoMs = event.type === 'attempt.started' ? (event.agoMs ?? 0) : 0
  // Another thread's clock may disagree: no handler begins before its run was queued.
  run.startedMono = Math.max(run.queuedMono, pool.now - agoMs)
}

function startAttempt(pool: TaskPool, run: TaskRun): void {
  const { execution } = run
  pool.slots(execution).take(run)
  pool.admittedMono = pool.now
  if (execution === 'main') pool.exclusive += 1
  if (run.plan.parameters !== undefined && !giveParameters(pool, run)) return
  const executor = pool.ports.executorFor(run)
  if (executor === undefined) {
    const attempt = new LocalAttempt(run)
    run.attempt = attempt
    pool.starts.push(attempt)
  } else {
    const attempt = new RemoteAttempt(run)
    run.attempt = attempt
    attempt.start(executor)
  }
}

/** @returns false when they cannot be made: the attempt fails */
function giveParameters(pool: TaskPool, run: TaskRun): boolean {
  try {
    run.parameters = pool.ports.parametersFor(run)
    return true
  } catch (error) {
    const attempt = new RefusedAttempt(run, error)
    run.attempt = attempt
    pool.starts.push(attempt)
    return false
  }
}

/** Children go first: a handler that awaits one could not end before it. */
function signalAttempt(pool: TaskPool, run: TaskRun): void {
  cancelChildren(pool, run)
  run.attempt?.signal(pool.ports.stopReason(run))
}

function probeLoop(_pool: TaskPool, run: TaskRun): void {
  if (run.attempt instanceof RemoteAttempt) run.attempt.probe()
}

function cancelChildren(pool: TaskPool, run: TaskRun): void {
  if (run.children === undefined) return
  for (const child of run.children)
    pool.deliver(child, { type: 'task.cancel', reason: 'its parent has ended' })
}

function releaseSlot(pool: TaskPool, run: TaskRun): void {
  // A continuation may move the run to another execution: the slot to give back is the old one's.
  const { execution } = run.plan
  run.attempt = undefined
  if (run.startedMono >= run.queuedMono) run.ranMs = pool.now - run.startedMono
  if (execution === 'main') pool.exclusive -= 1
  pool.slots(execution).release(run, execution)
  if (!pool.lending.idle) pool.lending.forget(run)
  if (pool.freed.size > 0) for (const told of pool.freed) told()
}

function adoptCall(pool: TaskPool, run: TaskRun, event: TaskEvent): void {
  if (event.type !== 'attempt.continued') return
  const { entry, input, plan } = event.call as Continuation
  pool.ports.moving(run)
  run.parameters = NO_PARAMETERS
  const { facts } = run.entry
  leaveEntry(pool, run)
  run.entry = entry
  run.input = input
  run.plan = plan
  entry.live += 1
  entry.entered += 1
  facts?.changed()
}

function settle(pool: TaskPool, run: TaskRun): void {
  run.endedMono = pool.now
  leaveEntry(pool, run)
  if (run.parent !== undefined) run.parent.children?.delete(run)
  cancelChildren(pool, run)
  pool.registry.end(run)
  pool.ports.settled(run)
  if (pool.registry.size === 0) pool.ports.drained()
}

function leaveEntry(pool: TaskPool, run: TaskRun): void {
  const { entry } = run
  entry.live -= 1
  if (run.seq > 0) entry.entered -= 1
  const next = entry.nextGated
  if (next === undefined) return
  entry.release(next)
  pool.slots(next.execution).enqueue(next)
}

function isGated(run: TaskRun): boolean {
  return run.entry.gated > 0 && run.entry.isGated(run)
}
