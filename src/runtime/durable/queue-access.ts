/** How a daemon finds the store under a queue, which is no business of its users. */
import { refuse } from '../check.ts'
import type { QueueStore } from './queue-store.ts'

const stores = new WeakMap<object, QueueStore>()

/** Called where a queue is made. */
export function giveStore(queue: object, store: QueueStore): void {
  stores.set(queue, store)
}

/** @throws OptionError for what is no queue */
export function storeOf(queue: object, where: string = 'createDaemon().queue'): QueueStore {
  const store = typeof queue === 'object' && queue !== null ? stores.get(queue) : undefined
  return store ?? refuse(where, 'a queue made by openQueue()', queue)
}
