/** Metrics of a daemon, beside its tasks over HTTP. */
import type { Queue } from '../durable/queue.ts'
import type { HttpMount } from '../http/http-options.ts'
import type { Supervisor } from '../supervisor.ts'

/** Nothing where the package that makes them is not installed. */
export async function metricsMounts(
  name: string,
  supervisor: Supervisor,
  queue: Queue,
): Promise<readonly HttpMount[]> {
  const loaded = await import('../metrics/metrics.ts').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  })
  if (loaded === undefined) return []
  const metrics = loaded.createMetrics({ supervisors: { [name]: supervisor }, queues: { default: queue } })
  return [{ path: '/metrics', fetch: metrics.fetch, close: () => metrics.close() }]
}
