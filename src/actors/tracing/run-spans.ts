/**
 * Spans of the runs of one supervisor.
 *
 * ```
 * submit NAME   producer: the call that made the run, in whatever span it was made
 * └─ run NAME   consumer: from the submission to the one end
 *    └─ attempt NAME   internal: from the slot to the end of the handler, which runs in it; linked to the one before
 * ```
 *
 * A run of a durable task has no `submit`: its parent is the span that enqueued it, however long ago. It is one attempt, and
 * linked to the run that was the attempt before, wherever that was. One that a worker has made is the root of a trace. The run is authoritative: spans only say what became of it.
 */
import {
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { Outcome } from '../../machines/model.ts'
import type { TaskFact } from '../../machines/task-model.ts'
import { handBackReason, type KeptRun } from '../kept-run.ts'
import type { TaskRun } from '../task-run.ts'
import { fromCarrier, toCarrier } from './propagation.ts'
import type { RunTracing, TraceCarrier } from './run-tracing.ts'

interface Scope {
  readonly span: Span
  readonly context: Context
}

/** Of one run. */
interface RunTrace extends Scope {
  /** The attempt under way. */
  attempt: Scope | undefined
  /** The last one that has ended. */
  previous: SpanContext | undefined
}

export interface RunSpansOptions {
  /** `undefined` as long as there is none: nothing is traced then, and nothing made for it. */
  readonly tracer: () => Tracer | undefined
  readonly supervisorId: string
  /** What the tracer has thrown: for the first time. One that throws does so for each run. */
  onError(error: unknown): void
}

export class RunSpans implements RunTracing {
  readonly #options: RunSpansOptions
  readonly #traces = new WeakMap<TaskRun, RunTrace>()
  #onError: (error: unknown) => void = (error) => {
    this.#onError = () => {}
    this.#options.onError(error)
  }
  /** Once there is one. */
  #tracer: Tracer | undefined = undefined

  constructor(options: RunSpansOptions) {
    this.#options = options
  }

  created(run: TaskRun): void {
    this.#isolate(() => {
      const tracer = this.#options.tracer()
      if (tracer === undefined) return
      this.#tracer = tracer
      const { name } = run.definition
      const parent = this.#parentOf(run, tracer)
      const attributes = {
        ...this.#attributesOf(run),
        ...(run.kept === undefined ? {} : keptAttributesOf(run, run.kept)),
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
      }
      const options = { kind: SpanKind.CONSUMER, attributes, links: linksOf(run, parent) }
      const span = tracer.startSpan(`run ${name}`, options, parent)
      this.#traces.set(run, {
        span,
        context: trace.setSpan(parent, span),
        attempt: undefined,
        previous: undefined,
      })
    })
  }

  announced(run: TaskRun, fact: TaskFact): void {
    if (this.#tracer === undefined) return
    this.#isolate(() => {
      const traced = this.#traces.get(run)
      if (traced === undefined) return
      const { lastFailure } = run.snapshot.context
      switch (fact) {
        case 'admitted':
          this.#attemptOf(run, traced)
          return
        case 'retrying':
          endAttempt(traced, lastFailure?.error ?? lastFailure?.kind)
          break
        case 'started':
          traced.attempt?.span.addEvent('started')
          return
        default:
          endAttempt(traced)
      }
      traced.span.addEvent(fact)
    })
  }

  settled(run: TaskRun): void {
    if (this.#tracer === undefined) return
    this.#isolate(() => {
      const traced = this.#traces.get(run)
      const { outcome } = run
      if (traced === undefined || outcome === undefined) return
      const { span } = traced
      const why = handBackReason(run)
      const error = why === undefined ? errorOf(outcome) : undefined
      endAttempt(traced, error)
      span.setAttribute('stateward.attempts', run.snapshot.context.attempt)
      span.setAttribute('stateward.queue_ms', run.queueMs)
      if (why === undefined) span.setAttributes(attributesOf(outcome))
      else span.setAttribute('stateward.handed_back', why)
      if (error !== undefined) fail(span, error)
      span.end()
    })
  }

  within<Result>(run: TaskRun, act: () => Result): Result {
    const traced = this.#tracer && this.#traces.get(run)
    return traced === undefined ? act() : context.with(this.#attemptOf(run, traced).context, act)
  }

  attemptCarrier(run: TaskRun): TraceCarrier | undefined {
    return this.#isolate(() => {
      const traced = this.#traces.get(run)
      return traced && toCarrier(this.#attemptOf(run, traced).context)
    })
  }

  runCarrier(run: TaskRun): TraceCarrier | undefined {
    return this.#isolate(() => {
      const traced = this.#traces.get(run)
      return traced && toCarrier(traced.context)
    })
  }

  /** What the run belongs to. */
  #parentOf(run: TaskRun, tracer: Tracer): Context {
    if (run.kept !== undefined)
      return run.kept.trace === undefined ? ROOT_CONTEXT : fromCarrier(run.kept.trace)
    // A timer has the context of whoever armed it, long ago: no run of a worker belongs there.
    if (run.worker !== undefined) return ROOT_CONTEXT
    const attributes = {
      ...this.#attributesOf(run),
      'messaging.operation.name': 'submit',
      'messaging.operation.type': 'send',
    }
    const active = context.active()
    const span = tracer.startSpan(
      `submit ${run.definition.name}`,
      { kind: SpanKind.PRODUCER, attributes },
      active,
    )
    span.end()
    return trace.setSpan(active, span)
  }

  /** Of the attempt under way, which begins now if nobody has asked for it before. */
  #attemptOf(run: TaskRun, traced: RunTrace): Scope {
    if (traced.attempt !== undefined) return traced.attempt
    // What a handler does that was given up belongs to no attempt.
    const tracer = this.#tracer
    if (!run.live || tracer === undefined) return traced
    const { name } = run.definition
    const attributes = {
      'stateward.task': name,
      'stateward.attempt': run.snapshot.context.attempt,
      'stateward.execution': run.execution,
    }
    const links = traced.previous === undefined ? [] : [previousLink(traced.previous)]
    const span = tracer.startSpan(`attempt ${name}`, { attributes, links }, traced.context)
    traced.attempt = { span, context: trace.setSpan(traced.context, span) }
    return traced.attempt
  }

  #attributesOf(run: TaskRun): Record<string, string> {
    return {
      'messaging.system': 'stateward',
      'messaging.destination.name': run.definition.name,
      'messaging.message.id': run.id,
      'stateward.supervisor': this.#options.supervisorId,
      'stateward.priority': run.plan.priority,
      'stateward.execution': run.plan.execution,
      ...(run.worker === undefined ? {} : { 'stateward.worker': run.worker }),
    }
  }

  #isolate<Result>(act: () => Result): Result | undefined {
    try {
      return act()
    } catch (error) {
      this.#onError(error)
      return undefined
    }
  }
}

/** Whoever made a durable task, and the attempt before this one. */
function linksOf({ kept }: TaskRun, parent: Context): Link[] {
  if (kept?.trace === undefined) return []
  const { previous } = kept.trace
  const before = previous && trace.getSpanContext(fromCarrier({ traceparent: previous }))
  const links = before ? [previousLink(before)] : []
  const maker = trace.getSpanContext(parent)
  // Where nobody had traced the making, the first attempt stands in for it.
  return maker === undefined || (before && maker.spanId === before.spanId)
    ? links
    : [{ context: maker }, ...links]
}

function previousLink(before: SpanContext): Link {
  return { context: before, attributes: { 'stateward.link': 'previous' } }
}

/** It is one attempt of its task. */
function keptAttributesOf({ snapshot }: TaskRun, { lost }: KeptRun): Record<string, number> {
  const attempt = { 'stateward.attempt': snapshot.context.attempt + 1 }
  return lost === 0 ? attempt : { ...attempt, 'stateward.lost': lost }
}

function endAttempt(traced: RunTrace, error?: unknown): void {
  const { attempt } = traced
  if (attempt === undefined) return
  traced.attempt = undefined
  traced.previous = attempt.span.spanContext()
  if (error !== undefined) fail(attempt.span, error)
  attempt.span.end()
}

function fail(span: Span, error: unknown): void {
  const isError = error instanceof Error
  const message = isError ? error.message : String(error)
  if (isError) span.recordException(error)
  const { code } = (error ?? {}) as { code?: unknown }
  span.setAttribute('error.type', typeof code === 'string' ? code : isError ? error.name : message)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}

/** Whoever cancels a run has asked for it: no error. */
function errorOf(outcome: Outcome): unknown {
  if (outcome.kind === 'failed') return outcome.failure.error ?? outcome.failure.kind
  return outcome.kind === 'terminated' ? outcome.reason : undefined
}

function attributesOf(outcome: Outcome): Record<string, string> {
  const kind = { 'stateward.outcome': outcome.kind }
  if (outcome.kind === 'failed') return { ...kind, 'stateward.reason': outcome.failure.kind }
  if (outcome.kind === 'terminated') return { ...kind, 'stateward.reason': outcome.reason }
  return outcome.kind === 'finished' && outcome.skipped !== undefined
    ? { 'stateward.outcome': 'skipped' }
    : kind
}
