/**
 * `all` in a durable queue. A task that is due as a call of it becomes tasks of their own, its children, and waits for
 * them: no daemon holds it meanwhile. When all of them have ended, its next step is due, which puts their values together; see
 * join.ts.
 *
 * The calls are JSON and need no definition, as in a chain. What holds for the whole (its options, what is left of its deadline)
 * holds for each of them that does not say otherwise. That it may expire holds until it becomes them: then it has begun.
 */
import type { Verdict } from '../../actors/store/operations.ts'
import type { ClaimedTask, NewTask, StepCall } from '../../actors/store/task-record.ts'
import type { Priority } from '../../machines/model.ts'
import { allTask } from '../all.ts'
import type { TaskDefinition } from '../define-task.ts'
import { type ChainLevel, enter, percentWithin, withOptions } from './chain-levels.ts'
import { CallRefusal, type FindDefinition, toStoredStep } from './stored-call.ts'
import { type CallJson, fromCallTag } from './stored-json.ts'
import {
  type CallOptions,
  expiryOf,
  NO_CHAIN,
  optionsFromJson,
  optionsToJson,
  type StoredRunOptions,
  stepOptions,
} from './stored-options.ts'

/** The name of what `all` calls. */
export const ALL_NAME = 'stateward.all'
/** The name of the step that puts the values of its calls together. */
export const JOIN_NAME = 'stateward.join'

/** Input of that step. */
export interface JoinInput {
  /** Of the task when it waited: makes the ids of its children. */
  readonly step: number
  readonly count: number
  /** A tagged call: what goes on with the values. */
  readonly join: unknown
}

export interface ForkContext {
  /** Whole epoch ms. */
  readonly now: number
  readonly maxBytes: number
  readonly find: FindDefinition
}

/** Ids of the children that a task has made before its step `step`. */
export function childIds(parent: string, { step, count }: Pick<JoinInput, 'step' | 'count'>): string[] {
  return Array.from({ length: count }, (_, index) => `${parent}.${step}.${index}`)
}

/** @throws CallRefusal for an input that is none of `all` */
export function forkOf(task: ClaimedTask, context: ForkContext): Verdict {
  const { now } = context
  const { calls, join } = readInput(task)
  const { options: own, chain = NO_CHAIN } = optionsFromJson(task.options, task)
  const { expiresAt, ...common } = stepOptions(own ?? {}, chain, allTask as TaskDefinition) ?? {}
  const hasBegun = task.step > 0 || task.attempt > 1
  if (!hasBegun && expiryOf({ expiresAt }) <= now) return { kind: 'failed', reason: 'expired', error: null }
  const input: JoinInput = { step: task.step + 1, count: calls.length, join }
  const below = withOptions([], forChildren(common, now - task.createdAt - chain.stepAgeMs))
  const ids = childIds(task.id, input)
  // A band of its own is that of what goes on with its values, too.
  const band = chain.priority === undefined ? {} : { priority: task.priority }
  const kept = own === undefined ? {} : fromStart(common, chain.stepAgeMs)
  const levels = withOptions(chain.levels, { ...kept, ...band })
  return {
    kind: 'fork',
    runAt: now,
    call: {
      name: JOIN_NAME,
      version: 1,
      input: JSON.stringify(input),
      options: optionsToJson(undefined, { ...chain, levels }),
      description: task.description,
      metadata: task.metadata,
      after: (chain.after ?? []).map((call) => JSON.stringify(call)),
    },
    children: calls.map((call, index) => {
      const { priority = task.priority, ...options } = (call.options ?? {}) as CallOptions
      return toChild(
        priority,
        ids[index] as string,
        childCall({ ...call, options }, below, priority, context),
        now,
      )
    }),
    percent: { from: percentWithin(chain.levels, 0), to: percentWithin(chain.levels, 100) },
  }
}

function readInput({ name, input }: ClaimedTask): {
  readonly calls: readonly CallJson[]
  readonly join: unknown
} {
  try {
    const { calls, join } = JSON.parse(input as string) as { calls: readonly unknown[]; join?: unknown }
    return { calls: calls.map(fromCallTag), join: join ?? null }
  } catch (error) {
    throw new CallRefusal(`The stored input of task "${name}" is none of all()`, {
      kind: 'invalidInput',
      cause: error,
    })
  }
}

function childCall(
  call: CallJson,
  levels: readonly ChainLevel[],
  priority: Priority,
  { find, maxBytes }: ForkContext,
): StepCall {
  return toStoredStep(enter(levels, call), { ...NO_CHAIN, priority }, find, maxBytes)
}

function toChild(priority: Priority, id: string, call: StepCall, runAt: number): NewTask {
  return { priority, ...call, id, runAt, key: null, onConflict: 'reject', schedule: null }
}

/** The deadline of a child counts from now on. */
function forChildren({ deadlineMs, ...options }: StoredRunOptions, ageMs: number): StoredRunOptions {
  return deadlineMs === undefined ? options : { ...options, deadlineMs: Math.max(0, deadlineMs - ageMs) }
}

/** The deadline of a level counts from the beginning of the task. */
function fromStart({ deadlineMs, ...options }: StoredRunOptions, stepAgeMs: number): StoredRunOptions {
  return deadlineMs === undefined ? options : { ...options, deadlineMs: deadlineMs + stepAgeMs }
}
