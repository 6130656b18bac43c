/** Spans of calls that store durable tasks. What was stored belongs to them: see stored-trace.ts. */
import { context, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { toCarrier } from './propagation.ts'
import type { TraceCarrier } from './run-tracing.ts'

/** How whoever traces takes part in what is enqueued. */
export interface QueueTracing {
  /**
   * Calls `store` within a span of its own. Nothing is awaited before.
   *
   * @param ids - of the tasks
   * @param name - of their definition; `undefined` for several
   */
  enqueued<Result>(
    tasks: { readonly name: string | undefined; readonly ids: readonly string[] },
    store: (trace: TraceCarrier | undefined) => Promise<Result>,
  ): Promise<Result>
}

export class QueueSpans implements QueueTracing {
  readonly #tracer: () => Tracer | undefined

  /** @param tracer - `undefined` as long as there is none */
  constructor(tracer: () => Tracer | undefined) {
    this.#tracer = tracer
  }

  async enqueued<Result>(
    { name = 'tasks', ids }: { readonly name: string | undefined; readonly ids: readonly string[] },
    store: (trace: TraceCarrier | undefined) => Promise<Result>,
  ): Promise<Result> {
    const tracer = this.#tracer()
    if (tracer === undefined) return store(undefined)
    const attributes = {
      'messaging.system': 'stateward',
      'messaging.operation.name': 'enqueue',
      'messaging.operation.type': 'send',
      'messaging.destination.name': name,
      ...(ids.length === 1
        ? { 'messaging.message.id': ids[0] as string }
        : { 'messaging.batch.message_count': ids.length }),
    }
    const span = tracer.startSpan(`enqueue ${name}`, { kind: SpanKind.PRODUCER, attributes })
    const inner = trace.setSpan(context.active(), span)
    try {
      return await context.with(inner, () => store(toCarrier(inner)))
    } catch (error) {
      const { message, code, name: kind } = error as Error & { code?: string }
      span.recordException(error as Error)
      span.setAttribute('error.type', code ?? kind)
      span.setStatus({ code: SpanStatusCode.ERROR, message })
      throw error
    } finally {
      span.end()
    }
  }
}
