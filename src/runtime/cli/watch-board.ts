/**
 * Shows tasks while they go on: on a terminal a bar for each, drawn over and over; elsewhere a line for each change.
 */
import { ENDED_STATES } from '../../machines/stored-task.ts'
import type { StoredTask } from '../durable/stored-task.ts'
import type { Output } from './cli-io.ts'
import { toProgress } from './task-lines.ts'

export interface WatchView {
  show(tasks: readonly StoredTask[]): void
}

export const hasEnded = ({ state }: Pick<StoredTask, 'state'>): boolean =>
  (ENDED_STATES as readonly string[]).includes(state)

const BAR_WIDTH = 24
const DEFAULT_COLUMNS = 80

/** Bars on a terminal. Cursor moves are ANSI; ended tasks stay above the bars of the others. */
export class BoardView implements WatchView {
  readonly #output: Output
  #drawn = 0
  readonly #told = new Set<string>()

  constructor(output: Output) {
    this.#output = output
  }

  show(tasks: readonly StoredTask[]): void {
    const ended = tasks.filter((task) => hasEnded(task) && !this.#told.has(task.id))
    for (const { id } of ended) this.#told.add(id)
    const live = tasks.filter((task) => !hasEnded(task))
    const lines = [...ended, ...live].map((task) => this.#line(task))
    const up = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A`
    this.#drawn = live.length
    this.#output.write(`${up}\u001b[J${lines.map((line) => `${line}\n`).join('')}`)
  }

  #line(task: StoredTask): string {
    const percent = task.state === 'finished' ? 100 : (task.progress?.percent ?? 0)
    const filled = Math.round((Math.min(100, Math.max(0, percent)) * BAR_WIDTH) / 100)
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`
    const note = task.progress?.note ?? ''
    const text = `${bar} ${String(Math.floor(percent)).padStart(3)} %  ${task.state.padEnd(10)} ${task.name} ${note}`
    // A line that wraps would be two, and the next drawing off by one.
    return printable(text).slice(0, (this.#output.columns ?? DEFAULT_COLUMNS) - 1)
  }
}

/** A line whenever the state, the attempt or the progress of a task is another. */
export class LineView implements WatchView {
  readonly #output: Output
  readonly #toText: (task: StoredTask) => string
  readonly #seen = new Map<string, string>()

  constructor(output: Output, toText: (task: StoredTask) => string) {
    this.#output = output
    this.#toText = toText
  }

  show(tasks: readonly StoredTask[]): void {
    for (const task of tasks) {
      const { id, state, attempt, step, progress } = task
      const now = JSON.stringify([state, attempt, step, progress])
      if (this.#seen.get(id) === now) continue
      this.#seen.set(id, now)
      this.#output.write(`${this.#toText(task)}\n`)
    }
  }
}

export function boardOrLines(output: Output): WatchView {
  return output.isTTY === true ? new BoardView(output) : new LineView(output, toWatchLine)
}

export function toWatchLine(task: StoredTask): string {
  const { id, name, state, attempt, error } = task
  const failure = error === undefined ? '' : `${error.name}: ${error.message}`
  const parts = [id, name, state, `attempt ${attempt}`, toProgress(task), failure]
  return printable(parts.filter((part) => part !== '').join('  '))
}

/** Without what would move the cursor. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ')
}
