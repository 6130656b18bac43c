/**
 * Copies of plain data, so that nobody sees what somebody else does to a value.
 *
 * Objects without a class, arrays, maps, sets, dates and bytes are copied, however deep, cycles included. Everything else
 * (functions, instances of classes) is no data but a tool, and stays what it is.
 */

/** Unlike the structured clone it refuses nothing, and keeps the classes of what it leaves alone. */
export function copyOf<Value>(value: Value): Value {
  return typeof value === 'object' && value !== null ? (copy(value, new Map()) as Value) : value
}

/** `copies`: what has been copied already, for values that stand in several places. */
function copy(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const known = copies.get(value)
  if (known !== undefined) return known
  if (Array.isArray(value)) return fill(value, new Array(value.length), copies)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype) return fill(value, {}, copies)
  if (prototype === null) return fill(value, Object.create(null), copies)
  if (prototype === Map.prototype) {
    const made = new Map<unknown, unknown>()
    copies.set(value, made)
    for (const [key, one] of value as Map<unknown, unknown>) made.set(copy(key, copies), copy(one, copies))
    return made
  }
  if (prototype === Set.prototype) {
    const made = new Set<unknown>()
    copies.set(value, made)
    for (const one of value as Set<unknown>) made.add(copy(one, copies))
    return made
  }
  const made = bytesOrDate(value)
  copies.set(value, made)
  return made
}

function fill<Made extends object>(value: object, made: Made, copies: Map<object, unknown>): Made {
  copies.set(value, made)
  for (const [key, one] of Object.entries(value)) {
    const value = copy(one, copies)
    // It is data, too, and must not become the prototype.
    if (key === '__proto__') Object.defineProperty(made, key, { value, enumerable: true, writable: true })
    else (made as Record<string, unknown>)[key] = value
  }
  return made
}

function bytesOrDate(value: object): object {
  // The structured clone would make plain bytes of a Buffer.
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (value instanceof Date || value instanceof ArrayBuffer || ArrayBuffer.isView(value))
    return structuredClone(value)
  return value
}
