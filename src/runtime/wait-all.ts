/** Waits for several runs within one bound. */
import { check } from './check.ts'
import type { Run } from './run.ts'

/**
 * Results of all runs, in their order. Rejects with the first error, or with a `WaitTimeoutError` when
 * not all have ended after `timeoutMs` in all; 0 means "look now". The runs go on.
 *
 * @throws OptionError for a bad bound
 */
export async function waitAll<Output>(
  runs: readonly Run<Output>[],
  timeoutMs: number = Number.POSITIVE_INFINITY,
): Promise<Output[]> {
  check.duration('waitAll(timeoutMs)', timeoutMs)
  return Promise.all(runs.map((run) => run.wait(timeoutMs)))
}
