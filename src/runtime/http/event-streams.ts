/** Streams of server-sent events over one watch: how many there are is bounded, and all of them end with the server. */
import type { StoredTask } from '../durable/stored-task.ts'
import { EventFeed, type FeedTimes, type FrameSource, frameOf } from './event-feed.ts'
import { HttpRefusal } from './http-problem.ts'
import type { Inclusion } from './http-query.ts'
import type { TaskService } from './task-service.ts'
import { revisionOf, type TaskView, taskView } from './task-view.ts'
import { TaskWatch } from './task-watch.ts'

export interface StreamOptions extends FeedTimes {
  /** Most of them at a time. */
  readonly limit: number
}

/** When a browser that lost its stream asks again. */
const RETRY = 'retry: 1000\n\n'

export class EventStreams {
  readonly #service: TaskService
  readonly #options: StreamOptions
  readonly #watch: TaskWatch
  readonly #feeds = new Set<EventFeed>()

  constructor(service: TaskService, options: StreamOptions) {
    this.#service = service
    this.#options = options
    this.#watch = new TaskWatch(service)
  }

  get size(): number {
    return this.#feeds.size
  }

  /**
   * All that becomes of one task, until it has ended.
   *
   * @param task - as it is
   * @param seen - the revision that its reader knows already
   */
  ofTask(task: StoredTask, seen: string | undefined, include: ReadonlySet<Inclusion>): Response {
    const source = new TaskFrames(task, seen, include)
    const feed = this.#open(source)
    const leave = this.#watch.follow(task.id, (now) => {
      source.update(now)
      feed.poke()
    })
    source.onLeave = leave
    return streamResponse(feed)
  }

  /**
   * What becomes of all tasks that are looked at, from now on.
   *
   * @param seen - the last position that its reader has seen
   * @param isMeant - which tasks it wants to hear of
   */
  ofAll(seen: string | undefined, isMeant: (task: TaskView) => boolean): Response {
    const source = new ChangeFrames(this.#watch, seen, isMeant)
    const feed = this.#open(source)
    source.onLeave = this.#watch.followAll(() => {
      source.begin()
      feed.poke()
    })
    return streamResponse(feed)
  }

  /** Ends all of them. Resolves when nothing is asked for them any more. */
  close(): Promise<void> {
    for (const feed of [...this.#feeds]) feed.close()
    return this.#watch.close()
  }

  /** @throws HttpRefusal */
  #open(source: FrameSource): EventFeed {
    const { limit } = this.#options
    if (this.#feeds.size >= limit)
      throw new HttpRefusal(`There are ${limit} event streams already.`, { code: 'ERR_HTTP_STREAMS_TAKEN' })
    const feed = new EventFeed(source, this.#service.clock, this.#options, () => this.#feeds.delete(feed))
    this.#feeds.add(feed)
    return feed
  }
}

/** Of one task: the state that is true when there is room for it. */
class TaskFrames implements FrameSource {
  onLeave: () => void = () => {}
  readonly #include: ReadonlySet<Inclusion>
  #latest: StoredTask | undefined
  #sent: string | undefined
  #stage: 'greeting' | 'following' | 'over' = 'greeting'

  constructor(task: StoredTask, seen: string | undefined, include: ReadonlySet<Inclusion>) {
    this.#latest = task
    this.#sent = seen
    this.#include = include
  }

  get isOver(): boolean {
    return this.#stage === 'over'
  }

  update(task: StoredTask | undefined): void {
    this.#latest = task
  }

  take(): string | undefined {
    if (this.#stage === 'over') return undefined
    if (this.#stage === 'greeting') {
      this.#stage = 'following'
      return RETRY
    }
    const task = this.#latest
    if (task === undefined) {
      this.#stage = 'over'
      return frameOf('removed', 'removed', '{}')
    }
    if (task.endedAt !== undefined) this.#stage = 'over'
    const revision = revisionOf(task)
    if (revision === this.#sent) return undefined
    this.#sent = revision
    return frameOf('task', revision, JSON.stringify(taskView(task, this.#include)))
  }

  leave(): void {
    this.onLeave()
  }
}

/** Of all: the changes after a position of its own. */
class ChangeFrames implements FrameSource {
  readonly isOver = false
  onLeave: () => void = () => {}
  readonly #watch: TaskWatch
  readonly #isMeant: (task: TaskView) => boolean
  /** `undefined` before the first look. */
  #position: number | undefined
  readonly #resumed: number | undefined
  #stage: 'waiting' | 'greeting' | 'following' = 'waiting'

  constructor(watch: TaskWatch, seen: string | undefined, isMeant: (task: TaskView) => boolean) {
    this.#watch = watch
    this.#isMeant = isMeant
    this.#resumed = seen === undefined ? undefined : watch.changes.fromText(seen)
  }

  /** A look was taken since it came. */
  begin(): void {
    if (this.#stage === 'waiting') this.#stage = 'greeting'
  }

  take(): string | undefined {
    if (this.#stage === 'waiting') return undefined
    const { changes } = this.#watch
    if (this.#stage === 'greeting' || this.#position === undefined) return this.#greet()
    if (!changes.isComplete(this.#position)) return this.#hello(changes.end, false)
    for (let change = changes.after(this.#position); change; change = changes.after(this.#position)) {
      this.#position = change.seq
      const { said, text } = change
      if (said.event === 'counts' || this.#isMeant(said.data))
        return frameOf(said.event, changes.toText(change.seq), text)
    }
    return undefined
  }

  leave(): void {
    this.onLeave()
  }

  #greet(): string {
    const { changes } = this.#watch
    this.#stage = 'following'
    const isResumed = this.#resumed !== undefined && changes.isComplete(this.#resumed)
    return RETRY + this.#hello(isResumed ? (this.#resumed as number) : changes.end, isResumed)
  }

  /** @param isComplete - whether all that was missed follows; else its reader has to list the tasks anew */
  #hello(position: number, isComplete: boolean): string {
    this.#position = position
    return frameOf('hello', this.#watch.changes.toText(position), JSON.stringify({ resumed: isComplete }))
  }
}

function streamResponse(feed: EventFeed): Response {
  return new Response(feed.stream, {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // For proxies that would keep the frames until there are more of them.
      'x-accel-buffering': 'no',
    },
  })
}
