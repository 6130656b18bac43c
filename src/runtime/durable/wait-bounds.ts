/**
 * Until when a stored task may wait, as far as it is known when it is stored: what its options say, else its definition. What
 * only the supervisor of a daemon says is seen when that has claimed the task.
 */
import type { AnyDefinition } from '../../actors/definition.ts'
import type { WaitBounds } from '../../machines/overdue.ts'
import type { TaskDefinition } from '../define-task.ts'
import { fromFinite } from './stored-json.ts'
import { expiryOf, type StoredChain, type StoredRunOptions, stepOptions } from './stored-options.ts'

type Bounds = Pick<StoredRunOptions, 'queueTimeoutMs' | 'deadlineMs' | 'expiresAt'>

const UNKNOWN = {} as AnyDefinition

/**
 * @param options - of the call, as they are given or as JSON has them
 * @param chain - what it is a step of
 * @param definition - `undefined` when it is not known here
 * @returns `undefined` when it may wait for ever
 */
export function waitBounds(
  options: object | undefined,
  chain: StoredChain | undefined,
  definition: AnyDefinition = UNKNOWN,
): WaitBounds | undefined {
  const own = boundsIn(options)
  const all = chain === undefined ? own : stepOptions(own, onlyBounds(chain), definition)
  const usual = (definition as TaskDefinition).options ?? {}
  const { queueTimeoutMs = usual.queueTimeoutMs, deadlineMs = usual.deadlineMs, expiresAt } = all ?? {}
  const bounds = {
    queueTimeoutMs: whole(queueTimeoutMs),
    deadlineMs: whole(deadlineMs === undefined ? undefined : deadlineMs + (chain?.stepAgeMs ?? 0)),
    expiresAt: whole(expiresAt === undefined ? undefined : expiryOf({ expiresAt })),
  }
  return Object.values(bounds).some((bound) => bound !== null) ? bounds : undefined
}

function onlyBounds({ levels, stepAgeMs, deadlineMs }: StoredChain): StoredChain {
  const last = levels.at(-1)
  return {
    levels: last === undefined ? [] : [{ ...last, options: boundsIn(last.options) }],
    stepAgeMs,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  }
}

/** JSON has no number for "never". */
function boundsIn(options: object | undefined): Bounds {
  if (options === undefined) return {}
  const { queueTimeoutMs, deadlineMs, expiresAt } = options as Bounds
  const given = { queueTimeoutMs, deadlineMs, expiresAt: expiresAt instanceof Date ? +expiresAt : expiresAt }
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(said.map(([option, value]) => [option, fromFinite(option, value)]))
}

/** Stores keep whole milliseconds, and what lies beyond all instants is never. */
function whole(ms: number | undefined): number | null {
  return ms === undefined || Number.isNaN(ms) || ms > 8.64e15 ? null : Math.max(-8.64e15, Math.ceil(ms))
}
