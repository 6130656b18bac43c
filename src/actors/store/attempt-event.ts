/** What the machine of a stored task is told of an attempt after which the task goes on. The same for every store. */
import type { StoredTaskEvent } from '../../machines/stored-task.ts'
import type { Verdict } from './operations.ts'
import type { LifeRow } from './stored-life.ts'

/** A verdict that does not end the task. */
export type GoingOn = Extract<Verdict, { kind: 'retry' | 'snooze' | 'step' | 'fork' | 'returned' }>

export function eventOf(verdict: GoingOn, fence: number): StoredTaskEvent {
  switch (verdict.kind) {
    case 'retry':
      return { type: 'attempt.failed', fence, retryAt: verdict.runAt }
    case 'snooze':
      return { type: 'attempt.snoozed', fence, until: verdict.runAt }
    case 'step':
      return { type: 'attempt.continued', fence, runAt: verdict.runAt }
    case 'fork':
      return { type: 'attempt.forked', fence, runAt: verdict.runAt }
    case 'returned':
      return { type: 'attempt.returned', fence }
  }
}

/** Of a task that ends because it was asked to. */
export function endReason(
  row: Pick<LifeRow, 'phase'> & { readonly asked_reason: string | null },
): string | null {
  return row.phase === 'replaced' ? 'replaced' : row.asked_reason
}
