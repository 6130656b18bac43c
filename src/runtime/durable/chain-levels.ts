/**
 * A chain in a durable queue: the row of a task is always the step that is due. The calls that come after it stand beside the
 * row, each by itself, the next one first, so that a step costs the same however long its chain is. Which of them belong
 * together is said by levels: one for each chain that is under way inside of another, the innermost last.
 *
 * - `enter`: a call is due. If it is a chain, its level is pushed and its first call is due instead; the others stand before all
 *   that stood there.
 * - `advance`: the step has its value. The innermost level that has a call left makes it due; one that has none is
 *   over, and was one step of the level above. Without any level the chain has ended, and this value is its result.
 *
 * The calls are JSON and need no definition: a daemon hands on what it does not know. Only the last step of all of its levels
 * can go on for ever, and there a level without calls takes the place of the one above: what is stored never grows with the
 * number of steps.
 */
import { type CallJson, fromCallTag } from './stored-json.ts'

/** The name of what `chain` calls. */
export const CHAIN_NAME = 'stateward.chain'

export interface ChainLevel {
  /** So many of the calls that stand after the one that is due are of this level. */
  readonly left: number
  /** Steps made. */
  readonly done: number
  readonly total: number
  /** Run options of the chain and those around it, for steps that do not say otherwise. */
  readonly options?: object
}

/** What is due, and within what. */
export interface Due {
  readonly call: CallJson
  readonly levels: readonly ChainLevel[]
  /** Tagged calls that come after it, before all that stand there already. */
  readonly after: readonly unknown[]
}

export function enter(levels: readonly ChainLevel[], call: CallJson): Due {
  let due: Due = { call, levels, after: [] }
  while (due.call.name === CHAIN_NAME) {
    const { options, input } = due.call
    const [first, ...rest] = (input as { readonly calls: readonly unknown[] }).calls
    const outer = due.levels.at(-1)?.options
    const common = options === undefined && outer === undefined ? {} : { options: { ...outer, ...options } }
    const level = { left: rest.length, done: 0, total: rest.length + 1, ...common }
    due = { call: fromCallTag(first), levels: push(due.levels, level), after: [...rest, ...due.after] }
  }
  return due
}

/** Whether a call stands after the one that is due. */
export function hasNext(levels: readonly ChainLevel[]): boolean {
  return levels.some(({ left }) => left > 0)
}

/** @param next - the tagged call that stood after the step whose value is there; it stands there no more */
export function advance(levels: readonly ChainLevel[], next: unknown): Due {
  const at = levels.findLastIndex(({ left }) => left > 0)
  const level = levels[at] as ChainLevel
  const advanced = { ...level, left: level.left - 1, done: level.done + 1 }
  return enter([...levels.slice(0, at), advanced], fromCallTag(next))
}

/** How far the whole is, 0 to 100, when the step that is due is `percent` far. */
export function percentWithin(levels: readonly ChainLevel[], percent: number): number {
  const part = levels.reduceRight((inner, { done, total }) => (done + inner) / total, percent / 100)
  return Math.min(100, Math.max(0, part * 100))
}

/** @returns the levels with options that hold for the step that is due and what it goes on with; those around it are in them */
export function withOptions(levels: readonly ChainLevel[], options: object): readonly ChainLevel[] {
  if (Object.keys(options).length === 0) return levels
  return push(levels, { left: 0, done: 0, total: 1, options })
}

function push(levels: readonly ChainLevel[], level: ChainLevel): readonly ChainLevel[] {
  const last = levels.at(-1)
  if (last?.left !== 0) return [...levels, level]
  return [...levels.slice(0, -1), { ...level, ...within(last, level) }]
}

/** Steps are counted no finer than this: a chain may go on with chains for ever. */
const FINEST = 1e9

/** Both levels as one, of which the outer one makes its last step. */
function within(outer: ChainLevel, inner: ChainLevel): { done: number; total: number } {
  const total = outer.total * inner.total
  const done = outer.done * inner.total + inner.done
  if (total <= FINEST) return { done, total }
  return { done: Math.min(FINEST - inner.total, Math.floor((done / total) * FINEST)), total: FINEST }
}

/** A level as rows had it while a table for the calls was not there: with the text of its own. */
export interface OldChainLevel extends Omit<ChainLevel, 'left'> {
  readonly rest: string
}

/** Levels as they are now, with the calls that stood in old ones. */
export function currentLevels(
  levels: readonly (ChainLevel | OldChainLevel)[],
): Pick<Due, 'levels'> & Partial<Pick<Due, 'after'>> {
  if (!levels.some((level) => 'rest' in level)) return { levels: levels as readonly ChainLevel[] }
  const after: unknown[] = []
  const current = levels.map((level): ChainLevel => {
    if (!('rest' in level)) return level
    const { rest, ...others } = level
    const calls = JSON.parse(rest) as unknown[]
    after.unshift(...calls)
    return { ...others, left: calls.length }
  })
  return { levels: current, after }
}
