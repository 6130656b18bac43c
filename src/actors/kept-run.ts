/**
 * A run that somebody keeps elsewhere, in a store. Here is one attempt of it: where it would wait (to be tried again,
 * by its handler's wish, for its next step), it ends as terminated (`handedBack`) instead, and the word says what its keeper
 * has to do. Nobody else reads the outcome of such a run, and for events, counts and logs it is no end.
 */
import type { AttemptLease, RemoteCall } from './attempt.ts'
import type { TaskCall } from './definition.ts'
import type { TaskRun } from './task-run.ts'
import type { TraceCarrier } from './tracing/run-tracing.ts'

/** What comes after this attempt. */
export type KeptWord =
  /** Another one; `error` ended this one, `undefined` after a run timeout. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly error: unknown }
  | { readonly kind: 'snooze'; readonly delayMs: number }
  | { readonly kind: 'next'; readonly call: RemoteCall | TaskCall }

export class KeptRun {
  /** Set before the run ends, if it has not ended for good. */
  word: KeptWord | undefined = undefined

  /** The trace that it was kept in; `previous`: the attempt before this one, also of an earlier step. */
  get trace(): TraceCarrier | undefined {
    return undefined
  }

  /** How many attempts of it have come to nothing, because whoever held it was gone. */
  get lost(): number {
    return 0
  }

  /** Ends the schedule that has made it, or the task that it is a child of; false or `undefined`: none has. */
  endSchedule(): Promise<boolean> | undefined {
    return undefined
  }

  /** The handler of an attempt that was given up has ended after all. */
  handlerEnded(): void {}

  /** How long it may still run here; `undefined`: as long as it likes. */
  lease(_nowMono: number): AttemptLease | undefined {
    return undefined
  }
}

/** Why its keeper has it again; `returned`: it had not begun, or a stop has ended it. */
export type HandBackReason = 'retry' | 'snooze' | 'next' | 'returned'

/** @returns `undefined` for a run that has ended for good */
export function handBackReason({ kept, outcome }: TaskRun): HandBackReason | undefined {
  if (kept === undefined || outcome?.kind !== 'terminated') return undefined
  if (outcome.reason === 'stop') return 'returned'
  return outcome.reason === 'handedBack' ? (kept.word?.kind ?? 'returned') : undefined
}

/** The run has to wait: it ends instead. */
export function handBack(run: TaskRun): void {
  const { kept, state, snapshot, pool } = run
  if (kept === undefined) return
  const { delayMs, lastFailure } = snapshot.context
  if (state === 'retrying') kept.word = { kind: 'retry', delayMs, error: lastFailure?.error }
  else if (state === 'snoozed') kept.word = { kind: 'snooze', delayMs }
  if (kept.word !== undefined) pool.deliver(run, { type: 'task.terminate', reason: 'handedBack' })
}
