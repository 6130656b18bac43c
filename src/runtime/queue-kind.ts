/** What is particular to queue workers among the kinds of workers. */
import type { ItemIterable } from '../actors/item-source.ts'
import {
  QUEUE_EFFECTS,
  type QueuePorts,
  type QueueSettings,
  QueueWorkerActor,
} from '../actors/queue-worker.ts'
import type { WorkerMachine } from '../actors/worker-plan.ts'
import { queueWorkerMachine } from '../machines/queue-worker.ts'
import { checkOptions } from './check.ts'
import { WorkerError } from './errors.ts'
import { QueueHandle, stoppedError } from './queue-handle.ts'
import { type QueueOverrides, queueChecks, sizeChecks } from './queue-options.ts'
import type { StopLog } from './stop-report.ts'
import { type Kind, timeless } from './worker-kinds.ts'

const BY_ITEM = timeless('for each item')

export function queueKind(stopLog: StopLog): Kind {
  const ports: QueuePorts = {
    itemReturned: (worker) =>
      new WorkerError(`Queue worker "${worker}" ended before this item had begun: it was handed back.`, {
        code: 'ERR_ITEM_RETURNED',
        worker,
      }),
    refused: (worker) => stoppedError(worker, 'ended while this item waited for room'),
    returned: (worker, items) => stopLog.returned(worker, items),
  }
  return {
    kind: 'queue',
    machine: queueWorkerMachine as unknown as WorkerMachine,
    effects: QUEUE_EFFECTS,
    checks: queueChecks,
    checkTimes: (_, sizes) => checkOptions('resize()', sizes, sizeChecks),
    times: () => BY_ITEM,
    actor: (options, given) => new QueueWorkerActor(options, settingsOf(given), ports),
    handle: (shape) => new QueueHandle(shape, shape.worker as QueueWorkerActor),
    configure: (worker, options) => (worker as QueueWorkerActor).configure(settingsOf(options)),
  }
}

function settingsOf(options: object): QueueSettings {
  const { capacity, concurrency = 1, source } = options as QueueOverrides
  const unlimited = source === undefined ? Number.POSITIVE_INFINITY : concurrency
  return { capacity: capacity ?? unlimited, source: source as ItemIterable<unknown> | undefined }
}
