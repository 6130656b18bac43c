/** What `compile` refuses: one error class, and the check that a machine holds nothing unknown. */
import type { AnyStateMachine, AnyStateNode } from 'xstate'

/** A machine uses something that `compile` does not reproduce. Thrown at compile time, never later. */
export class UnsupportedMachineError extends Error {
  override readonly name = 'UnsupportedMachineError'
  readonly code = 'ERR_MACHINE_UNSUPPORTED'
}

const STATE_KEYS = new Set([
  ...['id', 'type', 'initial', 'states', 'on', 'always', 'onDone', 'entry', 'exit', 'output'],
  ...['tags', 'meta', 'description', 'order'],
])
const ROOT_KEYS = new Set([...STATE_KEYS, 'context', 'version', 'schemas', 'types', 'options'])
const TRANSITION_KEYS = new Set([
  ...['target', 'guard', 'actions', 'reenter', 'meta', 'description'],
  ...['source', 'eventType', 'toJSON'],
])
const INITIAL_KEYS = new Set(['target', 'actions', 'meta', 'description'])

/** Names of what people do use, for the sentence of the refusal. */
const FEATURES: Record<string, string> = {
  invoke: 'an invoked actor (invoke)',
  after: 'delayed transitions (after)',
  history: 'history',
  route: 'a route',
}

/** Throws the refusal: machine, state and feature in one sentence. */
export function refuse(node: AnyStateNode, feature: string): never {
  const state = node.path.length === 0 ? 'its root' : `state '${node.path.join('.')}'`
  throw new UnsupportedMachineError(
    `Machine '${node.machine.id}' cannot be compiled because ${state} uses ${feature}.`,
  )
}

const isUnused = (value: unknown): boolean =>
  value === undefined || value === false || (Array.isArray(value) && value.length === 0)

function checkKeys(node: AnyStateNode, value: object, known: ReadonlySet<string>, where: string): void {
  for (const [key, held] of Object.entries(value)) {
    if (known.has(key) || isUnused(held)) continue
    refuse(node, FEATURES[key] ?? `the unknown property '${key}' ${where}`)
  }
}

function checkType(node: AnyStateNode): void {
  const children = Object.keys(node.states).length
  if (node.type === 'parallel') refuse(node, 'parallel states')
  if (node.type === 'history') refuse(node, 'history')
  if (node.type === 'compound' && children === 0) refuse(node, `type 'compound' without child states`)
  if (node.type !== 'compound' && children > 0) refuse(node, `type '${node.type}' with child states`)
}

function checkDescriptor(node: AnyStateNode, descriptor: string): void {
  if (descriptor === 'xstate.init' || descriptor === 'xstate.stop') {
    refuse(node, `a transition for the reserved event '${descriptor}'`)
  }
  const star = descriptor.indexOf('*')
  const last = descriptor.length - 1
  if (star >= 0 && (star !== last || (last > 0 && descriptor[last - 1] !== '.'))) {
    refuse(node, `the wildcard '${descriptor}', which is neither '*' nor 'prefix.*'`)
  }
}

function checkTransitions(node: AnyStateNode): void {
  for (const descriptor of Object.keys(node.config.on ?? {})) checkDescriptor(node, descriptor)
  for (const transition of [...node.transitions.values(), node.always ?? []].flat()) {
    checkKeys(node, transition, TRANSITION_KEYS, 'of a transition')
    const targets = transition.target
    if (targets !== undefined && targets.length !== 1)
      refuse(node, `a transition with ${targets.length} targets`)
  }
  const { initial } = node.config
  if (typeof initial === 'object') checkKeys(node, initial, INITIAL_KEYS, 'of its initial transition')
}

function checkOutput(node: AnyStateNode): void {
  const { output } = node
  if (typeof output !== 'object' || output === null) return
  if (Object.values(output).some((value) => typeof value === 'function')) {
    refuse(node, 'an output of single mapping functions')
  }
}

function checkNode(node: AnyStateNode): number {
  checkType(node)
  checkKeys(node, node.config, node.parent === undefined ? ROOT_KEYS : STATE_KEYS, 'in its configuration')
  checkTransitions(node)
  checkOutput(node)
  return Object.values(node.states).reduce((sum, child) => sum + checkNode(child), 1)
}

/**
 * Refuses every construct that the compiler does not know. Guards and actions are checked where they are
 * compiled.
 */
export function checkMachine(machine: AnyStateMachine): void {
  const { root, options } = machine
  const { maxIterations = Number.POSITIVE_INFINITY, ...others } = options
  checkKeys(root, others, new Set(), 'in its options')
  if (!(maxIterations >= 1)) refuse(root, 'maxIterations below 1')
  const { idMap } = machine as unknown as { idMap: ReadonlyMap<string, AnyStateNode> }
  if (checkNode(root) !== idMap.size) refuse(root, 'one id for two states')
}
