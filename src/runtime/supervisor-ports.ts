/** Wires the task pool to the runtime: reports, errors, loggers, children, control calls. */
import type { Logger } from 'pino'
import type { AnyActorRef } from 'xstate'
import type { AttemptListener, Executor } from '../actors/attempt.ts'
import type { Clock } from '../actors/clock.ts'
import { commandOf } from '../actors/command.ts'
import type { EndConditions } from '../actors/end-conditions.ts'
import type { FactBook } from '../actors/fact-book.ts'
import { handBack, handBackReason } from '../actors/kept-run.ts'
import { LocalAttempt } from '../actors/local-attempt.ts'
import { type LastResults, makeParameters } from '../actors/parameters.ts'
import type { PoolPorts } from '../actors/pool-ports.ts'
import type { RunValues } from '../actors/run-scope.ts'
import type { TaskRun } from '../actors/task-run.ts'
import type { RunTracing } from '../actors/tracing/run-tracing.ts'
import type { Control } from './control.ts'
import type { TaskDefinition } from './define-task.ts'
import type { Executors } from './executors.ts'
import { say } from './logger.ts'
import type { Loops } from './loops.ts'
import { stopReason } from './outcome-error.ts'
import type { Reporter } from './reporter.ts'
import type { StopLog } from './stop-report.ts'
import type { Submissions } from './submissions.ts'

/** The parts, made before and after the pool: read when they are needed. */
export interface PortParts {
  readonly id: string
  readonly clock: Clock
  readonly random: () => number
  readonly tracing: RunTracing | undefined
  readonly logger: Logger
  readonly executors: Pick<Executors, 'thread' | 'process' | 'local'> & { readonly command: Executor }
  readonly reporter: Reporter
  readonly facts: FactBook
  readonly ends: EndConditions
  readonly results: LastResults
  readonly control: Control
  readonly submissions: Submissions
  readonly loops: Loops
  /** Runs that ended since the supervisor was made, by their last state. */
  readonly counts: Record<'finished' | 'failed' | 'cancelled' | 'terminated', number>
  abandoned: number
  readonly stopLog: StopLog
  /** A run waits for a slot. */
  queued(): void
  /** A run waits for its time. */
  waiting(run: TaskRun): void
  drained(): void
  inspected(run: TaskRun): void
  /** The XState actor of a run, made now if need be. */
  actorOf(run: TaskRun): AnyActorRef
}

const LEVELS: Readonly<Record<number, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/** The loop of a run that was accepted was removed since. */
const NOWHERE: Pick<Executor, 'start'> = {
  start: ({ name }) => {
    throw Object.assign(new Error(`The loop that task "${name}" is to run on was removed.`), {
      code: 'ERR_LOOP_UNKNOWN',
    })
  },
}

export function poolPorts(parts: PortParts): PoolPorts {
  const logger = (run: TaskRun): Logger =>
    parts.logger.child({ task: run.definition.name, runId: run.id, attempt: run.snapshot.context.attempt })
  return {
    supervisorId: parts.id,
    clock: parts.clock,
    executorFor(run) {
      const { execution, plan } = run
      if (plan.executor !== undefined) return plan.executor
      if (execution === 'process' && commandOf(run.definition) !== undefined) return parts.executors.command
      if (run.plan.loop !== undefined) return parts.loops.executorOf(run) ?? NOWHERE
      return parts.executors[execution === 'thread' || execution === 'process' ? execution : 'local']
    },
    controlFor: (run) => parts.control.for(run),
    random: parts.random,
    tracing: parts.tracing,
    parametersFor: (run) => makeParameters(run, parts.results),
    instead: (run) =>
      run.kept?.word === undefined
        ? parts.ends.atAdmission(run)
        : { type: 'task.terminate', reason: 'handedBack' },
    moving(run) {
      run.entry.facts?.rested(run)
      if (run.plan.endCondition !== undefined) parts.ends.forget(run)
    },
    created(run) {
      // First: whoever is told may end it.
      parts.tracing?.created(run)
      parts.loops.created(run)
      parts.inspected(run)
      parts.reporter.created(run)
      run.entry.facts?.changed()
    },
    announce(run, fact) {
      parts.tracing?.announced(run, fact)
      const { facts } = run.entry
      if (facts !== undefined) parts.facts.announced(facts, run, fact)
      parts.reporter.announce(run, fact)
      if (run.plan.endCondition !== undefined) {
        if (fact === 'admitted') parts.ends.watch(run)
        else if (fact !== 'started') parts.ends.forget(run)
      }
      if (fact === 'started' && run.watchers !== undefined) {
        for (const watcher of run.watchers) watcher.onStarted?.()
      } else if (fact === 'queued') {
        parts.loops.moved()
        parts.queued()
      } else if (fact === 'retrying' || fact === 'snoozed' || fact === 'scheduled') parts.waiting(run)
      if (run.kept !== undefined) handBack(run)
      facts?.changed()
    },
    progressed: (run) => parts.reporter.progressed(run),
    settled(run) {
      const { outcome } = run
      if (outcome === undefined) return
      parts.tracing?.settled(run)
      const { facts } = run.entry
      if (facts !== undefined) parts.facts.settled(facts, run)
      if (run.plan.endCondition !== undefined) parts.ends.forget(run)
      parts.results.note(run)
      if (handBackReason(run) === undefined) parts.counts[outcome.kind] += 1
      parts.stopLog.run(outcome)
      run.handle?.onEnded?.(outcome)
      // Told before whoever goes on from here: a worker begins its next run at once.
      parts.reporter.settled(run)
      if (run.watchers !== undefined) {
        for (const watcher of run.watchers) watcher.onEnded?.(outcome)
        run.watchers = undefined
      }
      parts.loops.moved()
      facts?.changed()
      if (outcome.kind !== 'finished') tearDown(run, logger)
    },
    abandoned(run) {
      parts.abandoned += 1
      parts.reporter.abandoned(run)
    },
    abandonedEnded(run) {
      parts.abandoned -= 1
      run.kept?.handlerEnded()
    },
    drained: parts.drained,
    actorOf: parts.actorOf,
    stopReason,
    logger,
    logRecord: (run, record) => logRecord(logger(run), record),
    submitChild: (parent, definition, input, options) =>
      parts.submissions.submitChild(parent, definition as never, input, options as never, valuesOf(parent)),
    call: (run, method, args) => parts.control.serve(run, method, args),
    // What comes from a thread or process has its values with it.
    continuation: (run, call) =>
      parts.submissions.continuation(call, 'definition' in call ? valuesOf(run) : undefined),
  }
}

/** What the handler of `run`, on this loop, hands on. */
function valuesOf({ attempt, plan }: TaskRun): RunValues | undefined {
  return attempt instanceof LocalAttempt ? attempt.inheritance : plan.context
}

/** A line that a logger in a thread or process wrote, through this supervisor's logger. */
function logRecord(logger: Logger, record: Parameters<AttemptListener['log']>[0]): void {
  const {
    level,
    msg,
    time: _,
    pid: __,
    hostname: ___,
    supervisor: ____,
    task: _____,
    runId: ______,
    attempt: _______,
    ...fields
  } = record
  say(logger, LEVELS[level] ?? 'info', fields, msg)
}

/** After a forced end the definition may clean up. It holds no slot and nobody waits for it. */
function tearDown(run: TaskRun, logger: (run: TaskRun) => Logger): void {
  const { options } = run.definition as TaskDefinition
  const { outcome, snapshot, id, input, definition } = run
  if (options.teardown === undefined || outcome === undefined) return
  const { step, attempt } = snapshot.context
  const crashed = outcome.kind === 'failed' && outcome.failure.kind === 'crashed'
  if (!crashed && step !== 'kill' && step !== 'terminate' && step !== 'abandon') return
  const report = (error: unknown): void => say(logger(run), 'error', { err: error }, 'teardown failed')
  try {
    Promise.resolve(options.teardown(input, { runId: id, name: definition.name, attempt }, outcome)).catch(
      report,
    )
  } catch (error) {
    report(error)
  }
}
