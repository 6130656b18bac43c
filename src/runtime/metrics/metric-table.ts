/**
 * Every metric: its kind, its labels, what it says. The table in docs/observability.md is held against this one.
 *
 * Those that are `named` have the label `task`, too, where names of tasks are asked for. Counters end in `_total`; what has
 * a unit ends in it: seconds.
 */

export interface MetricShape {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly named?: true
}

const OF_DAEMON = ['supervisor', 'daemon'] as const
const OF_WORKER = ['supervisor', 'worker'] as const
const OF_LOOP = ['supervisor', 'loop'] as const

export const METRICS = {
  stateward_supervisor_up: {
    kind: 'gauge',
    help: 'Whether the supervisor admits runs: 1 while it is running.',
    labels: ['supervisor'],
  },
  stateward_tasks_submitted_total: {
    kind: 'counter',
    help: 'Runs that were submitted.',
    labels: ['supervisor'],
  },
  stateward_tasks_ended_total: {
    kind: 'counter',
    help: 'Runs that have ended, by outcome; reason is the kind of a failure or the reason of a termination.',
    labels: ['supervisor', 'outcome', 'reason', 'priority'],
    named: true,
  },
  stateward_tasks_handed_back_total: {
    kind: 'counter',
    help: 'Attempts and steps of durable tasks that a daemon has given back to their queue.',
    labels: ['supervisor', 'why'],
    named: true,
  },
  stateward_tasks: {
    kind: 'gauge',
    help: 'Live runs by state and band.',
    labels: ['supervisor', 'state', 'priority'],
  },
  stateward_task_oldest_wait_seconds: {
    kind: 'gauge',
    help: 'How long the run that waits longest for a slot has waited.',
    labels: ['supervisor', 'priority'],
  },
  stateward_task_queue_seconds: {
    kind: 'histogram',
    help: 'Time in the queue, all waits of a run together, told when it ends.',
    labels: ['supervisor', 'priority'],
    named: true,
  },
  stateward_task_run_seconds: {
    kind: 'histogram',
    help: 'Time of the last attempt of a run, told when the run ends; nothing for one that never began.',
    labels: ['supervisor', 'execution'],
    named: true,
  },
  stateward_task_retries_total: {
    kind: 'counter',
    help: 'Attempts that failed and were followed by another one.',
    labels: ['supervisor'],
    named: true,
  },
  stateward_task_snoozes_total: {
    kind: 'counter',
    help: 'Attempts that asked to be run again later.',
    labels: ['supervisor'],
    named: true,
  },
  stateward_task_queue_alarms_total: {
    kind: 'counter',
    help: 'Waits that came to queueWarningMs or queueCriticalMs.',
    labels: ['supervisor', 'level'],
    named: true,
  },
  stateward_tasks_abandoned_total: {
    kind: 'counter',
    help: 'Handlers on an event loop that ignored their signal and were given up.',
    labels: ['supervisor'],
    named: true,
  },
  stateward_abandoned_handlers: {
    kind: 'gauge',
    help: 'Handlers that were given up and still go on.',
    labels: ['supervisor'],
  },
  stateward_pool_size: {
    kind: 'gauge',
    help: 'Slots of a pool without its reserves; 0 is unlimited.',
    labels: ['supervisor', 'pool'],
  },
  stateward_pool_reserve: {
    kind: 'gauge',
    help: 'Slots above the size that this band and more urgent ones may take.',
    labels: ['supervisor', 'pool', 'priority'],
  },
  stateward_pool_active: {
    kind: 'gauge',
    help: 'Slots taken.',
    labels: ['supervisor', 'pool'],
  },
  stateward_pool_waiting: {
    kind: 'gauge',
    help: 'Runs that wait for a slot.',
    labels: ['supervisor', 'pool', 'priority'],
  },
  stateward_pool_starved_total: {
    kind: 'counter',
    help: 'How often runs waited and none was admitted for starvedAfterMs.',
    labels: ['supervisor'],
  },
  stateward_executors: {
    kind: 'gauge',
    help: 'Threads and processes that exist.',
    labels: ['supervisor', 'kind', 'state'],
  },
  stateward_executors_max: {
    kind: 'gauge',
    help: 'How many threads or processes there may be for tasks below critical.',
    labels: ['supervisor', 'kind'],
  },
  stateward_child_restarts_total: {
    kind: 'counter',
    help: 'Lives of supervised children that followed another one.',
    labels: ['supervisor', 'kind'],
  },
  stateward_child_failures_total: {
    kind: 'counter',
    help: 'Lives of supervised children that ended abnormally.',
    labels: ['supervisor', 'kind'],
  },
  stateward_child_escalations_total: {
    kind: 'counter',
    help: 'Groups of children that gave up.',
    labels: ['supervisor', 'kind'],
  },
  stateward_condition_failures_total: {
    kind: 'counter',
    help: 'Conditions that threw.',
    labels: ['supervisor'],
  },
  stateward_loop_up: {
    kind: 'gauge',
    help: 'Whether the loop takes work and turns.',
    labels: OF_LOOP,
  },
  stateward_loop_attempts: {
    kind: 'gauge',
    help: 'Attempts in the loop, those that were given up included.',
    labels: OF_LOOP,
  },
  stateward_loop_blocks_total: {
    kind: 'counter',
    help: 'How often the event loop did not turn for half a second.',
    labels: OF_LOOP,
  },
  stateward_loop_restarts_total: {
    kind: 'counter',
    help: 'Threads of the loop that replaced another one.',
    labels: OF_LOOP,
  },
  stateward_worker_up: {
    kind: 'gauge',
    help: 'Whether the worker lives and is not paused.',
    labels: OF_WORKER,
  },
  stateward_worker_live_runs: {
    kind: 'gauge',
    help: 'Runs of the worker that are live.',
    labels: OF_WORKER,
  },
  stateward_worker_owed_runs: {
    kind: 'gauge',
    help: 'Runs that wait for a live one of the worker to end.',
    labels: OF_WORKER,
  },
  stateward_worker_items: {
    kind: 'gauge',
    help: 'Items of a queue worker that have not begun.',
    labels: OF_WORKER,
  },
  stateward_worker_runs_total: {
    kind: 'counter',
    help: 'Runs of the worker that have ended.',
    labels: OF_WORKER,
  },
  stateward_worker_failures_total: {
    kind: 'counter',
    help: 'Runs of the worker that failed or were terminated.',
    labels: OF_WORKER,
  },
  stateward_worker_skips_total: {
    kind: 'counter',
    help: 'Occurrences and triggers that came to nothing.',
    labels: [...OF_WORKER, 'reason'],
  },
  stateward_worker_lag_seconds: {
    kind: 'histogram',
    help: 'How long runs of the worker waited for a slot, told when they end.',
    labels: OF_WORKER,
  },
  stateward_daemon_up: {
    kind: 'gauge',
    help: 'Whether the daemon claims tasks: 0 also while it stops, or its database is away.',
    labels: OF_DAEMON,
  },
  stateward_daemon_store_losses_total: {
    kind: 'counter',
    help: 'How often the database of the daemon did not answer.',
    labels: OF_DAEMON,
  },
  stateward_daemon_held_tasks: {
    kind: 'gauge',
    help: 'Tasks that the daemon holds leases for.',
    labels: OF_DAEMON,
  },
  stateward_daemon_running_tasks: {
    kind: 'gauge',
    help: 'Held tasks that run.',
    labels: OF_DAEMON,
  },
  stateward_daemon_outbox: {
    kind: 'gauge',
    help: 'Ends of tasks that are not known to be stored.',
    labels: OF_DAEMON,
  },
  stateward_daemon_claimed_total: {
    kind: 'counter',
    help: 'Tasks that the daemon has claimed.',
    labels: OF_DAEMON,
  },
  stateward_daemon_settled_total: {
    kind: 'counter',
    help: 'What the daemon has told its queue of tasks.',
    labels: [...OF_DAEMON, 'verdict'],
  },
  stateward_daemon_lease_renewals_total: {
    kind: 'counter',
    help: 'Leases that were renewed, were lost to somebody else, or could not be asked for.',
    labels: [...OF_DAEMON, 'result'],
  },
  stateward_daemon_leases_lost_total: {
    kind: 'counter',
    help: 'Tasks that were ended here because their lease was lost.',
    labels: OF_DAEMON,
  },
  stateward_daemon_fenced_total: {
    kind: 'counter',
    help: 'Ends of tasks that came too late and changed nothing.',
    labels: OF_DAEMON,
  },
  stateward_queue_up: {
    kind: 'gauge',
    help: 'Whether the database has answered; without an answer the other metrics of the queue are missing.',
    labels: ['queue'],
  },
  stateward_queue_tasks: {
    kind: 'gauge',
    help: 'Stored tasks by state.',
    labels: ['queue', 'state'],
  },
  stateward_queue_due_tasks: {
    kind: 'gauge',
    help: 'Stored tasks that are due and wait for a daemon.',
    labels: ['queue', 'priority'],
  },
  stateward_queue_oldest_due_seconds: {
    kind: 'gauge',
    help: 'How long the task that is due longest has been due.',
    labels: ['queue', 'priority'],
  },
  stateward_queue_daemons: {
    kind: 'gauge',
    help: 'Daemons of the queue by their last sign of life.',
    labels: ['queue', 'state'],
  },
} as const satisfies Record<string, MetricShape>

export type MetricName = keyof typeof METRICS

export type MetricOf<Kind extends MetricShape['kind']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends Kind ? Name : never
}[MetricName]

/** Values of the labels that a metric always has. */
export type LabelsOf<Name extends MetricName> = Readonly<
  Record<(typeof METRICS)[Name]['labels'][number], string>
>
