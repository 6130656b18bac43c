/**
 * `compile(machine)`: a statechart laid out flat. It makes the same snapshots and asks for the same
 * effects in the same order as XState's interpreter, at a fraction of the cost, because everything that
 * depends on the machine alone is worked out once: for each atomic state and event the transitions that
 * can be taken, and for each of those its guard, its exit, transition and entry actions in one list, and
 * the state it leads to. A step is then a look-up, the guards, one pass over a list.
 *
 * Supports: atomic, compound and final states; `on` with exact, `prefix.*` and `*` descriptors, guarded
 * candidates, relative, child, sibling and `#id` targets, no target, `reenter`, forbidden transitions;
 * `always`; entry, exit and initial actions; `onDone` and `xstate.done.state.*` of compound states; output
 * of states and machine; context from input; named and inline guards with static or computed parameters,
 * `and`, `or`, `not`; named and inline actions with parameters, `assign`, undelayed `raise`, `emit`; tags,
 * meta, `maxIterations`; implementations given by `provide`.
 *
 * Refuses, by name and at compile time: parallel states, history, `invoke`, `after`, `route`, more than
 * one target, `spawnChild`, `stopChild`, `sendTo`, `cancel`, `log`, `enqueueActions`, delayed `raise`,
 * `stateIn`, guards without implementation, and any property it does not know. `spawn` throws when called.
 *
 * Differs from the interpreter: no `@xstate.microstep` inspection events; `value`, `tags`, `children` and
 * `historyValue` are frozen and shared; an update that returns the very context it was given keeps it, and
 * one that returns a whole context drops symbol keys it does not name; an event of type `*` is an ordinary
 * one, as in XState's production build; a guard's error has the original as its `cause`.
 *
 * It may be trusted because `test/machines/compile.differential.test.ts` drives it side by side with the
 * interpreter, over machines written for every feature and over random ones.
 */
import type {
  ActorLogic,
  AnyActorScope,
  AnyStateMachine,
  AnyStateNode,
  ContextFrom,
  EmittedFrom,
  EventFromLogic,
  EventObject,
  ExecutableActionObject,
  InputFrom,
  Snapshot,
  SnapshotFrom,
} from 'xstate'
import type { Context, Sink } from './compile-action.ts'
import type { Leaf } from './compile-leaf.ts'
import { layOut, type Program } from './compile-program.ts'
import { CompiledSnapshot, flatten } from './compile-snapshot.ts'
import { advance, begin } from './compile-step.ts'

/**
 * Receives every effect of a step, in the interpreter's order: `type` is the action's name, `params` are
 * resolved, `context` is as it was when the action was reached.
 */
export type Execute<TContext = unknown, TEvent = unknown> = (
  type: string,
  params: unknown,
  context: TContext,
  event: TEvent,
) => void

/** Snapshots of a compiled machine: they read like the interpreter's. */
export type SnapshotOf<TMachine extends AnyStateMachine> = SnapshotFrom<TMachine> & Snapshot<unknown>

/** A compiled machine: logic for `createActor`, and a pure pair of functions for hot callers. */
export interface CompiledLogic<TMachine extends AnyStateMachine>
  extends ActorLogic<
    SnapshotOf<TMachine>,
    EventFromLogic<TMachine>,
    InputFrom<TMachine>,
    AnyActorScope['system'],
    EmittedFrom<TMachine>
  > {
  /** The machine it was made of. */
  readonly machine: TMachine
  /** The configuration of that machine, for inspectors that draw it. */
  readonly config: TMachine['config']
  /** Every atomic state as a dotted path from the root, in document order. */
  readonly states: readonly string[]
  /** Position of the snapshot's atomic state in `states`: an array index where `value` needs a comparison. */
  indexOf(snapshot: SnapshotFrom<TMachine>): number
  /**
   * Pure: the snapshot at rest after entering the initial state. Actions are reported to `execute` in order
   * and not run; `emit` comes as type `xstate.emit` with `{ event }`, `assign` and `raise` do not come.
   * `self` and `system` are undefined for whoever asks. An error on the way, one thrown by `execute` too,
   * gives a snapshot with status `error`.
   */
  initial(
    input: InputFrom<TMachine>,
    execute: Execute<ContextFrom<TMachine>, EventFromLogic<TMachine>>,
  ): SnapshotOf<TMachine>
  /**
   * Pure: one macrostep. Returns the same snapshot when nothing changed. Actions are reported as for
   * {@link initial}. The status is the caller's to look at: like the interpreter's `transition`, a step
   * from a done snapshot takes the transitions that its state and the root declare.
   *
   * @throws whatever a guard, an update, an output or `execute` throws; the snapshot stays valid.
   * @throws {TypeError} for a snapshot of another machine.
   */
  step(
    snapshot: SnapshotFrom<TMachine>,
    event: EventFromLogic<TMachine>,
    execute: Execute<ContextFrom<TMachine>, EventFromLogic<TMachine>>,
  ): SnapshotOf<TMachine>
  /**
   * Pure: the snapshot at rest in an atomic state, for owners who keep state and context elsewhere, in a row of a
   * database say. Nothing is entered.
   *
   * @param state - one of `states`
   * @throws {RangeError} for another one, or for one in which the machine has ended.
   */
  resume(state: string, context: ContextFrom<TMachine>): SnapshotOf<TMachine>
}

/** An initial action runs when the actor starts; if it throws then, XState spreads the snapshot. */
function initialInActor(program: Program, scope: AnyActorScope, input: unknown): CompiledSnapshot {
  let snapshot: CompiledSnapshot | undefined
  const guarded = (action: ExecutableActionObject): void => {
    const { exec } = action
    scope.actionExecutor({
      ...action,
      exec:
        exec &&
        ((info, params) => {
          try {
            exec(info, params)
          } catch (error) {
            if (snapshot !== undefined) flatten(snapshot)
            throw error
          }
        }),
    })
  }
  snapshot = begin(program, input, undefined, { ...scope, actionExecutor: guarded })
  return snapshot
}

function transition(
  program: Program,
  snapshot: CompiledSnapshot,
  event: EventObject,
  scope: AnyActorScope,
): CompiledSnapshot {
  try {
    return advance(program, snapshot, event, undefined, scope)
  } catch (error) {
    flatten(snapshot)
    throw error
  }
}

/** Properties are named one by one, since those of a prototype are lost to the interpreter's spread. */
function persist(machine: AnyStateMachine, snapshot: CompiledSnapshot, options: unknown): Snapshot<unknown> {
  const { status, output, error, context, value, children, historyValue } = snapshot
  const plain = { status, output, error, context, value, children, historyValue }
  return machine.getPersistedSnapshot(plain as never, options)
}

/** Persisted snapshots are the interpreter's own, both ways; so is the refusal of a state it does not know. */
function restore(program: Program, persisted: Snapshot<unknown>, scope: AnyActorScope): CompiledSnapshot {
  const { machine, leafOf } = program
  const { children = {}, historyValue = {} } = persisted as { children?: object; historyValue?: object }
  if (Object.keys(children).length > 0 || Object.keys(historyValue).length > 0) {
    throw new Error(
      `The persisted snapshot of '${machine.id}' has children or history; a compiled machine has none`,
    )
  }
  const restored = machine.restoreSnapshot(persisted, scope)
  const leaves = (restored._nodes as readonly AnyStateNode[]).flatMap((node) => leafOf.get(node) ?? [])
  const [leaf] = leaves
  if (leaf === undefined || leaves.length > 1) {
    const value = JSON.stringify((persisted as { value?: unknown }).value)
    throw new Error(
      `The persisted snapshot of '${machine.id}' has the value ${value}, which is not one state`,
    )
  }
  const { status, output, error, context } = restored
  return new CompiledSnapshot(status, output, error, context, leaf)
}

function resume(
  program: Program,
  byPath: Map<string, Leaf>,
  state: string,
  context: Context,
): CompiledSnapshot {
  const leaf = byPath.get(state)
  if (leaf === undefined) throw new RangeError(`'${program.machine.id}' cannot rest in '${state}'`)
  return new CompiledSnapshot('active', undefined, undefined, context, leaf)
}

/** Where it can go on from: every atomic state but the final ones of the root. */
function restingPlaces(program: Program): Map<string, Leaf> {
  const places = new Map<string, Leaf>()
  for (const leaf of program.leaves) {
    const node = leaf.nodes.at(-1) as AnyStateNode
    if (node.type !== 'final' || node.parent?.parent !== undefined) places.set(node.path.join('.'), leaf)
  }
  return places
}

/**
 * Compiles a machine.
 *
 * @throws {UnsupportedMachineError} (`code: 'ERR_MACHINE_UNSUPPORTED'`) naming machine, state and feature,
 * when the machine uses something that compiled logic does not reproduce.
 */
export function compile<TMachine extends AnyStateMachine>(machine: TMachine): CompiledLogic<TMachine> {
  const program = layOut(machine)
  const places = restingPlaces(program)
  const logic = {
    machine,
    config: machine.config,
    states: Object.freeze(program.leaves.map((leaf) => (leaf.nodes.at(-1) as AnyStateNode).path.join('.'))),
    indexOf: (snapshot: CompiledSnapshot) => CompiledSnapshot.leafOf(snapshot).index,
    initial: (input: unknown, execute: Sink) => begin(program, input, execute, undefined),
    step: (snapshot: CompiledSnapshot, event: EventObject, execute: Sink) =>
      advance(program, snapshot, event, execute, undefined),
    resume: (state: string, context: Context) => resume(program, places, state, context),
    transition: (snapshot: CompiledSnapshot, event: EventObject, scope: AnyActorScope) =>
      transition(program, snapshot, event, scope),
    getInitialSnapshot: (scope: AnyActorScope, input: unknown) => initialInActor(program, scope, input),
    getPersistedSnapshot: (snapshot: CompiledSnapshot, options?: unknown) =>
      persist(machine, snapshot, options),
    restoreSnapshot: (persisted: Snapshot<unknown>, scope: AnyActorScope) =>
      restore(program, persisted, scope),
  }
  // One snapshot class serves every machine; the types of this machine are put on here, once.
  return logic as unknown as CompiledLogic<TMachine>
}
