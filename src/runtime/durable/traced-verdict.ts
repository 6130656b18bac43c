/** What follows from a traced task belongs to its trace: its next step, and the children that it forks into. */
import type { HeldTask } from '../../actors/daemon/held-task.ts'
import type { Verdict } from '../../actors/store/operations.ts'
import type { RunTracing, TraceCarrier } from '../../actors/tracing/run-tracing.ts'
import { withTrace } from '../../actors/tracing/stored-trace.ts'

/** @param tracing - who traces here; a daemon that does not hands the trace on as it is */
export function handOn(verdict: Verdict, held: HeldTask, tracing: RunTracing | undefined): Verdict {
  if (verdict.kind !== 'step' && verdict.kind !== 'fork') return verdict
  const trace = nextTrace(held, tracing)
  if (trace === undefined) return verdict
  const traced = <Row extends { readonly options: string | null }>(row: Row): Row => ({
    ...row,
    options: withTrace(row.options, trace),
  })
  const call = traced(verdict.call)
  return verdict.kind === 'step'
    ? { ...verdict, call }
    : { ...verdict, call, children: verdict.children.map(traced) }
}

/** All steps are children of what made the task; each knows the one before it. */
function nextTrace({ trace, run }: HeldTask, tracing: RunTracing | undefined): TraceCarrier | undefined {
  const own = run && tracing?.runCarrier(run)
  if (trace === undefined) return own
  return own?.traceparent === undefined ? trace : { ...trace, previous: own.traceparent }
}
