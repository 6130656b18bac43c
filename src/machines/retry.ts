/** Whether what ended an attempt is a reason to make another one. */
import type { FailureKind } from './model.ts'

/** What can end an attempt without a value. */
export type AttemptEnd = FailureKind | 'runTimeout'

const REPEATABLE: ReadonlySet<AttemptEnd> = new Set<AttemptEnd>(['threw', 'crashed', 'runTimeout'])

/**
 * Only `threw`, `crashed` and `runTimeout` are ever tried again: the other kinds would end the same way.
 *
 * @param attempt - the attempt that ended, from 1
 * @param attempts - all that the run has
 */
export function mayRetry(end: AttemptEnd, attempt: number, attempts: number): boolean {
  return REPEATABLE.has(end) && attempt < attempts
}
