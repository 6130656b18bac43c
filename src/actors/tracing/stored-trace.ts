/**
 * The trace that a durable task belongs to, first among its options as a store keeps them: JSON text. No store looks into it,
 * so no table knows of it, and a program that does not trace hands it on.
 */
import type { TraceCarrier } from './run-tracing.ts'

const MARK = '{"trace":'

/**
 * The trace takes the place of one that is there already.
 *
 * @param options - JSON text of an object; `null` for none
 */
export function withTrace(options: string | null, trace: TraceCarrier): string
export function withTrace(options: string | null, trace: TraceCarrier | undefined): string | null
export function withTrace(options: string | null, trace: TraceCarrier | undefined): string | null {
  if (trace === undefined) return options
  if (options?.startsWith(MARK)) return JSON.stringify({ ...JSON.parse(options), trace })
  const rest = options === null || options === '{}' ? '}' : `,${options.slice(1)}`
  return `${MARK}${JSON.stringify(trace)}${rest}`
}

/** `undefined` for what was not traced, and for what a hand has stored that is none. */
export function traceOf(options: string | null): TraceCarrier | undefined {
  if (options === null || !options.startsWith(MARK)) return undefined
  const { trace } = JSON.parse(options) as { trace: unknown }
  if (typeof trace !== 'object' || trace === null) return undefined
  return Object.values(trace).every((value) => typeof value === 'string')
    ? (trace as TraceCarrier)
    : undefined
}
