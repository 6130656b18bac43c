/** The store under a queue, as those use it who run its tasks. */
import type { DaemonStore } from '../../actors/daemon/daemon-ports.ts'
import type { AnswerTable, ClaimOperation, StoreOperation } from '../../actors/store/operations.ts'
import type { QueueStore } from './queue-store.ts'

/** A task that has lost more leases than this is given up. */
export const LOST_LIMIT = 3

/** For a daemon: all of it. */
export function daemonStore(queue: QueueStore): DaemonStore {
  return {
    isServer: queue.store.capabilities.parallel,
    submit: (operation) => queue.do(operation),
    submitLocked: (operation) => queue.doLocked(operation),
    async isTold(id) {
      const daemons = await queue.read((store) => store.daemons())
      return daemons.some((daemon) => daemon.id === id && daemon.message !== null)
    },
    isClosed: () => queue.isClosed,
    dueSchedules: (at) => queue.read((store) => store.schedules(at)),
    wake: (topic, listener) => queue.store.wake(topic, listener),
  }
}

/**
 * For whoever runs one task by hand: nothing else is claimed, and nothing is done for the queue as a whole. It is no daemon, so
 * it leaves no mark of one.
 */
export function oneTaskStore(queue: QueueStore, id: string): DaemonStore {
  // Threads and processes are claimed for apart, at once: one of them moves it, for both.
  let look: Promise<boolean> | undefined
  let isMoved = false
  const claim = async (operation: ClaimOperation): Promise<AnswerTable['claim']> => {
    const { at, holder: by } = operation
    look ??= isDueLater(queue, id, at)
    const isLater = (await look) && !isMoved
    isMoved = true
    const named = { ...operation, ids: [id] }
    // Both in one commit: nobody else may take it in between.
    const moved = isLater ? queue.do({ type: 'move', ids: [id], runAt: at, at, by }) : undefined
    const [answer] = await Promise.all([queue.do(named), moved])
    return { ...answer, scheduleAt: null, overdueAt: null }
  }
  const submit = (operation: StoreOperation): Promise<AnswerTable[keyof AnswerTable]> => {
    switch (operation.type) {
      case 'claim':
        return claim(operation)
      case 'beat':
        return Promise.resolve({ message: null })
      case 'leave':
        return Promise.resolve({ left: 0 })
      case 'reclaim':
        return Promise.resolve({ tasks: [] })
      case 'prune':
        return Promise.resolve({ removed: 0 })
      default:
        return queue.do(operation)
    }
  }
  return { ...daemonStore(queue), submit: submit as DaemonStore['submit'] }
}

/** Takes one task back whose lease is over, as daemons do with all of them: whoever held it has ended without a word. */
export async function takeBack(queue: QueueStore, id: string): Promise<void> {
  const { by } = queue
  await queue.do({ type: 'reclaim', at: queue.now(), by, lostLimit: LOST_LIMIT, limit: 1, id })
}

async function isDueLater(queue: QueueStore, id: string, now: number): Promise<boolean> {
  const [record] = await queue.read((store) => store.get([id]))
  return record?.state === 'pending' && record.runAt > now
}
