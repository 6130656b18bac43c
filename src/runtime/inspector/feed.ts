/**
 * Tells pages what changes: one clock for all of them, one look at the sources per frame.
 *
 * - `asleep`: no page is there; the sources hear nothing and no timer is set.
 * - `awake`: from the first page on. A frame is made when something has happened, as often as pace.ts allows.
 * - `leaving`: pages were told goodbye. They ask once more how things stand, and go; who has not gone soon is sent away.
 * - `closed`: for good; no page is there.
 *
 * A frame is made even when nothing changed, twice a second, so that a page knows that it is heard.
 */
import { hostname } from 'node:os'
import type { Charts } from './charts.ts'
import { FeedPage, type FeedSocket } from './feed-page.ts'
import { type Access, type Ask, type EventRow, FEED_PROTOCOL, type Goodbye, type Hello } from './messages.ts'
import { costOf, nextFrameMs } from './pace.ts'
import type { Common, Source } from './source.ts'
import { type ActorTree, firstWish } from './tree.ts'

export interface FeedOptions {
  readonly sources: readonly Source[]
  readonly charts: Charts
  isToken(given: string): boolean
  /** Why pages have to go, asked when they do. */
  farewell(): Goodbye['reason']
  /** Told of what was thrown where nothing may throw. */
  onError(error: unknown): void
}

/** One frame, before it is one page's. */
export interface Moment {
  readonly at: number
  readonly tree: ActorTree
  readonly common: Common
  readonly events: readonly EventRow[]
  readonly sampled: number
  readonly skipped: number
}

const AWAY = [1001, 'the inspector is closed'] as const

/** For what pages ask when they are told goodbye: that they know the answers by then. */
const LEAVING_MS = 250

export class Feed {
  readonly tree: ActorTree
  readonly #options: FeedOptions
  readonly #pages = new Set<FeedPage>()
  #timer: NodeJS.Timeout | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #lastAt = 0
  #costMs = 0
  #closing: Promise<void> | undefined
  #isEmpty: () => void = () => {}

  constructor(options: FeedOptions) {
    this.#options = options
    this.tree = joined(options.sources.map(({ tree }) => tree))
  }

  get size(): number {
    return this.#pages.size
  }

  /** A page has come. */
  connect(socket: FeedSocket, access: Access): FeedPage {
    const { sources, charts, isToken } = this.#options
    const page = new FeedPage(socket, {
      access,
      charts,
      hello: (raised) => this.#hello(raised),
      wish: () => firstWish(this.tree),
      isToken,
      ask: (ask) => this.#ask(ask),
      act: (act) => firstOf(sources, (source) => source.act(act)),
      wished: () => this.#soon(),
      closed: () => this.#left(page),
    })
    if (this.#closing !== undefined) {
      socket.close(...AWAY)
      return page
    }
    this.#pages.add(page)
    if (this.#pages.size === 1) this.#wake()
    page.greet()
    this.#soon()
    return page
  }

  /** Tells how things stand once more, and says goodbye. Resolves when no page is left. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#pages.size === 0) return
    clearTimeout(this.#timer)
    this.#tell()
    const left = new Promise<void>((resolve) => {
      this.#isEmpty = resolve
    })
    const goodbye: Goodbye = { type: 'goodbye', reason: this.#options.farewell() }
    for (const page of [...this.#pages]) {
      if (page.access === 'none') page.end(...AWAY)
      else page.bid(goodbye)
    }
    const bound = setTimeout(() => {
      for (const page of [...this.#pages]) page.end(...AWAY)
    }, LEAVING_MS)
    await left
    clearTimeout(bound)
  }

  #hello(access: Access): Hello {
    const { sources } = this.#options
    const found = Object.assign({ supervisor: null, queue: null }, ...sources.map(({ hello }) => hello))
    const isNobody = access === 'none'
    return {
      type: 'hello',
      protocol: FEED_PROTOCOL,
      sources: isNobody ? { supervisor: null, queue: null } : (found as Hello['sources']),
      host: isNobody ? '' : hostname(),
      pid: isNobody ? 0 : process.pid,
      startedAt: isNobody ? 0 : Math.round(performance.timeOrigin),
      now: Date.now(),
      access,
    }
  }

  #wake(): void {
    for (const source of this.#options.sources) source.open(() => this.#soon())
    this.#lastAt = 0
    this.#costMs = 0
  }

  #left(page: FeedPage): void {
    if (!this.#pages.delete(page) || this.#pages.size > 0) return
    this.#sleep()
    this.#isEmpty()
  }

  #sleep(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#dueAt = Number.POSITIVE_INFINITY
    for (const source of this.#options.sources) source.close()
  }

  /** Lists of all sources are one list. */
  async #ask(ask: Ask): Promise<unknown> {
    const { sources } = this.#options
    if (ask.ask !== 'schedules') return firstOf(sources, (source) => source.ask(ask))
    const lists = await Promise.all(sources.map((source) => source.ask(ask)))
    return lists.flat().filter((row) => row !== undefined)
  }

  #soon(): void {
    this.#arm(true)
  }

  #arm(isBusy: boolean): void {
    if (this.#pages.size === 0 || this.#closing !== undefined) return
    const dueAt = this.#lastAt + nextFrameMs(isBusy, this.#costMs)
    if (dueAt >= this.#dueAt) return
    clearTimeout(this.#timer)
    this.#dueAt = dueAt
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, dueAt - performance.now()))
    this.#timer.unref()
  }

  #tick(): void {
    this.#dueAt = Number.POSITIVE_INFINITY
    this.#lastAt = performance.now()
    const takenMs = stopwatch()
    try {
      this.#tell()
    } catch (error) {
      this.#options.onError(error)
    }
    this.#costMs = costOf(this.#costMs, takenMs())
    this.#arm(false)
  }

  #tell(): void {
    const { sources } = this.#options
    const found = sources.map((source) => source.refresh())
    const moment: Moment = {
      at: Date.now(),
      tree: this.tree,
      common: Object.assign({}, ...found.map(({ common }) => common)) as Common,
      events: found.flatMap(({ events }) => events),
      sampled: Math.max(1, ...found.map(({ sampled }) => sampled)),
      skipped: found.reduce((sum, { skipped }) => sum + skipped, 0),
    }
    for (const page of [...this.#pages]) page.tell(moment)
    for (const source of sources) source.looked()
  }
}

/** What this thread has had of the processor since then, as closely as Node tells: never more than has gone by (ms). */
function stopwatch(): () => number {
  const cpu = process.threadCpuUsage ?? process.cpuUsage
  const [begun, before] = [performance.now(), cpu.call(process)]
  return () => {
    const { user, system } = cpu.call(process, before)
    return Math.min((user + system) / 1_000, performance.now() - begun)
  }
}

/** Trees beside each other: ids of one are not those of another. */
function joined(trees: readonly ActorTree[]): ActorTree {
  const first = <Found>(find: (tree: ActorTree) => Found | undefined): Found | undefined => {
    for (const tree of trees) {
      const found = find(tree)
      if (found !== undefined) return found
    }
    return undefined
  }
  return {
    roots: () => trees.flatMap((tree) => tree.roots()),
    row: (id) => first((tree) => tree.row(id)),
    list: (parent, offset, limit, filter) => first((tree) => tree.list(parent, offset, limit, filter)),
  }
}

function firstOf(sources: readonly Source[], find: (source: Source) => unknown): unknown {
  for (const source of sources) {
    const found = find(source)
    if (found !== undefined) return found
  }
  return undefined
}
