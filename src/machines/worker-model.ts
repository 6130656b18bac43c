/** The words of the worker machines: what a worker is told, what it asks for, what it remembers. */
import type { Missed } from './missed.ts'
import type { Overlap } from './overlap.ts'
import type { ChildExit } from './restart.ts'

/** What produces the runs of a worker. */
export type WorkerKind = 'interval' | 'event' | 'cron' | 'rrule' | 'plain' | 'queue'

/** States of every worker; a kind may have no use for some. */
export const WORKER_STATES = [
  'stopped',
  'starting',
  'idle',
  'waiting',
  'active',
  'paused',
  'backingOff',
  'stopping',
  'failed',
] as const

export type WorkerState = (typeof WORKER_STATES)[number]

/**
 * What a failed run does to its worker: `continue` nothing, `backOff` waits longer from failure to failure, `fail`
 * ends the worker, so that its supervisor decides.
 */
export type OnFailure = 'continue' | 'backOff' | 'fail'

/** What a trigger does to an event worker whose run has begun. */
export type WhileBusy = 'drop' | 'once' | 'all'

/** What a queue worker that is stopped does with items that wait: works them off, or hands them back. */
export type OnStop = 'drain' | 'return'

/** What a life of a worker obeys. A kind reads what it knows. */
export interface WorkerSettings {
  readonly overlap: Overlap
  readonly missed: Missed
  readonly whileBusy: WhileBusy
  readonly onFailure: OnFailure
  /** Runs of one life; infinite = no end. */
  readonly times: number
  /** Items of a queue worker that run at a time. */
  readonly concurrency: number
  readonly onStop: OnStop
}

/** How a life of a worker ended. The same words as for every supervised child. */
export type WorkerExit = ChildExit

/**
 * How a run ended, as its worker sees it: `ok`; `last` (it said that it was the last one); `failed`; `fatal`
 * (`onError` threw); `other` (cancelled, replaced, stopped: neither success nor failure).
 */
export type RunEnd = 'ok' | 'last' | 'failed' | 'fatal' | 'other'

/** Why a run was begun. */
export type RunCause = 'schedule' | 'missed' | 'trigger' | 'condition' | 'loop' | 'item'

/** Why an occurrence or a trigger came to nothing. */
export type SkipReason =
  | 'overlap'
  | 'missed'
  | 'busy'
  | 'coalesced'
  | 'asked'
  | 'paused'
  | 'backingOff'
  | 'condition'
  | 'disabled'
  | 'spent'
  | 'live'

/** What keeps a worker from running just now. */
export type Block = Extract<SkipReason, 'condition' | 'disabled'> | undefined

/**
 * What a run that waits for a slot may expect: `given` it gets one in its turn; `held` nobody says when, or it is not to
 * have one any more; `drained` it still gets one, though all ends, because the supervisor works off what is queued.
 */
export type Slots = 'given' | 'held' | 'drained'

/** After what the next occurrence is to be armed: the schedule knows which instant that means. */
export type TickOccasion = 'start' | 'begin' | 'end' | 'resume'

export interface WorkerContext {
  readonly settings: WorkerSettings
  /** Runs that were begun and have not ended, with their hooks. */
  readonly live: number
  /** Runs still to be made up for, one after another. */
  readonly owed: number
  /** Why one more run begins as soon as no other is live. */
  readonly next: RunCause | undefined
  /** Occurrences to let go by. */
  readonly skips: number
  /** Runs that may still begin in this life. */
  readonly left: number
  /** Runs that have ended in this life. */
  readonly runs: number
  /** Failed runs one after another. */
  readonly failures: number
  /** How this life ends, or the last one ended. */
  readonly exit: WorkerExit
}

export type WorkerEvent =
  | { readonly type: 'worker.start'; readonly settings: WorkerSettings }
  | { readonly type: 'worker.ready' }
  | { readonly type: 'worker.startFailed'; readonly error: unknown }
  /** An occurrence is on time. */
  | { readonly type: 'timer.tick'; readonly block: Block }
  /** Occurrences were missed. */
  | { readonly type: 'timer.missed'; readonly count: number; readonly block: Block }
  /** `passed`: occurrences that came and went meanwhile. */
  | { readonly type: 'timer.backoff'; readonly passed: number }
  /** There are no further occurrences. */
  | { readonly type: 'schedule.ended' }
  | { readonly type: 'worker.trigger'; readonly force: boolean; readonly by: RunCause; readonly block: Block }
  /** Let the next occurrence go by. */
  | { readonly type: 'worker.skipNext' }
  | { readonly type: 'worker.reschedule' }
  | { readonly type: 'worker.pause' }
  | { readonly type: 'worker.resume' }
  /** The handler of a run has begun. */
  | { readonly type: 'run.began' }
  /** `more`: whether items wait in the queue of a queue worker. */
  | { readonly type: 'run.ended'; readonly end: RunEnd; readonly error?: unknown; readonly more?: boolean }
  /** An item waits, and perhaps there is a place for it. */
  | { readonly type: 'item.ready' }
  /** Answers `startRun`: somebody else has begun the item meanwhile. */
  | { readonly type: 'item.gone' }
  /** Answers `pullItems`: no item waits. */
  | { readonly type: 'items.none' }
  | { readonly type: 'source.failed'; readonly error: unknown }
  /** Of a queue worker that lives: takes effect on what begins from now on. */
  | { readonly type: 'queue.resize'; readonly concurrency: number }
  /** The hook that was called has ended, or there is none. `slots`: as of now. */
  | { readonly type: 'hook.done'; readonly slots: Slots }
  /** End in your own way: live runs end by themselves. */
  | { readonly type: 'worker.stop' }
  /** End soon: live runs are told to end. */
  | { readonly type: 'worker.hurry' }
  /** End now. */
  | { readonly type: 'worker.kill' }

export type WorkerFact = 'started' | 'paused' | 'resumed' | 'stopped' | 'failed'

/** What the machines ask for. The actors fulfil it; a machine never waits for an answer. */
export type WorkerEffect =
  | 'callBeforeStart'
  | 'reportReady'
  | 'callBeforeStop'
  | 'callAfterStop'
  | 'reportExit'
  | 'armTick'
  | 'armBackoff'
  | 'disarm'
  | 'startRun'
  | 'openSource'
  | 'closeSource'
  | 'pullItems'
  | 'cancelRuns'
  | 'terminateRuns'
  | 'endUnbegun'
  | 'signalRuns'
  | 'killRuns'
  | 'skip'
  | 'announce'
