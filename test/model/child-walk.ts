/** The machines of supervision, walked. */
import type { SnapshotFrom } from 'xstate'
import { type ChildContext, type ChildEvent, childMachine } from '../../src/machines/child.ts'
import {
  type ChildEnded,
  type ChildGroupContext,
  type ChildGroupEvent,
  type ChildGroupInput,
  childGroupMachine,
} from '../../src/machines/child-group.ts'
import type { ChildExit, RestartType, Strategy } from '../../src/machines/restart.ts'
import { type WalkEdge, walkMachine } from '../../src/runtime/testing/machine-walk.ts'

export type ChildEdge = WalkEdge<SnapshotFrom<typeof childMachine>, ChildEvent>
export type ChildGroupEdge = WalkEdge<SnapshotFrom<typeof childGroupMachine>, ChildGroupEvent>

const EXITS: readonly ChildExit[] = [
  { kind: 'done', output: 1 },
  { kind: 'failed', error: 'broken' },
  { kind: 'stopped' },
]

export const CHILD_EVENTS: readonly ChildEvent[] = [
  { type: 'child.outside' },
  { type: 'child.start' },
  { type: 'child.stop' },
  { type: 'child.restart' },
  { type: 'child.hold' },
  { type: 'child.remove' },
  { type: 'child.backOff', delayMs: 100 },
  { type: 'child.backOff', delayMs: Number.POSITIVE_INFINITY },
  { type: 'child.hurry' },
  { type: 'child.bound' },
  { type: 'child.kill' },
  { type: 'child.ready' },
  ...EXITS.map((exit) => ({ type: 'child.exited', exit }) as const),
  { type: 'timer.signal' },
  { type: 'timer.shutdown' },
  { type: 'timer.backoff' },
]

/** Restarts are counted without end: the walk tells the first one from none. */
const projectChild = ({ exit, sequel, step, restarts, delayMs }: ChildContext): string =>
  [exit?.kind, sequel, step, Math.min(restarts, 1), delayMs].join()

export const CHILD_WALK = { input: undefined, events: CHILD_EVENTS, project: projectChild, limit: 50_000 }

export function walkChild(): ChildEdge[] {
  return walkMachine(childMachine, CHILD_WALK)
}

const ended = (
  id: string,
  restartType: RestartType,
  exit: ChildExit,
  facts: Partial<ChildEnded> = {},
): ChildEnded => ({
  type: 'child.ended',
  child: { id, restartType },
  exit,
  at: 0,
  calmMs: 0,
  isAffected: false,
  isStartFailure: false,
  isUnwanted: false,
  account: 'shared',
  ...facts,
})

const [DONE, FAILED] = EXITS as [ChildExit, ChildExit]

export const GROUP_EVENTS: readonly ChildGroupEvent[] = [
  { type: 'group.start' },
  { type: 'group.stop' },
  { type: 'group.hurry' },
  { type: 'group.kill' },
  { type: 'group.remove' },
  ended('p', 'permanent', FAILED),
  ended('p', 'permanent', DONE),
  ended('t', 'transient', FAILED),
  ended('t', 'transient', DONE),
  ended('x', 'temporary', FAILED),
  ended('p', 'permanent', FAILED, { isAffected: true }),
  ended('p', 'permanent', FAILED, { isStartFailure: true }),
  ended('p', 'permanent', FAILED, { isUnwanted: true }),
  ended('o', 'permanent', FAILED, { account: 'own' }),
  ended('o', 'permanent', FAILED, { account: 'spent' }),
  ended('o', 'permanent', FAILED, { account: 'spent', isUnwanted: true }),
  { type: 'child.settled' },
  { type: 'work.done' },
  { type: 'timer.backoff' },
  { type: 'xstate.done.actor.*' },
  { type: 'xstate.error.actor.*' },
]

export const GROUP_INPUTS: readonly ChildGroupInput[] = (
  ['one-for-one', 'one-for-all', 'rest-for-one'] as Strategy[]
).flatMap((strategy) => [0, 1, 2].map((intensity) => ({ strategy, intensity, periodMs: 100 })))

export const projectGroup = ({ times, failure }: ChildGroupContext): string =>
  [times.length, failure?.reason, failure?.child.id].join()

export function walkGroup(input: ChildGroupInput): ChildGroupEdge[] {
  return walkMachine(childGroupMachine, { input, events: GROUP_EVENTS, project: projectGroup, limit: 50_000 })
}
