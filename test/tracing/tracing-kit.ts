/** What tests of traces share: a real SDK whose spans stay in memory. */
import { context, propagation, type Span, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { onTestFinished } from 'vitest'
import { createTracing, type Tracing } from '../../src/runtime/tracing/index.ts'

export interface Traces {
  readonly tracing: Tracing
  /** Ended spans by name, in the order of their beginnings. */
  of(name: string): ReadableSpan[]
  /** The one span of this name. */
  one(name: string): ReadableSpan
  /** Runs `act` in a span of its own. */
  inSpan<Result>(name: string, act: (span: Span) => Result): Result
}

/** An SDK as the program's own, for one test. */
export function startTraces(): Traces {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.register()
  onTestFinished(async () => {
    await provider.shutdown()
    trace.disable()
    context.disable()
    propagation.disable()
  })
  const of = (name: string): ReadableSpan[] =>
    exporter
      .getFinishedSpans()
      .filter((span) => span.name === name)
      .toSorted((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
  return {
    tracing: createTracing(),
    of,
    one(name) {
      const spans = of(name)
      if (spans.length === 1) return spans[0] as ReadableSpan
      const all = exporter.getFinishedSpans().map((span) => span.name)
      throw new Error(`There are ${spans.length} spans "${name}" among ${all.join(', ')}`)
    },
    inSpan: (name, act) =>
      trace.getTracer('test').startActiveSpan(name, (span) => {
        try {
          return act(span)
        } finally {
          span.end()
        }
      }),
  }
}

export const idOf = (span: ReadableSpan): string => {
  const { traceId, spanId } = span.spanContext()
  return `${traceId}/${spanId}`
}

/** Id of the span above; `undefined` for the root of a trace. */
export const parentOf = ({ parentSpanContext }: ReadableSpan): string | undefined =>
  parentSpanContext && `${parentSpanContext.traceId}/${parentSpanContext.spanId}`

export const linksOf = ({ links }: ReadableSpan): string[] =>
  links.map(({ context: { traceId, spanId } }) => `${traceId}/${spanId}`)

export const eventsOf = ({ events }: ReadableSpan): string[] => events.map(({ name }) => name)

/** `ok` unless it is an error: then its message. */
export const statusOf = ({ status }: ReadableSpan): string =>
  status.code === SpanStatusCode.ERROR ? `error: ${status.message}` : 'ok'
