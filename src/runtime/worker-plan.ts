/** From the options of a worker to what its actor obeys. The options have been checked. */

import type { Executor } from '../actors/attempt.ts'
import type { AnyDefinition } from '../actors/definition.ts'
import { DefinitionEntry } from '../actors/definition-entry.ts'
import type { RunPlan } from '../actors/task-run.ts'
import type { WorkerHooks, WorkerPlan, WorkerTimes } from '../actors/worker-plan.ts'
import type { RunFacts } from '../actors/worker-run.ts'
import { WORKER_DEFAULTS } from '../machines/worker-life.ts'
import type { WorkerSettings } from '../machines/worker-model.ts'
import { refuse } from './check.ts'
import { defineTask, requireModule, type TaskDefinition } from './define-task.ts'
import type { Definitions } from './definitions.ts'
import { borrow } from './executors.ts'
import type { Run } from './run.ts'
import { overridePlan } from './task-options.ts'
import { whenOf } from './when.ts'
import type { Worker } from './worker-handle.ts'
import type { WorkerBase, WorkerRunContext } from './worker-options.ts'

/** Options as the plan reads them: those of all kinds. */
export type AnyWorkerOptions = WorkerBase & Partial<WorkerSettings>

export interface PlanParts {
  readonly definitions: Definitions
  readonly defaults: RunPlan
  readonly logLevel: string
}

/** Who has the handle of the worker, once it is made. */
interface Made {
  readonly handle: unknown
}

/** What a worker runs, found once: a life with other options runs the same. */
export interface WorkerTask {
  readonly entry: DefinitionEntry
  readonly executor: Executor | undefined
}

/**
 * @throws OptionError (`ERR_TASK_NAME_TAKEN`) when another definition has the name of the task;
 *   (`ERR_OPTION_INVALID`) when it is none
 */
export function workerTask(where: string, options: AnyWorkerOptions, parts: PlanParts): WorkerTask {
  const { task, handler, name, executor } = options
  const own = executor === undefined ? undefined : borrow(executor, parts.logLevel)
  if (task !== undefined) {
    const entry = parts.definitions.entryOf(task as unknown as AnyDefinition)
    return { entry, executor: own }
  }
  if (own !== undefined) {
    refuse(`${where}.executor`, 'given with a task', executor, "A handler runs on the supervisor's loop.")
  }
  const definition = defineTask({ name }, handler as never) as unknown as AnyDefinition
  const entry = new DefinitionEntry(definition, parts.defaults)
  // Nobody else can submit it, so its name is nobody else's business.
  entry.met = true
  return { entry, executor: own }
}

/**
 * @throws OptionError (`ERR_TASK_MODULE_MISSING`) when its runs are to go where their handler cannot be found
 */
export function workerPlan(
  where: string,
  options: AnyWorkerOptions,
  { entry, executor }: WorkerTask,
  times: WorkerTimes,
  made: Made,
): WorkerPlan {
  const run = runPlan(where, options, entry, executor)
  const { definition } = entry
  requireModule(definition, run.execution, run.loop)
  return {
    settings: settingsOf(options),
    backoff: options.backoff ?? {},
    hooks: hooksOf(options, made),
    entry,
    run,
    isDisabled: (definition as TaskDefinition).options.disabled === true,
    when: whenOf(definition, options.when),
    input: inputOf(options.input),
    times,
  }
}

const noInput = (): undefined => {}

function inputOf(input: unknown): () => unknown {
  if (input === undefined) return noInput
  return typeof input === 'function' ? (input as () => unknown) : () => input
}

const SETTINGS = ['overlap', 'missed', 'whileBusy', 'onFailure', 'times', 'concurrency', 'onStop'] as const

/** Most workers say nothing of all this: they share one object. */
function settingsOf(options: AnyWorkerOptions): WorkerSettings {
  const given = SETTINGS.filter(
    (name) => options[name] !== undefined && options[name] !== WORKER_DEFAULTS[name],
  )
  if (given.length === 0) return WORKER_DEFAULTS
  return { ...WORKER_DEFAULTS, ...Object.fromEntries(given.map((name) => [name, options[name]])) }
}

function runPlan(
  where: string,
  { run }: AnyWorkerOptions,
  entry: DefinitionEntry,
  executor: Executor | undefined,
): RunPlan {
  // Without options of its own it shares the steps of all runs of the definition.
  if (run === undefined && executor === undefined) return entry.plan
  const plan = overridePlan(entry.plan, run ?? {})
  if (executor === undefined) return plan
  if (plan.execution !== 'thread' && plan.execution !== 'process') {
    refuse(`${where}.executor`, 'given with a thread or process task', executor)
  }
  return Object.freeze({ ...plan, executor })
}

const NO_HOOKS: WorkerHooks = {}

function hooksOf(options: AnyWorkerOptions, made: Made): WorkerHooks {
  const { hooks = {}, onError, afterResult } = options
  if (onError === undefined && afterResult === undefined && Object.keys(hooks).length === 0) return NO_HOOKS
  const handle = (): Worker => made.handle as Worker
  const told = (facts: RunFacts): WorkerRunContext => ({
    worker: handle(),
    by: facts.by,
    input: facts.input,
    run: facts.run as Run | undefined,
    outcome: facts.outcome,
  })
  const life = (hook: ((ctx: { worker: Worker }) => unknown) | undefined) =>
    hook === undefined ? undefined : () => hook({ worker: handle() })
  const { beforeRun, afterRun } = hooks
  return {
    beforeStart: life(hooks.beforeStart),
    afterStart: life(hooks.afterStart),
    beforeStop: life(hooks.beforeStop),
    afterStop: life(hooks.afterStop),
    beforeRun: beforeRun === undefined ? undefined : (facts) => beforeRun(told(facts)),
    afterRun: afterRun === undefined ? undefined : (facts) => afterRun(told(facts)),
    onError: onError === undefined ? undefined : (error, facts) => onError(error, told(facts)),
    afterResult: afterResult === undefined ? undefined : (value, facts) => afterResult(value, told(facts)),
  }
}
