/** Traces with OpenTelemetry: made once, and given to supervisors and queues. docs/observability.md shows the spans. */
import { ProxyTracerProvider, type Tracer, type TracerProvider, trace } from '@opentelemetry/api'
import { QueueSpans } from '../../actors/tracing/queue-spans.ts'
import { RunSpans } from '../../actors/tracing/run-spans.ts'
import { check, checkOptions } from '../check.ts'
import type { Tracing } from '../tracing-option.ts'
import { giveParts } from './tracing-access.ts'

const SCOPE = 'stateward'

export interface TracingOptions {
  /**
   * Where spans go.
   *
   * @defaultValue the global one, also when an SDK registers it later
   */
  readonly tracerProvider?: TracerProvider
}

/**
 * For the option `tracing` of `createSupervisor` and `openQueue`. Context and propagation are the global ones, which an SDK sets.
 *
 * @throws OptionError for a bad option
 */
export function createTracing(options: TracingOptions = {}): Tracing {
  checkOptions('createTracing()', options, {
    tracerProvider: check.having('a TracerProvider of @opentelemetry/api', 'getTracer'),
  })
  const { tracerProvider } = options
  let found: Tracer | undefined
  const tracer = (): Tracer | undefined => {
    found ??= tracerProvider === undefined ? registeredTracer() : tracerProvider.getTracer(SCOPE)
    return found
  }
  const tracing: Tracing = { scope: SCOPE }
  giveParts(tracing, {
    runs: (supervisorId, onError) => new RunSpans({ tracer, supervisorId, onError }),
    queue: new QueueSpans(tracer),
  })
  return tracing
}

/** Of the provider that an SDK has registered. Without one, spans would be made only to be thrown away. */
function registeredTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider()
  return provider instanceof ProxyTracerProvider
    ? provider.getDelegateTracer(SCOPE)
    : provider.getTracer(SCOPE)
}
