/** Runs a laid-out machine: one macrostep from a snapshot to the next, and the first one of all. */
import type { AnyActorScope, EventObject } from 'xstate'
import { type Context, perform, refuseSpawn, type Sink } from './compile-action.ts'
import type { Candidate, Completion, Leaf } from './compile-leaf.ts'
import type { Program } from './compile-program.ts'
import { choose, chooseAlways, chooseWild, select } from './compile-selection.ts'
import { CompiledSnapshot } from './compile-snapshot.ts'

type Scope = AnyActorScope | undefined
type Outputs = (args: { context: Context; event: EventObject; self: unknown }) => unknown

const NOTHING: EventObject[] = []

const resolveOutput = (output: unknown, context: Context, event: EventObject, scope: Scope): unknown =>
  typeof output === 'function' ? (output as Outputs)({ context, event, self: scope?.self }) : output

/** What the machine puts out when a final state ends it. The interpreter asks that state twice; so do we. */
function conclude(
  program: Program,
  completion: Completion,
  context: Context,
  event: EventObject,
  scope: Scope,
): unknown {
  const { output } = program.machine.root
  resolveOutput(completion.output, context, event, scope)
  if (output === undefined) return undefined
  if (typeof output !== 'function') return output
  const result = resolveOutput(completion.output, context, event, scope)
  return resolveOutput(output, context, { type: completion.type, output: result } as EventObject, scope)
}

/** A macrostep of a single transition: most of them. */
function leap(
  program: Program,
  from: CompiledSnapshot,
  candidate: Candidate,
  event: EventObject,
  execute: Sink | undefined,
  scope: Scope,
): CompiledSnapshot {
  const { next, completion } = candidate
  const context = perform(candidate.ops, from.context, event, execute, scope, NOTHING)
  if (completion !== undefined) {
    const output = conclude(program, completion, context, event, scope)
    const last = perform(next.exits, context, event, execute, scope, NOTHING)
    return new CompiledSnapshot('done', output, from.error, last, next.done)
  }
  if (!candidate.updates && next === CompiledSnapshot.leafOf(from)) return from
  return new CompiledSnapshot('active', from.output, from.error, context, next)
}

/** A macrostep with all that can belong to it: eventless transitions, raised events, done states. */
function settle(
  program: Program,
  from: CompiledSnapshot,
  first: Candidate | undefined,
  event: EventObject,
  execute: Sink | undefined,
  scope: Scope,
): CompiledSnapshot {
  const queue: EventObject[] = []
  let taken = 0
  let { status, output, context } = from
  let leaf = CompiledSnapshot.leafOf(from)
  let current = event
  let candidate = first
  let eventless = false
  let changed = false
  let asksAlways = true
  for (let microsteps = 1; ; microsteps++) {
    let moved = false
    if (candidate !== undefined) {
      const { next, completion } = candidate
      context = perform(candidate.ops, context, current, execute, scope, queue)
      if (completion?.whole) {
        status = 'done'
        output = conclude(program, completion, context, current, scope)
      } else if (completion !== undefined) {
        const result = resolveOutput(completion.output, context, current, scope)
        queue.push({ type: completion.type, output: result } as EventObject)
      }
      moved = candidate.updates || next !== leaf.base || completion?.whole === true
      if (status === 'done') {
        context = perform(next.exits, context, current, execute, scope, queue)
        moved ||= next.exits.some((op) => op.updates)
      }
      if (next !== leaf.base) leaf = status === 'done' ? next.done : next
      changed ||= moved
    }
    // An eventless transition that changed nothing is not asked again before the next event.
    asksAlways = !eventless || moved
    if (status !== 'active') break
    if (microsteps > program.maxIterations) throw endless(program.maxIterations)
    candidate = asksAlways ? chooseAlways(leaf.always, context, current) : undefined
    eventless = candidate !== undefined
    if (!eventless) {
      if (taken === queue.length) break
      current = queue[taken++] as EventObject
      candidate = select(leaf, context, current)
    }
  }
  return changed ? new CompiledSnapshot(status, output, from.error, context, leaf) : from
}

const endless = (limit: number): Error =>
  new Error(
    `Infinite loop detected: the machine has processed more than ${limit} microsteps without reaching a stable state. This usually happens when there's a cycle of transitions (e.g., eventless transitions or raised events causing state A -> B -> C -> A).`,
  )

/** An event that the rows of the leaf do not answer: reserved ones, wildcards, or none at all. */
function answerOther(
  program: Program,
  from: CompiledSnapshot,
  leaf: Leaf,
  hasRow: boolean,
  event: EventObject,
  execute: Sink | undefined,
  scope: Scope,
): CompiledSnapshot {
  const { type } = event
  if (type === 'xstate.stop') {
    return new CompiledSnapshot('stopped', from.output, from.error, from.context, leaf)
  }
  if (type !== 'xstate.init') {
    const candidate = hasRow ? undefined : chooseWild(leaf, from.context, event)
    if (candidate !== undefined) return take(program, from, candidate, event, execute, scope)
    if (type.startsWith('xstate.error.actor')) {
      const { error } = event as EventObject & { error?: unknown }
      return new CompiledSnapshot('error', from.output, error, from.context, leaf)
    }
  }
  if (leaf.always === undefined) return from
  return settle(program, from, undefined, event, execute, scope)
}

const take = (
  program: Program,
  from: CompiledSnapshot,
  candidate: Candidate,
  event: EventObject,
  execute: Sink | undefined,
  scope: Scope,
): CompiledSnapshot =>
  candidate.single && from.status === 'active'
    ? leap(program, from, candidate, event, execute, scope)
    : settle(program, from, candidate, event, execute, scope)

/** One macrostep. Effects go to `scope`, or without an actor to `execute`. */
export function advance(
  program: Program,
  from: CompiledSnapshot,
  event: EventObject,
  execute: Sink | undefined,
  scope: Scope,
): CompiledSnapshot {
  const leaf = CompiledSnapshot.leafOf(from)
  if (leaf.owner !== program.machine) {
    throw new TypeError(`This snapshot is not one of the compiled machine '${program.machine.id}'`)
  }
  const row = leaf.rows.get(event.type)
  const candidate = choose(row, from.context, event)
  if (candidate === undefined)
    return answerOther(program, from, leaf, row !== undefined, event, execute, scope)
  return take(program, from, candidate, event, execute, scope)
}

type Factory = (args: { spawn: () => never; input: unknown; self: unknown }) => Context

/** The first macrostep. What throws in it gives a snapshot with status `error`. */
export function begin(
  program: Program,
  input: unknown,
  execute: Sink | undefined,
  scope: Scope,
): CompiledSnapshot {
  const { machine, entry, unborn } = program
  const event = { type: 'xstate.init', input }
  const given = machine.config.context as Context | Factory | undefined
  let context: Context = typeof given === 'object' && given !== null ? given : {}
  try {
    if (typeof given === 'function') context = { ...given({ spawn: refuseSpawn, input, self: scope?.self }) }
    const from = new CompiledSnapshot('active', undefined, undefined, context, unborn)
    return take(program, from, entry, event, execute, scope)
  } catch (error) {
    return new CompiledSnapshot('error', undefined, error, context, unborn)
  }
}
