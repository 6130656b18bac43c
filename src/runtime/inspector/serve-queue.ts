/** An inspector of a durable queue, for processes that have no supervisor. */
import type { Queue } from '../durable/queue.ts'
import type { Inspector, InspectorOptions } from './inspector.ts'

/**
 * Serves the inspector's page over a durable queue alone: its tasks, schedules and daemons, wherever they are. With the
 * token it cancels and retries, too. It holds the process open until it is closed.
 *
 * @throws OptionError for what is no queue, or a bad option; StatewardError (`ERR_LISTEN_FAILED`)
 */
export async function serveQueueInspector(
  queue: Queue,
  options: Omit<InspectorOptions, 'queue'> = {},
): Promise<Inspector> {
  // Most processes that use a queue never come here.
  const { checkInspectorOptions, inspectQueue } = await import('./serve.ts')
  checkInspectorOptions('serveQueueInspector()', { ...options, queue })
  return inspectQueue(queue, options)
}
