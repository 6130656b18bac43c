/** Traces as carriers, by the propagator that the program has set. */
import { type Context, context, propagation, ROOT_CONTEXT } from '@opentelemetry/api'
import type { TraceCarrier } from './run-tracing.ts'

/** `undefined` when there is nothing to carry: no propagator is set, or nothing is traced. */
export function toCarrier(traced: Context): TraceCarrier | undefined {
  const carrier: Record<string, string> = {}
  propagation.inject(traced, carrier)
  return Object.keys(carrier).length === 0 ? undefined : carrier
}

export function fromCarrier(carrier: TraceCarrier): Context {
  return propagation.extract(ROOT_CONTEXT, carrier)
}

/** For a thread or process: calls `act` as a part of what the carrier says. */
export function withinCarrier<Result>(carrier: TraceCarrier, act: () => Result): Result {
  return context.with(fromCarrier(carrier), act)
}
