/** Values over the last minutes, one point a second: of several in one second the last one counts. */

/** How long a point is kept. */
export const WINDOW_MS = 5 * 60_000
const STEP_MS = 1_000

/** Of those that are shown (s). */
const WINDOWS = [60, 120, WINDOW_MS / 1_000]

/** The shortest one that holds so many seconds. */
export function windowOf(seconds: number): number {
  return WINDOWS.find((window) => window >= seconds) ?? WINDOW_MS / 1_000
}

export class Series<Name extends string> {
  readonly #names: readonly Name[]
  /** Epoch seconds. */
  #times: number[] = []
  #values: Record<Name, (number | null)[]>

  constructor(names: readonly Name[]) {
    this.#names = names
    this.#values = this.#empty()
  }

  get times(): readonly number[] {
    return this.#times
  }

  of(name: Name): readonly (number | null)[] {
    return this.#values[name]
  }

  /** @param at - epoch ms; never before an earlier one */
  add(at: number, point: Readonly<Record<Name, number | null>>): void {
    const second = Math.floor(at / STEP_MS)
    if (this.#times.at(-1) === second) this.#drop('last')
    this.#times.push(second)
    for (const name of this.#names) this.#values[name].push(point[name])
    while ((this.#times[0] ?? second) < second - WINDOW_MS / STEP_MS) this.#drop('first')
  }

  clear(): void {
    this.#times = []
    this.#values = this.#empty()
  }

  #drop(which: 'first' | 'last'): void {
    const act = which === 'first' ? 'shift' : 'pop'
    this.#times[act]()
    for (const name of this.#names) this.#values[name][act]()
  }

  #empty(): Record<Name, (number | null)[]> {
    return Object.fromEntries(this.#names.map((name) => [name, []])) as never
  }
}
