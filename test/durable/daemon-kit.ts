/** What tests of daemons begin with: a SQLite file, a queue on it, a supervisor and a daemon, all real. */
import { onTestFinished } from 'vitest'
import { type Clock, systemClock } from '../../src/actors/clock.ts'
import type { Store } from '../../src/actors/store/store.ts'
import { StoreError } from '../../src/actors/store/store-error.ts'
import type { NewTask, TaskRecord } from '../../src/actors/store/task-record.ts'
import {
  createSupervisor,
  type EventName,
  type Supervisor,
  type SupervisorEvents,
  type SupervisorOptions,
  type TaskCall,
} from '../../src/index.ts'
import { createDaemon, type Daemon } from '../../src/runtime/durable/daemon.ts'
import type { DaemonOptions } from '../../src/runtime/durable/daemon-options.ts'
import { LiveQueue } from '../../src/runtime/durable/live-queue.ts'
import { openQueue, type QueueOptions } from '../../src/runtime/durable/open-queue.ts'
import type { Queue } from '../../src/runtime/durable/queue.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { QueueStore } from '../../src/runtime/durable/queue-store.ts'
import { type LogLine, memoryLogger } from '../support/harness.ts'
import { freshUrl, openStore } from './engine.ts'

export interface Place {
  /** The URL of what is no file. */
  readonly file: string
  readonly queue: Queue
  /** The store under it. */
  readonly store: QueueStore
}

/** A queue on `file`, or on a fresh one. */
export async function openPlace(file?: string, options: Partial<QueueOptions> = {}): Promise<Place> {
  const url = file === undefined ? await freshUrl() : urlOf(file)
  const queue = await openQueue({ url, by: 'test', ...options })
  onTestFinished(() => queue.close())
  return { file: url.replace(/^sqlite:/, ''), queue, store: storeOf(queue) }
}

/** Of a place by its `file`. */
export const urlOf = (file: string): string => (file.startsWith('postgres') ? file : `sqlite:${file}`)

type Commit = Store['commit']

/** A queue whose commits go through `around`. */
export async function placeAround(
  around: (commit: Commit) => Commit,
  path?: string,
  clock: Clock = systemClock,
): Promise<Place> {
  const { file } = await openPlace(path)
  const real = await openStore(urlOf(file))
  const store: Store = Object.create(real, {
    capabilities: { value: real.capabilities },
    commit: { value: around(real.commit.bind(real)) },
    get: { value: real.get.bind(real) },
    list: { value: real.list.bind(real) },
    wake: { value: real.wake.bind(real) },
    counts: { value: real.counts.bind(real) },
    backlog: { value: real.backlog.bind(real), configurable: true },
    schedules: { value: real.schedules.bind(real) },
    daemons: { value: real.daemons.bind(real) },
    log: { value: real.log.bind(real) },
    close: { value: real.close.bind(real) },
  })
  const open = new QueueStore({ store, clock, by: 'test', maxBytes: 1_000_000 })
  const queue = new LiveQueue(open)
  onTestFinished(() => queue.close())
  return { file, queue, store: open }
}

/** A queue whose database can be sent away: then every commit fails at once. */
export async function awayPlace(): Promise<Place & { setAway(away: boolean): void }> {
  let isAway = false
  const place = await placeAround(
    (commit) => (operations) =>
      isAway
        ? Promise.reject(new StoreError('ERR_STORE_FAILED', 'The connection was lost.'))
        : commit(operations),
  )
  return {
    ...place,
    setAway(away) {
      isAway = away
    },
  }
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

const hasEnded = ({ endedAt }: TaskRecord): boolean => endedAt !== null

/** The next event of a name. */
export function next<Name extends EventName>(
  supervisor: Supervisor,
  name: Name,
): Promise<SupervisorEvents[Name]> {
  return new Promise((resolve) => {
    const off = supervisor.on(name, (payload) => {
      off()
      resolve(payload)
    })
  })
}
