/** What tests of daemons begin with: a SQLite file, a queue on it, a supervisor and a daemon, all real. */
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { NewTask, TaskRecord } from '../../src/actors/store/task-record.ts'
import { createSupervisor, type Supervisor, type SupervisorOptions, type TaskCall } from '../../src/index.ts'
import { createDaemon, type Daemon } from '../../src/runtime/durable/daemon.ts'
import type { DaemonOptions } from '../../src/runtime/durable/daemon-options.ts'
import { openQueue } from '../../src/runtime/durable/open-queue.ts'
import type { Queue } from '../../src/runtime/durable/queue.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import type { QueueStore } from '../../src/runtime/durable/queue-store.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { type LogLine, memoryLogger } from '../support/harness.ts'

export interface Place {
  readonly file: string
  readonly queue: Queue
  /** The store under it. */
  readonly store: QueueStore
}

/** A queue on `file`, or on a fresh one. */
export async function openPlace(file?: string): Promise<Place> {
  const path = file ?? join(await temporaryFolder(), 'tasks.db')
  const queue = await openQueue({ url: `sqlite:${path}`, by: 'test' })
  onTestFinished(() => queue.close())
  return { file: path, queue, store: storeOf(queue) }
}

/** Stores calls. @returns their ids */
export async function enqueue(queue: Queue, ...calls: readonly object[]): Promise<string[]> {
  const queued = await queue.enqueueMany(calls as readonly TaskCall[])
  return queued.map(({ id }) => id)
}

/** Changes a stored task in ways that no client can, as a program of another version might. */
export async function storeRaw(store: QueueStore, given: Partial<NewTask>): Promise<string> {
  const task: NewTask = {
    id: store.newId(),
    name: 'raw',
    version: 1,
    input: null,
    options: null,
    description: null,
    metadata: null,
    priority: 'normal',
    runAt: store.now(),
    key: null,
    onConflict: 'reject',
    schedule: null,
    ...given,
  }
  await store.do({ type: 'enqueue', at: store.now(), by: 'test', tasks: [task] })
  return task.id
}

export interface DaemonRig extends Place {
  readonly supervisor: Supervisor
  readonly daemon: Daemon
  readonly lines: LogLine[]
}

/** A started daemon; what it is made of is stopped with the test. */
export async function startedDaemon(
  tasks: DaemonOptions['tasks'],
  given: {
    readonly place?: Place
    readonly supervisor?: SupervisorOptions
    readonly daemon?: Partial<DaemonOptions>
  } = {},
): Promise<DaemonRig> {
  const place = given.place ?? (await openPlace())
  const lines: LogLine[] = []
  const supervisor = createSupervisor({ daemon: true, logger: memoryLogger(lines), ...given.supervisor })
  onTestFinished(async () => {
    await supervisor.stop({ wait: 0 })
  })
  await supervisor.start()
  const daemon = createDaemon({ queue: place.queue, supervisor, tasks, ...given.daemon })
  await daemon.start()
  return { ...place, supervisor, daemon, lines }
}

/** Resolves with the records once `done` holds for them; looks whenever the store tells of news. */
export async function records(
  store: QueueStore,
  ids: readonly string[],
  done: (record: TaskRecord) => boolean = hasEnded,
): Promise<TaskRecord[]> {
  const { promise, resolve, reject } = Promise.withResolvers<TaskRecord[]>()
  const look = async (): Promise<void> => {
    const found = await store.read((open) => open.get(ids))
    if (found.every((record) => record !== undefined && done(record))) resolve(found as TaskRecord[])
  }
  const unlisten = store.store.wake('news', () => void look().catch(reject))
  await look()
  return promise.finally(unlisten)
}

const hasEnded = ({ state }: TaskRecord): boolean => state !== 'pending' && state !== 'running'
