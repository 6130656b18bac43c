/** Wires workers to the runtime: submissions, events, typed errors, what hooks threw. */
import type { Logger } from 'pino'
import type { ConditionWatches } from '../actors/condition-watch.ts'
import type { TaskRun } from '../actors/task-run.ts'
import type { WorkerActor } from '../actors/worker.ts'
import type { WorkerNews, WorkerPorts } from '../actors/worker-ports.ts'
import type { Condition } from '../machines/condition.ts'
import type { EventName } from './events.ts'
import { say } from './logger.ts'
import { outcomeError } from './outcome-error.ts'
import type { Reporter } from './reporter.ts'
import type { RunHandle } from './run.ts'
import type { Submissions } from './submissions.ts'

export interface WorkerWiring
  extends Pick<WorkerPorts, 'clock' | 'timers' | 'wall' | 'tracer' | 'random' | 'slots' | 'onError'> {
  readonly reporter: Reporter
  readonly submissions: Submissions
  readonly logger: Logger
  readonly conditions: ConditionWatches
  handleOf(run: TaskRun): RunHandle
}

export function workerPorts(wiring: WorkerWiring): WorkerPorts {
  const { clock, timers, wall, tracer, random, slots, onError } = wiring
  const { reporter, submissions, logger, conditions, handleOf } = wiring
  return {
    clock,
    timers,
    wall,
    tracer,
    random,
    slots,
    onError,
    submit: ({ plan, facts }, input) => submissions.submitWork(plan.entry, input, plan.run, facts),
    errorOf: outcomeError,
    handleOf,
    announce: (worker, news) => announce(reporter, worker, news),
    holds: ({ plan }) => conditions.holds(plan.when as Condition, plan.entry.definition.name),
    watch(worker) {
      const { when, entry } = worker.plan
      const met = (): void => worker.conditionMet()
      const watch = conditions.watch(when as Condition, entry.definition.name, met)
      return () => watch.close()
    },
    hookFailed: ({ id }, hook, error) =>
      say(logger, 'error', { err: error, worker: id, hook }, 'a hook of a worker threw'),
  }
}

/** Names that are made anew each time cost more than a run of a queue. */
const EVENTS = {
  started: 'worker.started',
  restarted: 'worker.restarted',
  paused: 'worker.paused',
  resumed: 'worker.resumed',
  stopped: 'worker.stopped',
  failed: 'worker.failed',
  triggered: 'worker.triggered',
  skipped: 'worker.skipped',
} as const satisfies Record<WorkerNews['fact'], EventName>

function announce(reporter: Reporter, worker: WorkerActor, news: WorkerNews): void {
  const name = EVENTS[news.fact]
  if (!reporter.heard(name)) return
  const base = { worker: worker.id, kind: worker.workerKind }
  if (news.fact === 'triggered') {
    reporter.emit('worker.triggered', { ...base, by: news.by, runId: news.run.id })
  } else if (news.fact === 'skipped') {
    reporter.emit('worker.skipped', { ...base, reason: news.reason, count: news.count })
  } else if (news.fact === 'stopped') {
    reporter.emit('worker.stopped', { ...base, reason: news.exit.kind === 'done' ? 'done' : 'asked' })
  } else if (news.fact === 'failed') reporter.emit('worker.failed', { ...base, error: news.error })
  else if (news.fact === 'restarted') reporter.emit('worker.restarted', { ...base, lives: worker.lives })
  else reporter.emit(`worker.${news.fact}`, base)
}
