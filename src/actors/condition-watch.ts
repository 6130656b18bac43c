/**
 * Watches conditions: tells when one turns true.
 *
 * - `watching`: asked when it begins, when facts that it depends on have changed, and when time alone may have changed
 *   it. Nothing polls, save the `recheckMs` of condition functions.
 * - `closed`: for good.
 *
 * A condition that throws counts as false and is reported, once until it works again or throws something else.
 * A change that the condition's own function causes is looked at in the next turn, so that it cannot hold the loop.
 */
import { type Condition, mentions } from '../machines/condition.ts'
import type { ConditionOwner, Facts, Order } from '../machines/condition-facts.ts'
import { evaluate, nextChangeAt } from '../machines/condition-judge.ts'
import type { TimerOwner } from './armed-timers.ts'
import { FactBook, type FactSources } from './fact-book.ts'
import type { TaskFacts } from './task-facts.ts'

export interface ConditionWatch {
  /** Whether it is true now. */
  readonly holds: boolean
  close(): void
}

export interface InstantTimer {
  /** Epoch ms. */
  readonly due: number
}

/** Timers due at instants of the wall clock. */
export interface InstantTimers {
  arm(due: number, owner: TimerOwner, kind: string): InstantTimer
  cancel(timer: InstantTimer): boolean
}

export interface ConditionWatchesOptions extends Omit<FactSources, 'failed'> {
  readonly timers: InstantTimers
  /** A part of a condition threw. Must not throw. */
  onFailed(part: Condition, error: unknown, owner: string | undefined): void
}

/** What parts threw the last time, as text. */
type Failing = ReadonlyMap<Condition, string>

const NOTHING: Failing = new Map()

export class ConditionWatches {
  readonly facts: FactBook
  readonly #options: ConditionWatchesOptions
  /** By the parts that were asked without being watched. */
  readonly #failing = new WeakMap<Condition, Failing>()
  /** What the evaluation that runs now has found. */
  #failed: Map<Condition, unknown> | undefined = undefined

  constructor(options: ConditionWatchesOptions) {
    this.#options = options
    const failed: Facts['failed'] = (error, part) => {
      this.#failed ??= new Map()
      this.#failed.set(part, error)
    }
    this.facts = new FactBook({ ...options, failed })
  }

  /**
   * Watches a condition until it is closed. `onTrue` is called whenever it turns true: within this call if it is
   * true already, else from whatever changed it. It must not throw.
   * @param owner the definition that is to run, by name
   */
  watch(
    condition: Condition,
    owner: ConditionOwner | string | undefined,
    onTrue: () => void,
  ): ConditionWatch {
    const watch = new Watch(this, this.#options, condition, ownerOf(owner), onTrue)
    watch.look()
    return watch
  }

  /** Whether a condition is true now. */
  holds(condition: Condition, owner: ConditionOwner | string | undefined): boolean {
    const { task, since } = ownerOf(owner)
    this.require(condition, task)
    const failing = this.#failing.get(condition) ?? NOTHING
    const [holds, failingNow] = this.evaluate(condition, { task, since }, failing)
    if (failingNow !== failing) this.#failing.set(condition, failingNow)
    return holds
  }

  /** The present place in the order of things, for `ConditionOwner.since`. */
  mark(): Order {
    return this.facts.mark()
  }

  /** Has facts kept about all that the condition depends on. For watches only. */
  require(condition: Condition, task: string | undefined): TaskFacts[] {
    return [...mentions(condition, task)].map(([name, records]) => this.facts.watch(name, records))
  }

  /** For watches only. */
  evaluate(
    condition: Condition,
    owner: ConditionOwner,
    failing: Failing,
  ): readonly [holds: boolean, failing: Failing] {
    const outer = this.#failed
    this.#failed = undefined
    const holds = evaluate(condition, this.facts, owner)
    const failed = this.#failed as Map<Condition, unknown> | undefined
    this.#failed = outer
    if (failed === undefined) return [holds, NOTHING]
    const texts = new Map<Condition, string>()
    for (const [part, error] of failed) {
      texts.set(part, textOf(error))
      if (failing.get(part) !== texts.get(part)) this.#options.onFailed(part, error, owner.task)
    }
    return [holds, texts]
  }
}

class Watch implements ConditionWatch, TimerOwner {
  readonly #watches: ConditionWatches
  readonly #timers: InstantTimers
  readonly #condition: Condition
  readonly #owner: ConditionOwner
  readonly #onTrue: () => void
  readonly #facts: readonly TaskFacts[]
  readonly #onChange = (): void => this.look()
  #failing: Failing = NOTHING
  #timer: InstantTimer | undefined = undefined
  #phase: 'resting' | 'asking' | 'closed' = 'resting'
  /** Something has changed while it was asked. */
  #isStale = false
  holds = false

  constructor(
    watches: ConditionWatches,
    { timers }: ConditionWatchesOptions,
    condition: Condition,
    owner: ConditionOwner,
    onTrue: () => void,
  ) {
    this.#watches = watches
    this.#timers = timers
    this.#condition = condition
    this.#owner = owner
    this.#onTrue = onTrue
    this.#facts = watches.require(condition, owner.task)
    for (const facts of this.#facts) facts.watchers.add(this.#onChange)
  }

  look(): void {
    if (this.#phase !== 'resting') {
      this.#isStale = true
      return
    }
    const held = this.holds
    this.#phase = 'asking'
    ;[this.holds, this.#failing] = this.#watches.evaluate(this.#condition, this.#owner, this.#failing)
    // Its function may have closed it.
    if ((this.#phase as string) === 'closed') return
    this.#phase = 'resting'
    this.#arm()
    if (this.holds && !held) this.#onTrue()
  }

  onTimer(): void {
    this.#timer = undefined
    this.look()
  }

  close(): void {
    this.#phase = 'closed'
    for (const facts of this.#facts) facts.watchers.delete(this.#onChange)
    this.#disarm()
  }

  #arm(): void {
    const { facts } = this.#watches
    const due = this.#isStale ? facts.now : nextChangeAt(this.#condition, facts, this.#owner)
    this.#isStale = false
    if (this.#timer?.due === due) return
    this.#disarm()
    if (due !== Number.POSITIVE_INFINITY) this.#timer = this.#timers.arm(due, this, 'condition')
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#timers.cancel(this.#timer)
    this.#timer = undefined
  }
}

function ownerOf(owner: ConditionOwner | string | undefined): ConditionOwner {
  return typeof owner === 'object' ? owner : { task: owner }
}

function textOf(error: unknown): string {
  try {
    return String(error)
  } catch {
    return 'something that cannot be shown'
  }
}
