/** What follows from a traced task belongs to its trace: its next attempt, its next step, the children that it forks into. */
import type { HeldTask } from '../../actors/daemon/held-task.ts'
import type { Verdict } from '../../actors/store/operations.ts'
import type { RunTracing, TraceCarrier } from '../../actors/tracing/run-tracing.ts'
import { withTrace } from '../../actors/tracing/stored-trace.ts'

/** @param tracing - who traces here; a daemon that does not hands the trace on as it is */
export function handOn(verdict: Verdict, held: HeldTask, tracing: RunTracing | undefined): Verdict {
  switch (verdict.kind) {
    case 'finished':
      return verdict
    case 'step':
    case 'fork':
      return handToNext(verdict, traceAfter(held, tracing))
    default:
      return keepFor(verdict, held, tracing)
  }
}

type Next = Extract<Verdict, { kind: 'step' | 'fork' }>

function handToNext(verdict: Next, trace: TraceCarrier | undefined): Verdict {
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

/** For another attempt of the same call: also one that a person asks for, of a task that has ended. */
function keepFor(
  verdict: Exclude<Verdict, Next | { kind: 'finished' }>,
  held: HeldTask,
  tracing: RunTracing | undefined,
): Verdict {
  const hasBegun = held.run !== undefined && held.run.startedMono >= 0
  if (tracing === undefined || (verdict.kind === 'returned' && !hasBegun)) return verdict
  const trace = traceAfter(held, tracing)
  return trace === undefined ? verdict : { ...verdict, options: withTrace(held.task.options, trace) }
}

/** All attempts of all steps are children of what made the task; each knows the one before it. */
function traceAfter({ trace, run }: HeldTask, tracing: RunTracing | undefined): TraceCarrier | undefined {
  const own = run && tracing?.runCarrier(run)
  const first = trace ?? own
  return own?.traceparent === undefined ? first : { ...first, previous: own.traceparent }
}
