/** From how an attempt ended here to what the store is told of it. */
import type { RemoteCall } from '../../actors/attempt.ts'
import type { HeldTask } from '../../actors/daemon/held-task.ts'
import type { TaskCall } from '../../actors/definition.ts'
import { peek, saidBy } from '../../actors/foreign-value.ts'
import type { KeptWord } from '../../actors/kept-run.ts'
import { unpackCalls } from '../../actors/remote/packed-calls.ts'
import type { Verdict } from '../../actors/store/operations.ts'
import type { StepCall } from '../../actors/store/task-record.ts'
import type { FailureKind, Outcome } from '../../machines/model.ts'
import type { TaskDefinition } from '../define-task.ts'
import { DeadlineError, RunTimeoutError } from '../errors.ts'
import { advance, type Due, hasNext, percentWithin } from './chain-levels.ts'
import { JOIN_NAME, type JoinInput } from './fork.ts'
import {
  CallRefusal,
  type FindDefinition,
  fromStoredCall,
  toStoredCall,
  toStoredStep,
} from './stored-call.ts'
import { toStoredError } from './stored-error.ts'
import { asOptionError, fromCallTag, sizedJson, toStoredJson } from './stored-json.ts'
import { boundOf, NO_CHAIN, optionsFromJson, type StoredChain, wholeOf } from './stored-options.ts'

export interface VerdictContext {
  /** Whole epoch ms. */
  readonly now: number
  /** Of a result, or of the input of a next step, as JSON. */
  readonly maxBytes: number
  /** When its lease is over at the latest, epoch ms. */
  readonly leaseUntil: number
  readonly find: FindDefinition
  /** Whether its lease has been over meanwhile: then what can end itself has done so. */
  readonly hasLapsed: boolean
  /** The chain that the task is a step of. */
  readonly chain: StoredChain | undefined
  /** How far a call is when it begins, 0 to 100. */
  percentOf(call: Pick<TaskCall, 'definition' | 'input'>): number | undefined
}

const RETURNED: Verdict = { kind: 'returned' }

/** @returns `undefined` when its lease has to say it by running out */
export function verdictOf(held: HeldTask, outcome: Outcome, context: VerdictContext): Verdict | undefined {
  switch (outcome.kind) {
    case 'finished':
      return stepAfter(held, outcome, context) ?? finished(held, outcome, context)
    case 'failed':
      if (isEndOfLease(outcome.failure.error, context)) return undefined
      return late(held, outcome.failure.error, context) ?? failed(outcome.failure.kind, outcome.failure.error)
    case 'cancelled':
      return { kind: 'cancelled', error: null, reason: saidBy(outcome.reason) ?? null }
    case 'terminated':
      return terminated(held, outcome, context)
  }
}

/**
 * Threads, processes and commands end themselves when their lease is over, and may have been told before. A process that was
 * late to hear of a renewal says that it was the lease, which holds here.
 */
function isEndOfLease(error: unknown, { hasLapsed }: VerdictContext): boolean {
  const code = peek(error, 'code')
  if (code === 'ERR_PROCESS_EXITED') return hasLapsed || peek(peek(error, 'cause'), 'reason') === 'awol'
  const wasKilled = code === 'ERR_COMMAND_FAILED' && peek(error, 'signal') === 'SIGKILL'
  return hasLapsed && (code === 'ERR_THREAD_EXITED' || wasKilled || peek(error, 'reason') === 'awol')
}

export function failed(reason: FailureKind, error: unknown): Verdict {
  return { kind: 'failed', reason, error: error === undefined ? null : toStoredError(asOptionError(error)) }
}

/**
 * What the store is told where nothing better can be: the outcome itself if the attempt failed, else what went wrong when
 * its end was to be put into words.
 */
export function verdictDespite(outcome: Outcome, error: unknown): Verdict {
  if (outcome.kind === 'failed') return failed(outcome.failure.kind, outcome.failure.error)
  return failed('unserializable', error)
}

/** Its calls were ended by the deadline that is its own. */
function late({ task }: HeldTask, error: unknown, { now, chain }: VerdictContext): Verdict | undefined {
  if (task.name !== JOIN_NAME || chain === undefined || !(error instanceof AggregateError)) return undefined
  if (now - task.createdAt < boundOf(chain)) return undefined
  const isOfDeadline = error.errors.some((one: unknown) => one instanceof DeadlineError)
  return isOfDeadline ? { kind: 'terminated', reason: 'deadline', error: toStoredError(error) } : undefined
}

/** How long a task waits whose former run has not ended here yet. */
const LATER_MS = 500

/** @returns what becomes of a task whose attempt could not begin */
export function refused(error: unknown, now: number): Verdict {
  if (error instanceof CallRefusal) return failed(error.kind, error)
  switch (peek(error, 'code')) {
    // No run is taken any more: somebody else has it, or a later life.
    case 'ERR_SUPERVISOR_STOPPED':
      return RETURNED
    case 'ERR_RUN_ID_TAKEN':
      return { kind: 'snooze', runAt: now + LATER_MS }
    // What is missing here another daemon may have.
    case 'ERR_TASK_MODULE_MISSING':
    case 'ERR_LOOP_UNKNOWN':
    case 'ERR_TASK_NAME_TAKEN':
      return failed('unknownTask', error)
    default:
      return failed('invalidInput', error)
  }
}

function finished(
  { task }: HeldTask,
  { value, skipped }: Extract<Outcome, { kind: 'finished' }>,
  { maxBytes }: VerdictContext,
): Verdict {
  if (value === undefined) return { kind: 'finished', result: null, reason: skipped ?? null }
  try {
    const store = task.name === JOIN_NAME ? sizedJson : toStoredJson
    return {
      kind: 'finished',
      result: store(`the result of task "${task.name}"`, value, maxBytes),
      reason: null,
    }
  } catch (error) {
    return failed('unserializable', error)
  }
}

function terminated(
  held: HeldTask,
  { reason, detail, step }: Extract<Outcome, { kind: 'terminated' }>,
  context: VerdictContext,
): Verdict | undefined {
  if (reason === 'awol') return undefined
  if (held.word !== undefined && reason === 'handedBack') return afterWord(held, held.word, context)
  if (reason === 'handedBack' || reason === 'stop') {
    // Its handler could only be given up: nobody else may begin before the lease is over.
    return step === 'abandon' ? { kind: 'snooze', runAt: context.leaseUntil } : RETURNED
  }
  return { kind: 'terminated', reason, error: detail === undefined ? null : toStoredError(detail) }
}

function afterWord(held: HeldTask, word: KeptWord, context: VerdictContext): Verdict | undefined {
  const { now } = context
  switch (word.kind) {
    case 'retry':
      if (isEndOfLease(word.error, context)) return undefined
      return {
        kind: 'retry',
        runAt: now + Math.ceil(word.delayMs),
        error: toStoredError(word.error ?? timeoutOf(held)),
      }
    case 'snooze':
      return { kind: 'snooze', runAt: now + Math.ceil(word.delayMs) }
    case 'next':
      return nextStep(word, { ...context, chain: within(held, wholeOf(held.task, context.chain)) })
  }
}

/** The chain that its next step goes on in, with the band of the whole. */
function within({ task }: HeldTask, chain: StoredChain = NO_CHAIN): StoredChain {
  return { ...chain, priority: chain.priority ?? task.priority }
}

function nextStep({ call }: Extract<KeptWord, { kind: 'next' }>, context: VerdictContext): Verdict {
  const { maxBytes, find, chain } = context
  try {
    if ('definition' in call) return stepTo(toStoredCall(call, maxBytes, chain), context)
    const known = fromRemoteCall(call, find)
    return stepTo(toStoredCall(known, maxBytes, chain), context)
  } catch (error) {
    if (error instanceof CallRefusal) return failed(error.kind, error)
    return failed(peek(error, 'code') === 'ERR_VALUE_NOT_STORABLE' ? 'unserializable' : 'invalidInput', error)
  }
}

/** @throws CallRefusal */
function fromRemoteCall({ name, input, options }: RemoteCall, find: FindDefinition): TaskCall {
  const definition = find(name)
  if (definition === undefined)
    throw new CallRefusal(`No task called "${name}" is known here`, { kind: 'unknownTask' })
  return {
    definition,
    input: unpackCalls(input, (call) => fromRemoteCall(call, find)),
    options: options as object | undefined,
  }
}

/** @returns `undefined` when there is none: then its value is the result */
function stepAfter(
  held: HeldTask,
  outcome: Extract<Outcome, { kind: 'finished' }>,
  context: VerdictContext,
): Verdict | undefined {
  return joinStep(held, outcome, context) ?? chainStep(held, context)
}

/** The values of `all` are the input of what goes on with them, if anything does. */
function joinStep(
  held: HeldTask,
  { value }: Extract<Outcome, { kind: 'finished' }>,
  context: VerdictContext,
): Verdict | undefined {
  const { task } = held
  const { join } = task.name === JOIN_NAME ? (JSON.parse(task.input as string) as JoinInput) : { join: null }
  if (join === null) return undefined
  const { maxBytes, find } = context
  const chain = within(held, context.chain)
  const call = { ...fromCallTag(join), input: value }
  try {
    sizedJson(`input of task "${call.name}"`, value, maxBytes)
  } catch (error) {
    return failed('unserializable', error)
  }
  return stepTo(toStoredStep({ call, levels: chain.levels, after: [] }, chain, find, maxBytes), context)
}

/** Its value is dropped, unless this was the last step: then there is no other. */
function chainStep(held: HeldTask, context: VerdictContext): Verdict | undefined {
  const { task } = held
  const { now, maxBytes, find } = context
  if (context.chain === undefined || !hasNext(context.chain.levels)) return undefined
  const chain = { ...within(held, context.chain), stepAgeMs: Math.max(0, now - task.createdAt) }
  const [old, ...after] = chain.after ?? []
  let due: Due
  try {
    due = advance(chain.levels, old ?? JSON.parse(task.next as string))
  } catch (error) {
    return failed(
      'invalidInput',
      new Error('The calls that come after this step cannot be read', { cause: error }),
    )
  }
  const call = toStoredStep(due, old === undefined ? chain : { ...chain, after }, find, maxBytes)
  return stepTo(call, context, old === undefined)
}

function stepTo(call: StepCall, { now, find, percentOf }: VerdictContext, isNext = false): Verdict {
  return { kind: 'step', runAt: now, call, isNext, percent: percentAt(call, find, percentOf) ?? null }
}

/** How far the task is when this step of it begins. */
function percentAt(
  call: StepCall,
  find: FindDefinition,
  percentOf: VerdictContext['percentOf'],
): number | undefined {
  const { chain } = optionsFromJson(call.options)
  let percent: number | undefined
  try {
    percent = percentOf(fromStoredCall(call, find))
  } catch {
    // It will be refused when it is to run.
  }
  return chain === undefined || chain.levels.length === 0
    ? percent
    : percentWithin(chain.levels, percent ?? 0)
}

function timeoutOf({ task, run }: HeldTask): RunTimeoutError {
  const { name, id } = task
  return new RunTimeoutError(`Task "${name}" (run ${id}) ran longer than ${run?.plan.runTimeoutMs} ms`, {
    code: 'ERR_TASK_TIMED_OUT',
    reason: 'runTimeout',
    step: run?.snapshot.context.step ?? 'signal',
    runId: id,
    taskName: (run?.definition as TaskDefinition | undefined)?.name ?? name,
  })
}
