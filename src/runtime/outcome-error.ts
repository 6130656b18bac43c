/** From the outcome of a run to the typed error that its result rejects with. */

import type { TaskRun } from '../actors/task-run.ts'
import type { FailureKind, Outcome, StopCause, StopStep, TerminationReason } from '../machines/model.ts'
import {
  DeadlineError,
  QueueTimeoutError,
  RunTimeoutError,
  type StatewardError,
  TaskCancelledError,
  TaskFailedError,
  TaskTerminatedError,
} from './errors.ts'

export const FAILURE_CODES = {
  threw: 'ERR_TASK_THREW',
  crashed: 'ERR_TASK_CRASHED',
  unserializable: 'ERR_TASK_UNSERIALIZABLE',
  unknownTask: 'ERR_TASK_UNKNOWN',
  invalidInput: 'ERR_TASK_INPUT_INVALID',
  expired: 'ERR_TASK_EXPIRED',
} as const satisfies Record<FailureKind, string>

/** The error of a run that did not finish; `undefined` for one that did or has not ended. */
export function outcomeError(run: TaskRun): StatewardError | undefined {
  const { outcome } = run
  if (outcome === undefined || outcome.kind === 'finished') return undefined
  return withoutStack(() =>
    outcome.kind === 'failed'
      ? failedError(run, outcome.failure.kind, outcome.failure.error)
      : stopError(run, outcome),
  )
}

/** What `ctx.signal.reason` says while the run is being stopped. */
export function stopReason(run: TaskRun): StatewardError {
  const { stop, step } = run.snapshot.context
  return withoutStack(() =>
    stop?.by === 'terminate'
      ? terminatedError(run, stop.reason, stop.detail, step)
      : cancelledError(run, stop?.reason, step),
  )
}

function stopError(
  run: TaskRun,
  outcome: Extract<Outcome, { kind: 'cancelled' | 'terminated' }>,
): StatewardError {
  return outcome.kind === 'cancelled'
    ? cancelledError(run, outcome.reason, outcome.step)
    : terminatedError(run, outcome.reason, outcome.detail, outcome.step)
}

function failedError(run: TaskRun, kind: FailureKind, error: unknown): TaskFailedError {
  const attempts = run.snapshot.context.attempt
  return new TaskFailedError(`${title(run)} ${failureText(kind, error)}`, {
    code: FAILURE_CODES[kind],
    kind,
    attempts,
    cause: error,
    ...ids(run),
  })
}

function cancelledError(run: TaskRun, reason: unknown, step: StopStep): TaskCancelledError {
  const because = reason === undefined ? '' : `: ${toText(reason)}`
  return new TaskCancelledError(`${title(run)} was cancelled${because}`, {
    code: 'ERR_TASK_CANCELLED',
    reason,
    step,
    ...(isError(reason) ? { cause: reason } : {}),
    ...ids(run),
  })
}

function terminatedError(
  run: TaskRun,
  reason: TerminationReason,
  detail: unknown,
  step: StopStep,
): TaskTerminatedError {
  const facts = { step, ...(detail === undefined ? {} : { cause: detail }), ...ids(run) }
  return terminationError(`${title(run)} ${terminationText(run, reason)}`, reason, facts)
}

function terminationText({ plan }: TaskRun, reason: TerminationReason): string {
  switch (reason) {
    case 'runTimeout':
      return `ran longer than ${plan.runTimeoutMs} ms`
    case 'queueTimeout':
      return `waited longer than ${plan.queueTimeoutMs} ms for a slot`
    case 'deadline':
      return 'had not ended when its deadline passed'
    default:
      return `was terminated: ${TERMINATION_TEXTS[reason]}`
  }
}

const TERMINATION_CLASSES = {
  runTimeout: { Kind: RunTimeoutError, code: 'ERR_TASK_TIMED_OUT' },
  queueTimeout: { Kind: QueueTimeoutError, code: 'ERR_TASK_QUEUE_TIMED_OUT' },
  deadline: { Kind: DeadlineError, code: 'ERR_TASK_DEADLINE_PASSED' },
} as const
const TERMINATED = { Kind: TaskTerminatedError, code: 'ERR_TASK_TERMINATED' } as const

type TerminationFacts = Omit<ConstructorParameters<typeof TaskTerminatedError>[1], 'code' | 'reason'>

/** The class and the code that a reason has. */
export function terminationError(
  text: string,
  reason: TerminationReason,
  facts: TerminationFacts,
): TaskTerminatedError {
  const { Kind, code } = TERMINATION_CLASSES[reason as keyof typeof TERMINATION_CLASSES] ?? TERMINATED
  return new Kind(text, { ...facts, reason, code })
}

type RunStop = Extract<StopCause, { by: 'terminate' }>['reason']

export const TERMINATION_TEXTS: Readonly<
  Record<Exclude<RunStop, 'runTimeout' | 'queueTimeout' | 'deadline'>, string>
> = {
  endCondition: 'its end condition came true',
  replaced: 'a newer run replaced it',
  stop: 'the supervisor stops',
  awol: 'nobody has heard of it for too long',
  demanded: 'all runs of its kind were to end',
  handedBack: 'whoever keeps it goes on with it',
}

/** What a run that failed did. */
export function failureText(kind: FailureKind, error: unknown): string {
  if (kind === 'threw') return `threw ${toText(error)}`
  if (kind === 'crashed') return `lost the thread or process it ran in: ${toText(error)}`
  if (kind === 'unserializable')
    return `has an input or a result that cannot be cloned or stored: ${toText(error)}`
  if (kind === 'unknownTask') return `could not be found by its name: ${toText(error)}`
  if (kind === 'invalidInput') return `refused its input: ${toText(error)}`
  return 'expired before it ran'
}

function title(run: TaskRun): string {
  return `Task "${run.definition.name}" (run ${run.id})`
}

function ids(run: TaskRun): { runId: string; taskName: string } {
  return { runId: run.id, taskName: run.definition.name }
}

/** Whatever was thrown may throw again when it is looked at. */
function toText(value: unknown): string {
  try {
    if (value instanceof Error) return value.message === '' ? value.name : String(value.message)
    return String(value)
  } catch {
    return 'something that cannot be shown'
  }
}

/** Where in here an error is made tells nobody anything and costs most of making it; its cause has a stack. */
function withoutStack<Made>(make: () => Made): Made {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function isError(value: unknown): boolean {
  try {
    return value instanceof Error
  } catch {
    return false
  }
}
