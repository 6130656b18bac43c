/**
 * Handlers in a thread or process as parts of the traces of their runs. The library is loaded with the first definition that is
 * traced; where it is not installed, handlers run untraced.
 */
import type { TraceCarrier } from '../tracing/run-tracing.ts'

let propagation: typeof import('../tracing/propagation.ts') | undefined

export async function loadPropagation(): Promise<void> {
  try {
    propagation ??= await import('../tracing/propagation.ts')
  } catch {
    // A module of the task may have a folder of packages of its own.
  }
}

export function withinTrace<Result>(trace: TraceCarrier, act: () => Result): Result {
  return propagation === undefined ? act() : propagation.withinCarrier(trace, act)
}
