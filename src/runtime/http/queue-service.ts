/** The tasks of a durable queue, for HTTP. */
import type { AnyDefinition } from '../../actors/definition.ts'
import type { TaskDefinition } from '../define-task.ts'
import type { Daemon } from '../durable/daemon.ts'
import type { Queue } from '../durable/queue.ts'
import { storeOf } from '../durable/queue-access.ts'
import { toStoredTask } from '../durable/stored-task.ts'
import { ENQUEUE_BODY } from './submission.ts'
import type { DurableActs, TaskService } from './task-service.ts'

/** States of a daemon in which it runs what comes. */
const READY_STATES: readonly string[] = ['working']

/**
 * @param daemon - whether it works says whether this is ready
 * @throws OptionError for what is no queue
 */
export function queueService(where: string, queue: Queue, daemon: Daemon | undefined): TaskService {
  const store = storeOf(queue, where)
  return {
    clock: store.clock,
    body: ENQUEUE_BODY,
    statusSchema: 'QueueStatus',
    async get(ids) {
      const found = await store.read((open) => open.get(ids))
      const now = store.now()
      return found.map((record) => record && toStoredTask(record, now))
    },
    list: (query) => queue.list(query),
    counts: () => queue.counts(),
    submit: (definition, input, options) => queue.enqueue(typed(definition), input, options),
    cancel: (id, reason) => queue.cancel(id, reason),
    status: () => queue.status(),
    async readiness() {
      // Whether the database answers.
      await queue.counts()
      if (daemon === undefined || READY_STATES.includes(daemon.state)) return undefined
      return `The daemon ${daemon.name} is ${daemon.state}.`
    },
    news(listener) {
      // What is stored anew is work, and news of it are none to those who wait for an end.
      const ends = (['news', 'work'] as const).map((topic) => store.store.wake(topic, listener))
      return () => {
        for (const end of ends) end()
      }
    },
    durable: durableActs(queue),
  }
}

function durableActs(queue: Queue): DurableActs {
  return {
    retry: (id, options) => queue.retry(id, options),
    move: (id, runAt) => queue.move(id, runAt),
    remove: (id) => queue.remove(id),
    log: (id) => queue.log(id),
    schedules: () => queue.schedules(),
    schedule: (name, definition, input, options) => queue.schedule(name, typed(definition), input, options),
    unschedule: (name) => queue.unschedule(name),
  }
}

const typed = (definition: AnyDefinition): TaskDefinition<unknown, unknown> =>
  definition as TaskDefinition<unknown, unknown>
