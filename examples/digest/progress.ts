/**
 * Shows how far the job is: a bar that is drawn over itself on a terminal, a line a second elsewhere.
 * It reads the tally at its own pace and is told nothing but to begin and to end.
 */
import { formatBytes, formatCount } from './format.ts'
import type { Tally } from './tally.ts'

/** Where progress is shown: stderr, normally. */
export interface ProgressOutput {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const BAR_INTERVAL_MS = 100
const LINE_INTERVAL_MS = 1_000
const BAR_CELLS = 24
const CLEAR_LINE = '\r\u001B[K'

export class ProgressDisplay {
  readonly #tally: Tally
  readonly #out: ProgressOutput
  readonly #startedAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  #shown = ''

  constructor(tally: Tally, out: ProgressOutput) {
    this.#tally = tally
    this.#out = out
  }

  begin(): void {
    this.#timer ??= setInterval(() => this.#show(), this.#isBar ? BAR_INTERVAL_MS : LINE_INTERVAL_MS)
    if (this.#isBar) this.#show()
  }

  /** Writes a line of its own, above the bar. */
  say(line: string): void {
    this.#out.write(this.#isBar ? `${CLEAR_LINE}${line}\n${this.#shown}` : `${line}\n`)
  }

  /** Leaves the terminal as it was, or the last state as the last line. */
  end(): void {
    clearInterval(this.#timer)
    if (this.#timer === undefined) return
    this.#timer = undefined
    if (this.#isBar) this.#out.write(CLEAR_LINE)
    else this.#show()
  }

  get #isBar(): boolean {
    return this.#out.isTTY === true
  }

  #show(): void {
    const { done, found, bytesSeen } = this.#tally
    const share = found.bytes === 0 ? 0 : Math.min(1, bytesSeen / found.bytes)
    const facts =
      `${String(Math.floor(100 * share)).padStart(3)} %  ` +
      `${formatCount(done.files)}/${formatCount(found.files)} files  ` +
      `${formatBytes(bytesSeen)}/${formatBytes(found.bytes)}  ` +
      `${((performance.now() - this.#startedAt) / 1000).toFixed(1)} s`
    if (!this.#isBar) {
      this.#out.write(`${facts.trimStart()}\n`)
      return
    }
    const filled = Math.round(share * BAR_CELLS)
    const line = `${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)} ${facts}`
    // A line that wraps could not be drawn over.
    this.#shown = line.slice(0, Math.max(1, (this.#out.columns || 80) - 1))
    this.#out.write(CLEAR_LINE + this.#shown)
  }
}
