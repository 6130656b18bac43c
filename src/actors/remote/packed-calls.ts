/**
 * Task calls inside of values that cross a border: `next(chain([…]))`, a call as a parameter of another one. A definition
 * has functions and cannot be cloned, so a call goes as a name, a module and its input; at any depth of arrays and plain
 * objects. A value without calls goes as it is.
 */
import type { RemoteCall } from '../attempt.ts'
import { type AnyDefinition, isDefinition, type TaskCall } from '../definition.ts'
import { versionOf } from '../storable.ts'

/** Marks a value that has calls in it, so that others need not be searched on the other side. */
const PACKED = '$stateward.packed'
const CALL = '$stateward.remoteCall'

/** Down to there, a value is searched without noting what was seen. */
const PLAIN_DEPTH = 4

/** The value as it can be cloned. */
export function packCalls(value: unknown): unknown {
  return holdsCall(value, 0, undefined) ? { [PACKED]: pack(value, new Map()) } : value
}

/** A call that names its definition, for the other side of a border. */
export function toRemoteCall(definition: AnyDefinition, input: unknown, options: unknown): RemoteCall {
  return { ...headOf(definition), input: packCalls(input), options }
}

function headOf(definition: AnyDefinition): Pick<RemoteCall, 'name' | 'module' | 'version'> {
  const { name, module = '' } = definition
  return { name, module, version: versionOf(definition) }
}

/** Makes a call of one that came over, of which it needs the name and the options: the input is put into it. */
export type MakeCall = (call: RemoteCall) => TaskCall

export function unpackCalls(value: unknown, make: MakeCall): unknown {
  return isPacked(value) ? unpack(value[PACKED], make, new Map()) : value
}

/** All calls in a value, the ones inside of others after these. */
export function callsIn(value: unknown): RemoteCall[] {
  const found: RemoteCall[] = []
  unpackCalls(value, (call) => {
    found.push(call)
    return {} as TaskCall
  })
  return found
}

function isPacked(value: unknown): value is { readonly [PACKED]: unknown } {
  return typeof value === 'object' && value !== null && PACKED in value
}

function isCall(value: object): value is TaskCall {
  return 'definition' in value && isDefinition(value.definition)
}

function isContainer(value: object): boolean {
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function holdsCall(value: unknown, depth: number, above: Set<object> | undefined): boolean {
  if (typeof value !== 'object' || value === null || !isContainer(value)) return false
  if (isCall(value)) return true
  const seen = depth < PLAIN_DEPTH ? undefined : (above ?? new Set<object>())
  if (seen?.has(value) === true) return false
  seen?.add(value)
  const members = Array.isArray(value) ? value : Object.values(value)
  return members.some((member) => holdsCall(member, depth + 1, seen))
}

/** @param packed - what was met already: a value may be in several places, or in itself */
function pack(value: unknown, packed: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null || !isContainer(value)) return value
  const known = packed.get(value)
  if (known !== undefined) return known
  if (Array.isArray(value)) {
    const items: unknown[] = []
    packed.set(value, items)
    for (const item of value) items.push(pack(item, packed))
    return items
  }
  if (isCall(value)) {
    const { definition, options } = value
    const call = { ...headOf(definition), input: undefined as unknown, options }
    const tagged = { [CALL]: call }
    packed.set(value, tagged)
    call.input = pack(value.input, packed)
    return tagged
  }
  const members: Record<string, unknown> = {}
  packed.set(value, members)
  for (const [key, member] of Object.entries(value)) members[key] = pack(member, packed)
  return members
}

/** @param done - what was met already */
function unpack(value: unknown, make: MakeCall, done: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null || !isContainer(value)) return value
  const known = done.get(value)
  if (known !== undefined) return known
  if (Array.isArray(value)) {
    const items: unknown[] = []
    done.set(value, items)
    for (const item of value) items.push(unpack(item, make, done))
    return items
  }
  if (CALL in value) {
    const sent = value[CALL] as RemoteCall
    const call: { input: unknown } = make(sent)
    done.set(value, call)
    call.input = unpack(sent.input, make, done)
    return call
  }
  const members: Record<string, unknown> = {}
  done.set(value, members)
  for (const [key, member] of Object.entries(value)) members[key] = unpack(member, make, done)
  return members
}
