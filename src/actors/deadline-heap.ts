/**
 * A min-heap of deadlines, most of which are cancelled long before they are due.
 *
 * Cancelling only marks an entry dead; dead entries are skipped at the head and swept out when they
 * are more than half of the heap, so both pushing a later deadline and cancelling cost amortised O(1).
 */
import TinyQueue from 'tinyqueue'

/** What the heap reads of an entry. Entries with the same `due` keep the order of their `seq`. */
export interface DeadlineEntry {
  readonly due: number
  readonly seq: number
  readonly live: boolean
}

/** Below this many dead entries a sweep is not worth its call. */
const SWEEP_MIN = 64

function compare(a: DeadlineEntry, b: DeadlineEntry): number {
  return a.due - b.due || a.seq - b.seq
}

export class DeadlineHeap<Entry extends DeadlineEntry> {
  #queue: TinyQueue<Entry> = new TinyQueue<Entry>([], compare)
  #live = 0

  /** Live entries. */
  get size(): number {
    return this.#live
  }

  /** Entries held in memory, dead ones included. */
  get held(): number {
    return this.#queue.length
  }

  push(entry: Entry): void {
    this.#live++
    this.#queue.push(entry)
  }

  /** The live entry that is due first. */
  peek(): Entry | undefined {
    for (;;) {
      const entry = this.#queue.peek()
      if (entry === undefined || entry.live) return entry
      this.#queue.pop()
    }
  }

  /** Removes the live entry that is due first; the caller marks it dead. */
  pop(): Entry | undefined {
    const entry = this.peek()
    if (entry === undefined) return undefined
    this.#queue.pop()
    this.#live--
    this.#sweep()
    return entry
  }

  /** To be called after a live entry of this heap was marked dead. */
  cancelled(): void {
    this.#live--
    this.#sweep()
  }

  /** Empties the heap and returns what was live, in no particular order. */
  clear(): Entry[] {
    const entries = this.#queue.data.filter((entry) => entry.live)
    this.#queue = new TinyQueue<Entry>([], compare)
    this.#live = 0
    return entries
  }

  #sweep(): void {
    const dead = this.#queue.length - this.#live
    if (dead <= this.#live || (dead <= SWEEP_MIN && this.#live > 0)) return
    const live = this.#live === 0 ? [] : this.#queue.data.filter((entry) => entry.live)
    this.#queue = new TinyQueue(live, compare)
  }
}
