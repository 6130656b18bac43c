/** The option `tracing`, as those know it who need not have OpenTelemetry. */

/** What `createTracing()` of `stateward/tracing` returns. */
export interface Tracing {
  /** Name of the instrumentation scope of its spans. */
  readonly scope: string
}
