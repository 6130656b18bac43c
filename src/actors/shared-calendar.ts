/**
 * A calendar that many workers share: what it has found once, it knows for all of them. Between two occurrences
 * everybody asks for the same next one.
 */
import type { Calendar } from './calendar.ts'

export class SharedCalendar implements Calendar {
  readonly text: string
  readonly timezone: string
  readonly #calendar: Calendar
  /** `#next` is the first occurrence after every instant from `#after` on. */
  #after = Number.NaN
  #next: number | undefined = undefined

  constructor(calendar: Calendar) {
    this.#calendar = calendar
    this.text = calendar.text
    this.timezone = calendar.timezone
  }

  next(after: number): number | undefined {
    if (after >= this.#after && (this.#next === undefined || after < this.#next)) return this.#next
    this.#next = this.#calendar.next(after)
    this.#after = after
    return this.#next
  }
}
