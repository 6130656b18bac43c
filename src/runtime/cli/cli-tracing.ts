/** Commands trace when their program was started with an OpenTelemetry SDK: `NODE_OPTIONS='--import ./otel.js'`. */
import type { Tracing } from '../tracing-option.ts'

/** Where every copy of `@opentelemetry/api` 1 keeps what an SDK has registered. */
const REGISTERED: unique symbol = Symbol.for('opentelemetry.js.api.1') as never

/** As an option; without an SDK the library is not even looked for. */
export async function cliTracing(): Promise<{ readonly tracing?: Tracing }> {
  const { [REGISTERED]: registered } = globalThis as { [REGISTERED]?: { readonly trace?: object } }
  if (registered?.trace === undefined) return {}
  const { createTracing } = await import('../tracing/tracing.ts')
  return { tracing: createTracing() }
}
