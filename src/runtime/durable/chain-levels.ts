/**
 * A chain in a durable queue: the row of a task is always the step that is due, and what comes after it stands beside it,
 * one level for each chain that is under way inside of another, the innermost last.
 *
 * - `enter`: a call is due. If it is a chain, its level is pushed and its first call is due instead.
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
  /** JSON text of the tagged calls after the one that is due. */
  readonly rest: string
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
}

const NOTHING = '[]'

export function enter(levels: readonly ChainLevel[], call: CallJson): Due {
  let due: Due = { call, levels }
  while (due.call.name === CHAIN_NAME) {
    const { options, input } = due.call
    const [first, ...rest] = (input as { readonly calls: readonly unknown[] }).calls
    const outer = due.levels.at(-1)?.options
    const common = options === undefined && outer === undefined ? {} : { options: { ...outer, ...options } }
    const level = { rest: JSON.stringify(rest), done: 0, total: rest.length + 1, ...common }
    due = { call: fromCallTag(first), levels: push(due.levels, level) }
  }
  return due
}

/** @returns `undefined` when the last step of all was made */
export function advance(levels: readonly ChainLevel[]): Due | undefined {
  const at = levels.findLastIndex(({ rest }) => rest !== NOTHING)
  const level = levels[at]
  if (level === undefined) return undefined
  const [first, ...rest] = JSON.parse(level.rest) as unknown[]
  const advanced = { ...level, rest: JSON.stringify(rest), done: level.done + 1 }
  return enter([...levels.slice(0, at), advanced], fromCallTag(first))
}

/** How far the whole is, 0 to 100, when the step that is due is `percent` far. */
export function percentWithin(levels: readonly ChainLevel[], percent: number): number {
  const part = levels.reduceRight((inner, { done, total }) => (done + inner) / total, percent / 100)
  return Math.min(100, Math.max(0, part * 100))
}

/** @returns the levels with options that hold for the step that is due and what it goes on with; those around it are in them */
export function withOptions(levels: readonly ChainLevel[], options: object): readonly ChainLevel[] {
  if (Object.keys(options).length === 0) return levels
  return push(levels, { rest: NOTHING, done: 0, total: 1, options })
}

function push(levels: readonly ChainLevel[], level: ChainLevel): readonly ChainLevel[] {
  const last = levels.at(-1)
  if (last?.rest !== NOTHING) return [...levels, level]
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
