/**
 * The messages of Stately's inspector, as `@statelyai/inspect` sends and receives them over a WebSocket: JSON, one a
 * frame. Pure.
 */
import type { StateValue } from 'xstate'

/** Of `@statelyai/inspect`, whose messages these are. */
const VERSION = '0.7.2'

interface Base {
  /** Id of the actor. */
  readonly sessionId: string
  readonly rootId: string
  /** Epoch ms as text. */
  readonly createdAt: string
  /** Of the message. */
  readonly id: string
  readonly _version: string
}

export interface StatelySnapshot {
  readonly status: 'active' | 'done'
  readonly value: StateValue
  readonly context: Readonly<Record<string, unknown>>
}

interface StatelyActor extends Base {
  readonly type: '@xstate.actor'
  readonly name: string
  readonly parentId: string | undefined
  /** JSON of the machine. */
  readonly definition: string | undefined
  readonly snapshot: StatelySnapshot
}

interface StatelyEvent extends Base {
  readonly type: '@xstate.event'
  readonly sourceId: string | undefined
  readonly event: { readonly type: string }
}

interface StatelyStep extends Base {
  readonly type: '@xstate.snapshot'
  readonly event: { readonly type: string }
  readonly snapshot: StatelySnapshot
}

export type StatelyMessage = StatelyActor | StatelyEvent | StatelyStep

/** What all messages have. */
export function base(sessionId: string, rootId: string, at: number, number: number): Base {
  return { sessionId, rootId, createdAt: String(Math.round(at)), id: String(number), _version: VERSION }
}

/** A dotted path as XState has it: `{ running: 'executing' }`. Of parallel regions, those of all of them. */
export function toStateValue(path: string): StateValue {
  const paths = path.split(', ')
  if (paths.length === 1 && !path.includes('.')) return path
  const value: Record<string, StateValue> = {}
  for (const one of paths) {
    const [first = '', ...rest] = one.split('.')
    const inner = rest.length === 0 ? {} : toStateValue(rest.join('.'))
    const before = value[first]
    value[first] = before === undefined ? inner : merged(before, inner)
  }
  return value
}

function merged(one: StateValue, other: StateValue): StateValue {
  if (typeof one !== 'object' || typeof other !== 'object') return other
  const both: Record<string, StateValue> = { ...(one as Record<string, StateValue>) }
  for (const [key, inner] of Object.entries(other)) {
    const before = both[key]
    both[key] = before === undefined || inner === undefined ? (inner as StateValue) : merged(before, inner)
  }
  return both
}
