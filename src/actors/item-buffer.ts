/**
 * Items that wait for a queue worker: a bounded FIFO, and behind it whoever waits for room.
 *
 * One doubly linked list holds both: the first `size` entries are **accepted**, the rest belong to putters
 * that still **wait**. An entry that is taken makes room for the first of them, so order is the order of
 * the calls, nobody overtakes, and every operation is O(1).
 *
 * Nothing leaves silently: an item is taken by the worker, handed back by `clear`, or was never accepted
 * and its putter is told (`refuse`).
 */

/** Who waits until its item was accepted. */
export interface Putter {
  accepted(): void
  refused(error: unknown): void
}

/** Who waits for what becomes of its item. */
export interface ItemWatcher {
  done(value: unknown): void
  /** Its run did not finish, or the item was handed back. */
  failed(error: unknown): void
}

/** One item on its way. */
export class ItemEntry<Item> {
  readonly item: Item
  readonly watcher: ItemWatcher | undefined
  /** Set while it waits for room. */
  putter: Putter | undefined
  prev: ItemEntry<Item> | undefined = undefined
  next: ItemEntry<Item> | undefined = undefined

  constructor(item: Item, watcher: ItemWatcher | undefined, putter: Putter | undefined) {
    this.item = item
    this.watcher = watcher
    this.putter = putter
  }
}

export class ItemBuffer<Item> {
  /** Accepted items. May be above `capacity` after a shrink, and by items that go ahead of the limit. */
  size = 0
  /** Putters that wait for room. */
  waiting = 0
  #capacity: number
  #head: ItemEntry<Item> | undefined = undefined
  #tail: ItemEntry<Item> | undefined = undefined
  #firstWaiting: ItemEntry<Item> | undefined = undefined

  /** @param capacity - from 1 on; infinite: without bound */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get capacity(): number {
    return this.#capacity
  }

  /** A smaller one takes nothing away; a larger one lets waiting putters in. */
  set capacity(capacity: number) {
    this.#capacity = capacity
    this.#letIn()
  }

  get hasRoom(): boolean {
    return this.size < this.#capacity
  }

  /** Accepts the item, unless there is no room. */
  offer(item: Item, watcher?: ItemWatcher): boolean {
    // Whoever waits is first; with room there is nobody.
    if (!this.hasRoom) return false
    this.#append(new ItemEntry(item, watcher, undefined))
    this.size += 1
    return true
  }

  /** Accepts the item whatever the capacity says, ahead of those that wait for room. */
  force(item: Item, watcher?: ItemWatcher): void {
    this.#insert(new ItemEntry(item, watcher, undefined), this.#firstWaiting)
    this.size += 1
  }

  /**
   * For whom there was no room: the putter is told when the item was accepted.
   *
   * @returns a handle for `giveUp`
   */
  wait(item: Item, putter: Putter, watcher?: ItemWatcher): ItemEntry<Item> {
    const entry = new ItemEntry(item, watcher, putter)
    this.#append(entry)
    this.#firstWaiting ??= entry
    this.waiting += 1
    return entry
  }

  /** The putter does not want to wait any more. False when its item has been accepted. */
  giveUp(entry: ItemEntry<Item>): boolean {
    if (entry.putter === undefined) return false
    entry.putter = undefined
    if (this.#firstWaiting === entry) this.#firstWaiting = entry.next
    this.#unlink(entry)
    this.waiting -= 1
    return true
  }

  /** The oldest accepted entry; whoever waits moves up. */
  take(): ItemEntry<Item> | undefined {
    const entry = this.#head
    if (entry === undefined || this.size === 0) return undefined
    this.#unlink(entry)
    this.size -= 1
    if (this.#firstWaiting !== undefined) this.#letIn()
    return entry
  }

  /** An entry that was taken for nothing goes back to where it was, whatever the capacity says. */
  takeBack(entry: ItemEntry<Item>): void {
    this.#insert(entry, this.#head)
    this.size += 1
  }

  /** Every accepted entry, oldest first. Putters that wait are not let in: tell them with `refuse`. */
  clear(): ItemEntry<Item>[] {
    const entries: ItemEntry<Item>[] = []
    while (this.size > 0 && this.#head !== undefined) {
      entries.push(this.#head)
      this.#unlink(this.#head)
      this.size -= 1
    }
    return entries
  }

  /** Whoever waits is told that its item will not be accepted. */
  refuse(error: unknown): void {
    // A putter may put again when it is told: that one is not among these.
    const entries: ItemEntry<Item>[] = []
    for (let entry = this.#firstWaiting; entry !== undefined; entry = entry.next) entries.push(entry)
    for (const entry of entries) {
      const { putter } = entry
      if (this.giveUp(entry)) putter?.refused(error)
    }
  }

  #letIn(): void {
    while (this.hasRoom && this.#firstWaiting !== undefined) {
      const entry = this.#firstWaiting
      const { putter } = entry
      this.#firstWaiting = entry.next
      entry.putter = undefined
      this.waiting -= 1
      this.size += 1
      putter?.accepted()
    }
  }

  #append(entry: ItemEntry<Item>): void {
    this.#insert(entry, undefined)
  }

  /** @param before - `undefined`: at the end */
  #insert(entry: ItemEntry<Item>, before: ItemEntry<Item> | undefined): void {
    const prev = before === undefined ? this.#tail : before.prev
    entry.prev = prev
    entry.next = before
    if (prev === undefined) this.#head = entry
    else prev.next = entry
    if (before === undefined) this.#tail = entry
    else before.prev = entry
  }

  #unlink(entry: ItemEntry<Item>): void {
    const { prev, next } = entry
    if (prev === undefined) this.#head = next
    else prev.next = next
    if (next === undefined) this.#tail = prev
    else next.prev = prev
    entry.prev = entry.next = undefined
  }
}
