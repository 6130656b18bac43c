/**
 * Everybody who follows tasks over HTTP, and the one look at the tasks that serves them all.
 *
 * - idle: nobody follows: no timer, no listener.
 * - watching: news lead to a look, and so does every second without any.
 * - looking, lookingAgain: one look is on its way; news that come meanwhile lead to another one.
 * - resting, restingAgain: a look was taken; the next one has to wait a little, however fast news come, so that followers cost
 *   the tasks little.
 * - closed: nobody may follow any more.
 *
 * The service is authoritative. While it cannot be asked nobody hears anything; the next look that succeeds tells what has
 * become of the tasks.
 */
import type { StoredTask } from '../durable/stored-task.ts'
import { ChangeLog } from './change-log.ts'
import type { TaskService } from './task-service.ts'

type Phase = 'idle' | 'watching' | 'looking' | 'lookingAgain' | 'resting' | 'restingAgain' | 'closed'

/** What news change, besides that they lead to a look. */
const ON_NEWS: Partial<Record<Phase, Phase>> = { looking: 'lookingAgain', resting: 'restingAgain' }

/** Hears of one task; `undefined`: it is not there any more. */
export type TaskFollower = (task: StoredTask | undefined) => void

/** Between looks when no news come: estimates of the end move on. */
const POLL_MS = 1_000
/** Between looks when they do. */
const REST_MS = 100
/** A rest is so many times as long as the look before, which is longer when tasks are large. */
const RESTS_PER_LOOK = 4
const IDS_PER_READ = 500
/** The newest tasks of each look, and those that run. */
const NEWEST = 100
const RUNNING = 400
/** Tasks whose changes are known. */
const KNOWN = 1_000

export class TaskWatch {
  /** For those who follow all tasks. */
  readonly changes: ChangeLog = new ChangeLog(KNOWN)
  readonly #service: TaskService
  readonly #byId = new Map<string, Set<TaskFollower>>()
  readonly #ofAll = new Set<() => void>()
  #phase: Phase = 'idle'
  #timer: unknown
  #endNews: (() => void) | undefined
  /** On their way: one, or two when somebody came just after everybody had left. */
  readonly #looks = new Set<Promise<void>>()
  /** The newest tasks of the last look. */
  #newest: readonly string[] = []

  constructor(service: TaskService) {
    this.#service = service
  }

  /** @returns how to end that */
  follow(id: string, follower: TaskFollower): () => void {
    const those = this.#byId.get(id) ?? new Set()
    this.#byId.set(id, those.add(follower))
    this.#begin()
    return () => {
      those.delete(follower)
      if (those.size === 0 && this.#byId.get(id) === those) this.#byId.delete(id)
      this.#endWhenAlone()
    }
  }

  /** @param follower - called after each look from now on; `changes` says what there is */
  followAll(follower: () => void): () => void {
    this.#ofAll.add(follower)
    this.#begin()
    return () => {
      this.#ofAll.delete(follower)
      this.#endWhenAlone()
    }
  }

  /** Resolves when no look is on its way any more. */
  async close(): Promise<void> {
    this.#disarm()
    this.#phase = 'closed'
    this.#byId.clear()
    this.#ofAll.clear()
    await Promise.all(this.#looks)
  }

  #begin(): void {
    if (this.#phase === 'idle') {
      this.#phase = 'watching'
      this.#endNews = this.#service.news(() => this.#look())
    }
    this.#look()
  }

  #endWhenAlone(): void {
    if (this.#byId.size > 0 || this.#ofAll.size > 0 || this.#phase === 'closed') return
    // A look that is on its way finds nobody, and ends by itself.
    this.#disarm()
    this.#phase = 'idle'
  }

  #disarm(): void {
    this.#service.clock.clearTimeout(this.#timer)
    this.#endNews?.()
    this.#endNews = undefined
  }

  #look(): void {
    this.#phase = ON_NEWS[this.#phase] ?? this.#phase
    if (this.#phase !== 'watching') return
    this.#phase = 'looking'
    this.#service.clock.clearTimeout(this.#timer)
    const { clock } = this.#service
    const from = clock.monotonic()
    // One that was begun for those who have left says what was true before.
    const before = Promise.all(this.#looks)
    const look = before
      .then(() => this.#ask())
      .then(() => {
        this.#looks.delete(look)
        this.#looked(Math.max(REST_MS, RESTS_PER_LOOK * (clock.monotonic() - from)))
      })
    this.#looks.add(look)
  }

  /** Told is who was there when it began: for whoever came later it may be older than what he knows. */
  async #ask(): Promise<void> {
    const ofAll = [...this.#ofAll]
    const byId = new Map([...this.#byId].map(([id, those]) => [id, [...those]]))
    try {
      if (ofAll.length > 0) await this.#lookAtAll()
      for (const [id, task] of await this.#read([...byId.keys()])) {
        for (const follower of byId.get(id) ?? []) if (this.#byId.get(id)?.has(follower)) follower(task)
      }
      for (const follower of ofAll) if (this.#ofAll.has(follower)) follower()
    } catch {
      // Not now; the next look says what has become of them.
    }
  }

  async #lookAtAll(): Promise<void> {
    const { tasks: newest } = await this.#service.list({ limit: NEWEST })
    const { tasks: running } = await this.#service.list({ state: 'running', limit: RUNNING })
    this.#noticeGap(newest)
    const seen = new Map([...running, ...newest.toReversed()].map((task) => [task.id, task]))
    const others = this.changes.liveIds().filter((id) => !seen.has(id))
    for (const [id, task] of await this.#read(others)) {
      if (task === undefined) this.changes.forget(id)
      else this.changes.note(task)
    }
    for (const task of seen.values()) this.changes.note(task)
    this.changes.noteCounts(await this.#service.counts())
  }

  /** More tasks have come since the last look than this one shows. */
  #noticeGap(newest: readonly StoredTask[]): void {
    const ids = newest.map(({ id }) => id)
    const isFull = ids.length === NEWEST
    if (isFull && this.#newest.length > 0 && !ids.some((id) => this.changes.knows(id))) this.changes.lose()
    this.#newest = ids
  }

  async #read(ids: readonly string[]): Promise<readonly (readonly [string, StoredTask | undefined])[]> {
    const all: (readonly [string, StoredTask | undefined])[] = []
    for (let from = 0; from < ids.length; from += IDS_PER_READ) {
      const some = ids.slice(from, from + IDS_PER_READ)
      const found = await this.#service.get(some)
      all.push(...some.map((id, index) => [id, found[index]] as const))
    }
    return all
  }

  #looked(restMs: number): void {
    const { clock } = this.#service
    const isAgain = this.#phase === 'lookingAgain'
    if (this.#phase !== 'looking' && !isAgain) return
    this.#phase = isAgain ? 'restingAgain' : 'resting'
    this.#timer = clock.setTimeout(() => this.#rested(), restMs)
  }

  #rested(): void {
    const isAgain = this.#phase === 'restingAgain'
    this.#phase = 'watching'
    if (isAgain) this.#look()
    else this.#timer = this.#service.clock.setTimeout(() => this.#look(), POLL_MS)
  }
}
