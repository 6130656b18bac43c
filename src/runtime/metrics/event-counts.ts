/** Metrics that are counted as the events of a supervisor happen. Only events that count are listened to. */
import type { EventListener, EventName, TaskEnded, TaskEventBase } from '../events.ts'
import type { Supervisor } from '../supervisor.ts'
import type { Families } from './families.ts'
import type { LabelLimit } from './label-limit.ts'

/** Bounds of labels whose values are names that users give. */
export interface NameLimits {
  /** `undefined`: there is no label `task`. */
  readonly tasks: LabelLimit | undefined
  readonly workers: LabelLimit
  readonly loops: LabelLimit
  readonly daemons: LabelLimit
}

export interface EventCountsOptions {
  readonly families: Families
  /** Its value in the label `supervisor`. */
  readonly name: string
  readonly limits: NameLimits
}

/** @returns how to stop counting */
export function countEvents(supervisor: Supervisor, options: EventCountsOptions): () => void {
  const { families, name, limits } = options
  const own = { supervisor: name }
  const offs: (() => void)[] = []
  const on = <Name extends EventName>(event: Name, listener: EventListener<Name>): void => {
    offs.push(supervisor.on(event, listener))
  }
  const taskOf = (task: string): { task?: string } =>
    limits.tasks === undefined ? {} : { task: limits.tasks.of(task) }

  const timed = ({ name: task, priority, execution, queueMs, runMs, worker }: TaskEnded): void => {
    const named = taskOf(task)
    families.observe('stateward_task_queue_seconds', { ...own, priority, ...named }, queueMs / 1_000)
    if (runMs !== undefined)
      families.observe('stateward_task_run_seconds', { ...own, execution, ...named }, runMs / 1_000)
    if (worker !== undefined) {
      const labels = { ...own, worker: limits.workers.of(worker) }
      families.observe('stateward_worker_lag_seconds', labels, queueMs / 1_000)
    }
  }
  const ended = (payload: TaskEnded, outcome: string, reason: string): void => {
    const { name: task, priority } = payload
    const labels = { ...own, outcome, reason, priority, ...taskOf(task) }
    families.add('stateward_tasks_ended_total', labels)
    timed(payload)
  }
  on('task.finished', (payload) => ended(payload, 'finished', ''))
  on('task.skipped', (payload) => ended(payload, 'skipped', ''))
  on('task.failed', (payload) => ended(payload, 'failed', payload.kind))
  on('task.cancelled', (payload) => ended(payload, 'cancelled', ''))
  on('task.terminated', (payload) => ended(payload, 'terminated', payload.reason))
  on('task.handedBack', (payload) => {
    families.add('stateward_tasks_handed_back_total', { ...own, why: payload.why, ...taskOf(payload.name) })
    timed(payload)
  })

  const counted = ({ name: task }: TaskEventBase) => ({ ...own, ...taskOf(task) })
  on('task.retrying', (payload) => families.add('stateward_task_retries_total', counted(payload)))
  on('task.snoozed', (payload) => families.add('stateward_task_snoozes_total', counted(payload)))
  on('task.abandoned', (payload) => families.add('stateward_tasks_abandoned_total', counted(payload)))
  on('task.queueWarning', (payload) =>
    families.add('stateward_task_queue_alarms_total', { ...counted(payload), level: 'warning' }),
  )
  on('task.queueCritical', (payload) =>
    families.add('stateward_task_queue_alarms_total', { ...counted(payload), level: 'critical' }),
  )
  on('pool.starved', () => families.add('stateward_pool_starved_total', own))
  on('condition.failed', () => families.add('stateward_condition_failures_total', own))

  on('child.restarted', ({ kind }) => families.add('stateward_child_restarts_total', { ...own, kind }))
  on('child.failed', ({ kind }) => families.add('stateward_child_failures_total', { ...own, kind }))
  on('child.escalated', ({ kind }) => families.add('stateward_child_escalations_total', { ...own, kind }))

  const loopOf = ({ loop }: { readonly loop: string }) => ({ ...own, loop: limits.loops.of(loop) })
  on('loop.blocked', (payload) => families.add('stateward_loop_blocks_total', loopOf(payload)))
  on('loop.restarted', (payload) => families.add('stateward_loop_restarts_total', loopOf(payload)))

  on('worker.skipped', ({ worker, reason, count }) => {
    const labels = { ...own, worker: limits.workers.of(worker), reason }
    families.add('stateward_worker_skips_total', labels, count)
  })

  const daemonOf = ({ daemon }: { readonly daemon: string }) => ({
    ...own,
    daemon: limits.daemons.of(daemon),
  })
  on('daemon.storeLost', (payload) => families.add('stateward_daemon_store_losses_total', daemonOf(payload)))
  on('daemon.leaseLost', (payload) => families.add('stateward_daemon_leases_lost_total', daemonOf(payload)))
  on('daemon.fenced', (payload) => families.add('stateward_daemon_fenced_total', daemonOf(payload)))

  return () => {
    for (const off of offs) off()
  }
}
