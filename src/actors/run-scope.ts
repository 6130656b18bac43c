/**
 * Which run the code on the stack belongs to, across awaits and timers, and the values of that run.
 *
 * Following a run adds a third to what a short task costs; on older Node lines every promise pays for it. So nothing is followed until
 * somebody asks for it (`runContext()`, `lock()`): then one store is made, and every
 * handler that begins from then on, on this thread, runs in a scope of its own.
 *
 * A scope is made per attempt and never used again, with copies of its first values: nothing can leak into another run, or
 * into the next attempt. It ends with its handler; one that was given up goes on until it ends.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { copyOf } from './copy-of.ts'

/** Values of a run by their keys. */
export type RunValues = Readonly<Record<string, unknown>>

/** What code can know of the run that it belongs to. */
export interface CurrentRun {
  readonly runId: string
  readonly name: string
  /** Attempt number, from 1. */
  readonly attempt: number
  readonly supervisorId: string
}

/** One registry for all copies of this package on this thread: a task module may bring another copy than its runner. */
interface Registry {
  store: AsyncLocalStorage<RunScope> | undefined
  readonly copies: ((store: AsyncLocalStorage<RunScope>) => void)[]
}

const SCOPES: unique symbol = Symbol.for('stateward.scopes') as never
const place = globalThis as { [SCOPES]?: Registry }
place[SCOPES] ??= { store: undefined, copies: [] }
const registry: Registry = place[SCOPES]

/** Looked at for every attempt; a look at the global object would cost a tenth of a short task. */
let store = registry.store
registry.copies.push((made) => {
  store = made
})

/** One attempt as its handler, and whatever that calls, sees it. */
export class RunScope {
  readonly #ctx: Omit<CurrentRun, 'supervisorId'>
  readonly #supervisorId: string
  #run: CurrentRun | undefined
  /** Made when something is set. */
  #values: Map<string, unknown> | undefined
  /** What is to be done at its end. */
  #atEnd: Set<() => void> | undefined
  #hasEnded = false
  readonly #initial: RunValues | undefined

  constructor(ctx: Omit<CurrentRun, 'supervisorId'>, supervisorId: string, initial: RunValues | undefined) {
    this.#ctx = ctx
    this.#supervisorId = supervisorId
    this.#initial = initial
  }

  /** Made when it is asked for: an id costs. */
  get run(): CurrentRun {
    if (this.#run === undefined) {
      const { runId, name, attempt } = this.#ctx
      this.#run = { runId, name, attempt, supervisorId: this.#supervisorId }
    }
    return this.#run
  }

  get values(): Map<string, unknown> {
    this.#values ??= new Map(Object.entries(copyOf(this.#initial ?? {})))
    return this.#values
  }

  /** What a child starts with: what is held at this moment. */
  get inheritance(): RunValues | undefined {
    if (this.#values === undefined) return this.#initial
    return this.#values.size === 0 ? undefined : copyOf(Object.fromEntries(this.#values))
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** @returns a function that takes `act` away again */
  atEnd(act: () => void): () => void {
    this.#atEnd ??= new Set()
    this.#atEnd.add(act)
    return () => void this.#atEnd?.delete(act)
  }

  /** The handler has ended. */
  end(): void {
    this.#hasEnded = true
    for (const act of this.#atEnd ?? []) act()
    this.#atEnd = undefined
  }
}

/** The store, once somebody asked for it on this thread. */
export function scopes(): AsyncLocalStorage<RunScope> | undefined {
  return store
}

/** From now on handlers that begin on this thread are followed. */
export function followRuns(): AsyncLocalStorage<RunScope> {
  if (registry.store === undefined) {
    registry.store = new AsyncLocalStorage<RunScope>()
    for (const tell of registry.copies) tell(registry.store)
  }
  return registry.store
}
