/**
 * Where a queue worker gets items by itself: an iterable, pulled one at a time and only while there is room.
 *
 * - `closed`: not opened, or told to end: its iterator was asked to `return`.
 * - `open`: pulls. `held`: pulls nothing, keeps its place for the next life of the worker.
 * - `ended`: there are no further items. `failed`: it threw, and the next opening begins anew.
 *
 * An item that was asked for before a close or hold is delivered all the same: whoever gets it keeps it.
 */

/** A source of items. One that is to be opened again must give a new iterator each time. */
export type ItemIterable<Item> = Iterable<Item> | AsyncIterable<Item>

/** What a source tells. No method throws. */
export interface SourceListener<Item> {
  readonly hasRoom: boolean
  item(item: Item): void
  ended(): void
  failed(error: unknown): void
  /** What `return()` of its iterator threw. */
  onError(error: unknown): void
}

type Step<Item> = IteratorResult<Item> | PromiseLike<IteratorResult<Item>>

export class ItemSource<Item> {
  readonly #iterable: ItemIterable<Item>
  readonly #listener: SourceListener<Item>
  #phase: 'closed' | 'open' | 'held' | 'ended' | 'failed' = 'closed'
  #iterator: { next(): Step<Item>; return?(): unknown } | undefined = undefined
  /** A `next()` of the iterator is under way. */
  #isAsking = false

  constructor(iterable: ItemIterable<Item>, listener: SourceListener<Item>) {
    this.#iterable = iterable
    this.#listener = listener
  }

  get hasEnded(): boolean {
    return this.#phase === 'ended'
  }

  /** Begins to pull, or goes on. One that has ended stays so. */
  open(): void {
    if (this.#phase === 'open' || this.#phase === 'ended') return
    if (this.#phase !== 'held') {
      try {
        const iterable = this.#iterable
        this.#iterator =
          Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]()
      } catch (error) {
        return this.#fail(error)
      }
    }
    this.#phase = 'open'
    this.pull()
  }

  /** Pulls as long as there is room. */
  pull(): void {
    while (this.#phase === 'open' && !this.#isAsking && this.#listener.hasRoom) this.#ask()
  }

  /** Pulls nothing until it is opened again, where it is. */
  hold(): void {
    if (this.#phase === 'open') this.#phase = 'held'
  }

  /** Ends the iterator, which may clean up. */
  close(): void {
    if (this.#phase !== 'open' && this.#phase !== 'held') return
    this.#phase = 'closed'
    const iterator = this.#iterator
    this.#iterator = undefined
    const onError = (error: unknown): void => this.#listener.onError(error)
    try {
      const returned = iterator?.return?.()
      if (returned instanceof Promise) returned.catch(onError)
    } catch (error) {
      onError(error)
    }
  }

  #ask(): void {
    const iterator = this.#iterator
    this.#isAsking = true
    let step: Step<Item> | undefined
    try {
      step = iterator?.next()
    } catch (error) {
      this.#isAsking = false
      return this.#fail(error)
    }
    if (step === undefined || !('then' in step)) return this.#take(iterator, step)
    step.then(
      (result) => {
        this.#take(iterator, result)
        this.pull()
      },
      (error: unknown) => {
        this.#isAsking = false
        if (iterator === this.#iterator) this.#fail(error)
        else this.#listener.onError(error)
      },
    )
  }

  /** @param iterator - the one that was asked; another one may have taken its place */
  #take(iterator: unknown, step: IteratorResult<Item> | undefined): void {
    this.#isAsking = false
    if (step !== undefined && step.done !== true) return this.#listener.item(step.value)
    if (iterator !== this.#iterator || this.#phase === 'closed') return
    this.#phase = 'ended'
    this.#iterator = undefined
    this.#listener.ended()
  }

  #fail(error: unknown): void {
    this.#phase = 'failed'
    this.#iterator = undefined
    this.#listener.failed(error)
  }
}
