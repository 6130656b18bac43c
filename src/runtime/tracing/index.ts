/** Entry `stateward/tracing`: traces with OpenTelemetry. Needs the package `@opentelemetry/api`. */
export type { Tracing } from '../tracing-option.ts'
export { createTracing, type TracingOptions } from './tracing.ts'
