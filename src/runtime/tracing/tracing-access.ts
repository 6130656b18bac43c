/** How supervisors and queues find what a `Tracing` is made of, which is no business of its users. */
import type { QueueTracing } from '../../actors/tracing/queue-spans.ts'
import type { RunTracing } from '../../actors/tracing/run-tracing.ts'
import { refuse } from '../check.ts'

export interface TracingParts {
  /** @param onError - told of what a tracer has thrown */
  runs(supervisorId: string, onError: (error: unknown) => void): RunTracing
  readonly queue: QueueTracing
}

const parts = new WeakMap<object, TracingParts>()

/** Called where one is made. */
export function giveParts(tracing: object, its: TracingParts): void {
  parts.set(tracing, its)
}

/** @throws OptionError for what is none */
export function tracingOf(tracing: unknown, where = 'tracing'): TracingParts {
  const found = typeof tracing === 'object' && tracing !== null ? parts.get(tracing) : undefined
  return found ?? refuse(where, 'what createTracing() of stateward/tracing returns', tracing)
}
