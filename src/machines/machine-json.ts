/**
 * A machine as plain JSON: states, transitions with the names of their guards and actions, delays. `createMachine` takes
 * it back, and so does Stately's editor; the inspector draws it.
 *
 * What only code can say is left out: contexts, implementations, computed parameters. A guard or an action without a name
 * has that of its function, or `inline`.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import type { Chart, ChartCall, ChartInvoke, ChartState, ChartTransition } from './chart.ts'

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] }

/**
 * The machine as `createMachine` takes it, in plain JSON.
 *
 * @throws TypeError (`ERR_OPTION_INVALID`) for what is no machine
 */
export function machineJson(machine: AnyStateMachine): Chart {
  if (!isMachine(machine))
    throw Object.assign(new TypeError('Expected machineJson(machine) to be given a machine of XState.'), {
      code: 'ERR_OPTION_INVALID',
    })
  return { id: machine.id, ...stateJson(machine.root, machine.id) }
}

/** Also one of another copy of XState. */
function isMachine(given: Partial<AnyStateMachine> | null | undefined): boolean {
  return given?.root?.machine === given && given !== null && given !== undefined
}

function stateJson(node: AnyStateNode, root: string): ChartState {
  const state: Mutable<ChartState> = {}
  const { type, config, description, tags } = node
  const toTransitions = (definitions: readonly AnyTransitionDefinition[]): ChartTransition[] =>
    definitions.map((definition) => transitionJson(definition, root))
  if (description !== undefined) state.description = description
  if (type === 'parallel' || type === 'final' || type === 'history') state.type = type
  if (tags.length > 0) state.tags = [...tags]
  if (type === 'history') {
    if (node.history === 'deep') state.history = 'deep'
    const { target } = config as { target?: string }
    if (target !== undefined) state.target = target
  }
  // Of the configuration: XState adds what raises and cancels delays.
  const [entry, exit] = [many(config.entry), many(config.exit)]
  if (entry.length > 0) state.entry = entry.map(callJson)
  if (exit.length > 0) state.exit = exit.map(callJson)
  if (node.invoke.length > 0) state.invoke = node.invoke.map((invoke) => invokeJson(node, invoke, root))
  const on: Record<string, ChartTransition[]> = {}
  // XState adds what it derives from `after`, `onDone` and `invoke`.
  for (const [event, definitions] of node.transitions) {
    if (Object.hasOwn(config.on ?? {}, event)) on[event] = toTransitions(definitions)
    else if (event === `xstate.done.state.${node.id}`) state.onDone = toTransitions(definitions)
  }
  if (Object.keys(on).length > 0) state.on = on
  if (node.after.length > 0) state.after = afterJson(node, root)
  if (node.always !== undefined && node.always.length > 0) state.always = toTransitions(node.always)
  const children = Object.values(node.states)
  if (children.length === 0) return state
  const first = node.initial?.target[0]
  if (type === 'compound' && first !== undefined) state.initial = first.key
  state.states = Object.fromEntries(children.map((child) => [child.key, stateJson(child, root)]))
  return state
}

function many(given: unknown): readonly unknown[] {
  if (given === undefined) return []
  return Array.isArray(given) ? given : [given]
}

function afterJson(node: AnyStateNode, root: string): Record<string, ChartTransition[]> {
  const after: Record<string, ChartTransition[]> = {}
  for (const definition of node.after) {
    const delay = String(definition.delay)
    after[delay] ??= []
    after[delay].push(transitionJson(definition, root))
  }
  return after
}

function invokeJson(node: AnyStateNode, invoke: AnyStateNode['invoke'][number], root: string): ChartInvoke {
  const { id, src } = invoke
  const heard = (event: string): ChartTransition[] | undefined =>
    node.transitions.get(event)?.map((definition) => transitionJson(definition, root))
  const made = {
    id,
    src: typeof src === 'string' ? src : 'inline',
    onDone: heard(`xstate.done.actor.${id}`),
    onError: heard(`xstate.error.actor.${id}`),
    onSnapshot: heard(`xstate.snapshot.${id}`),
  }
  return Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined)) as never
}

function transitionJson(
  { target, guard, actions, reenter, description }: AnyTransitionDefinition,
  root: string,
): ChartTransition {
  const transition: Mutable<ChartTransition> = {}
  const targets = (target ?? []).map(({ path }) => `#${[root, ...path].map(escaped).join('.')}`)
  if (targets.length === 1) transition.target = targets[0] as string
  else if (targets.length > 1) transition.target = targets
  if (guard !== undefined) transition.guard = guardJson(guard)
  if (actions.length > 0) transition.actions = actions.map(callJson)
  if (reenter && targets.length > 0) transition.reenter = true
  if (description !== undefined) transition.description = description
  return transition
}

/** Dots part the names in a target: those in a name are told from them by a backslash, which XState understands. */
function escaped(name: string): string {
  return name.replace(/[\\.]/g, '\\$&')
}

/** As XState keeps it: a name, an object with one, or a function that may have one. */
interface Named {
  readonly type?: unknown
  readonly name?: string
  readonly params?: unknown
  readonly guards?: readonly unknown[]
}

function callJson(call: unknown): ChartCall {
  if (typeof call === 'string') return { type: call }
  const { params } = call as Named
  const type = nameOf(call)
  const kept = typeof params === 'function' ? undefined : jsonOf(params)
  return kept === undefined ? { type } : { type, params: kept }
}

/** `and(isReady, not(isBusy))`: JSON has no guards of guards. */
function guardJson(guard: unknown): ChartCall {
  const { guards } = guard as Named
  if (guards === undefined) return callJson(guard)
  return { type: `${nameOf(guard)}(${guards.map((inner) => guardJson(inner).type).join(', ')})` }
}

/** Names that begin with `xstate.` are XState's own: a machine made of the JSON would not have them. */
function nameOf(call: unknown): string {
  const { type, name } = call as Named
  const found = typeof type === 'string' && type !== '' ? type : name
  return found === undefined || found === '' ? 'inline' : found.replace(/^xstate\./, '')
}

function jsonOf(params: unknown): Record<string, unknown> | undefined {
  try {
    const text: string | undefined = JSON.stringify(params)
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>)
  } catch {
    return undefined
  }
}
