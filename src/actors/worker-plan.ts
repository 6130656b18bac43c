/** What a worker obeys in one life: its machine, its settings, its hooks, what it runs and when. */
import type { Backoff } from '../machines/backoff.ts'
import type { plainWorkerMachine } from '../machines/plain-worker.ts'
import type { WorkerSettings } from '../machines/worker-model.ts'
import type { Calendar } from './calendar.ts'
import type { DefinitionEntry } from './definition-entry.ts'
import type { RunPlan } from './task-run.ts'
import type { Ticker } from './ticker.ts'
import type { WorkerActor } from './worker.ts'
import type { RunFacts } from './worker-run.ts'

/** All worker machines have the same words, so one type stands for each of them. */
export type WorkerMachine = typeof plainWorkerMachine

export type Hook = () => unknown

/** Hooks as the runtime hands them over: their contexts are made there. */
export interface WorkerHooks {
  readonly beforeStart?: Hook | undefined
  readonly afterStart?: Hook | undefined
  readonly beforeStop?: Hook | undefined
  readonly afterStop?: Hook | undefined
  readonly beforeRun?: ((facts: RunFacts) => unknown) | undefined
  readonly afterRun?: ((facts: RunFacts) => unknown) | undefined
  readonly onError?: ((error: unknown, facts: RunFacts) => unknown) | undefined
  readonly afterResult?: ((value: unknown, facts: RunFacts) => unknown) | undefined
}

/** When the lives of a worker have their occurrences, as its options say. */
export interface WorkerTimes {
  /** In words: `every 5 s`, a cron expression, a rule. */
  readonly text: string
  /** What they go by, if that is a calendar. */
  readonly calendar: Calendar | undefined
  /** @param isFirst - the first occurrence may come at once: a life begins */
  ticker(worker: WorkerActor, isFirst: boolean): Ticker | undefined
}

/** What a worker does, all filled in: its options, with the overrides of the present life. */
export interface WorkerPlan {
  readonly settings: WorkerSettings
  readonly backoff: Backoff
  readonly hooks: WorkerHooks
  readonly entry: DefinitionEntry
  readonly run: RunPlan
  /** Its definition may only be run by hand. */
  readonly isDisabled: boolean
  /** What it waits for; opaque here. */
  readonly when: unknown
  input(): unknown
  readonly times: WorkerTimes
}
