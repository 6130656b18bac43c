/** Actions of a machine, resolved once into flat lists, and the loop that performs such a list. */
import type { AnyActorScope, AnyStateNode, EventObject, ExecutableActionObject } from 'xstate'
import { refuse, UnsupportedMachineError } from './compile-refusal.ts'

export type Context = Record<string, unknown>

/** Where effects go when there is no actor: `Execute` of `compile`, for any machine. */
export type Sink = (type: string, params: unknown, context: unknown, event: unknown) => void

const EFFECT = 0
const UPDATE = 1
const UPDATE_MAP = 2
const RAISE = 3
const EMIT = 4

type Expression = (args: unknown, params: unknown) => unknown
type BuiltinExecute = (scope: AnyActorScope, params: unknown) => void

/** One action of a list. A class, so that all of them have one shape. */
export class Op {
  readonly kind: number
  readonly name: string
  /** Static parameters, or the function that makes them. */
  params: unknown = undefined
  dynamic: Expression | undefined = undefined
  /** The implementation of an effect, the function of an update, the event expression of raise and emit. */
  run: unknown = undefined
  /** The property map of an update. */
  keys: readonly string[] = []
  values: readonly unknown[] = []
  /** Whether the update last returned a whole context (`{ ...context, x }`) and not a part of one. */
  whole = true
  spawn: () => never = refuseSpawn
  builtin: BuiltinExecute | undefined = undefined
  id: unknown = undefined

  constructor(kind: number, name: string) {
    this.kind = kind
    this.name = name
  }

  get raises(): boolean {
    return this.kind === RAISE
  }

  get updates(): boolean {
    return this.kind === UPDATE || this.kind === UPDATE_MAP
  }
}

/** In place of `spawn` in updates and context factories: a compiled machine has no children. */
export function refuseSpawn(): never {
  throw new UnsupportedMachineError(
    'A compiled machine cannot spawn an actor: leave that to its interpreter.',
  )
}

interface Builtin {
  readonly type: string
  readonly resolve: unknown
  readonly execute?: BuiltinExecute
  readonly assignment?: unknown
  readonly event?: unknown
  readonly delay?: unknown
  readonly id?: unknown
}

function compileBuiltin(node: AnyStateNode, builtin: Builtin): Op {
  switch (builtin.type) {
    case 'xstate.assign': {
      const { assignment } = builtin
      const op = new Op(typeof assignment === 'function' ? UPDATE : UPDATE_MAP, builtin.type)
      if (typeof assignment === 'function') op.run = assignment
      else {
        op.keys = Object.keys(assignment as object)
        op.values = Object.values(assignment as object)
      }
      return op
    }
    case 'xstate.raise':
      if (builtin.delay !== undefined) return refuse(node, 'raise() with a delay')
      break
    case 'xstate.emit':
      break
    default:
      return refuse(node, `the action ${builtin.type.replace(/^xstate\./, '')}()`)
  }
  if (typeof builtin.event === 'string') refuse(node, `the string '${builtin.event}' as an event`)
  const op = new Op(builtin.type === 'xstate.raise' ? RAISE : EMIT, builtin.type)
  op.run = builtin.event
  op.builtin = builtin.execute
  op.id = builtin.id
  return op
}

/**
 * Resolves one action.
 *
 * @throws {UnsupportedMachineError} for a built-in action other than `assign`, `emit` and an undelayed `raise`.
 */
export function compileAction(node: AnyStateNode, action: unknown): Op {
  const inline = typeof action === 'function'
  const given = action as { type?: unknown; params?: unknown; name?: string }
  const name = inline ? given.name || '(anonymous)' : typeof action === 'string' ? action : given?.type
  if (typeof name !== 'string') return refuse(node, 'an action that is neither a function nor a name')
  const implementations = node.machine.implementations.actions as Record<string, unknown>
  const implementation = inline ? action : implementations[name]
  if (implementation !== undefined && typeof implementation !== 'function') {
    return refuse(node, `the action '${name}', whose implementation is not a function`)
  }
  let op: Op
  if (implementation !== undefined && 'resolve' in implementation) {
    op = compileBuiltin(node, implementation as unknown as Builtin)
  } else {
    op = new Op(EFFECT, name)
    op.run = implementation
  }
  if (inline || typeof action === 'string') return op
  if (typeof given.params === 'function') op.dynamic = given.params as Expression
  else op.params = given.params
  return op
}

/** `Object.assign({}, context, update)`, several times as fast when the update is a whole context. */
function merge(op: Op, context: Context, update: Context): Context {
  if (update === context) return context
  if (op.whole) {
    const keys = Object.keys(context)
    let same = 0
    for (const key in update) {
      if (key !== keys[same]) {
        same = -1
        break
      }
      same++
    }
    if (same === keys.length && Object.getPrototypeOf(update) === Object.prototype) return { ...update }
    op.whole = false
  }
  return { ...context, ...update }
}

function update(
  op: Op,
  context: Context,
  event: EventObject,
  params: unknown,
  scope: AnyActorScope | undefined,
): Context {
  if (!context) {
    throw new Error(
      'Cannot assign to undefined `context`. Ensure that `context` is defined in the machine config.',
    )
  }
  const args = { context, event, spawn: op.spawn, self: scope?.self, system: scope?.system }
  if (op.kind === UPDATE) {
    const run = op.run as Expression
    return merge(op, context, run(args, params) as Context)
  }
  const next = { ...context }
  const { keys, values } = op
  for (let i = 0; i < keys.length; i++) {
    const value = values[i]
    next[keys[i] as string] = typeof value === 'function' ? (value as Expression)(args, params) : value
  }
  return next
}

/** `raise` and `emit`: the event goes to the queue, or out. */
function send(
  op: Op,
  context: Context,
  event: EventObject,
  actionParams: unknown,
  execute: Sink | undefined,
  scope: AnyActorScope | undefined,
  queue: EventObject[],
): void {
  const info = {
    context,
    event,
    self: scope?.self,
    system: scope?.system,
  } as unknown as ExecutableActionObject['info']
  const sent = typeof op.run === 'function' ? (op.run as Expression)(info, actionParams) : op.run
  if (op.kind === RAISE) queue.push(sent as EventObject)
  if (scope === undefined) {
    if (op.kind === EMIT) execute?.(op.name, { event: sent }, context, event)
    return
  }
  const params = op.kind === RAISE ? { event: sent, id: op.id, delay: undefined } : { event: sent }
  const exec = op.builtin?.bind(null, scope, params)
  scope.actionExecutor({ type: op.name, info, params, exec })
}

/**
 * Performs a list of actions and returns the context after it. Effects go to `scope` as the interpreter
 * would hand them over, or to `execute` when there is no actor.
 */
export function perform(
  ops: readonly Op[],
  context: Context,
  event: EventObject,
  execute: Sink | undefined,
  scope: AnyActorScope | undefined,
  queue: EventObject[],
): Context {
  let current = context
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i] as Op
    const { dynamic } = op
    const params = dynamic === undefined ? op.params : dynamic({ context: current, event }, undefined)
    if (op.kind === EFFECT) {
      if (scope === undefined) {
        execute?.(op.name, params, current, event)
      } else {
        scope.actionExecutor({
          type: op.name,
          info: { context: current, event, self: scope.self, system: scope.system },
          params: params as ExecutableActionObject['params'],
          exec: op.run as ExecutableActionObject['exec'],
        })
      }
    } else if (op.kind === RAISE || op.kind === EMIT) {
      send(op, current, event, params, execute, scope, queue)
    } else {
      current = update(op, current, event, params, scope)
    }
  }
  return current
}
