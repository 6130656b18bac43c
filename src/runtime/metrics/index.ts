/** Entry `stateward/metrics`: metrics for Prometheus. Needs the package `@prometheus-io/client`. */
export type { MetricsRegistry } from './families.ts'
export { createMetrics, type Metrics, type MetricsOptions } from './metrics.ts'
