/** Which values are certain to survive `postMessage`, and which have to be tried. */
import { types } from 'node:util'

const MAX_NODES = 64

/** Counts down over one check. */
interface Budget {
  nodes: number
}

/**
 * True only if the structured clone cannot refuse `value`. Cheap, and in doubt false: large values and
 * instances of classes are for the caller to try.
 */
export function isSurelyCloneable(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? isPlain(value, { nodes: MAX_NODES }) : isAtom(value)
}

function isAtom(value: unknown): boolean {
  return typeof value !== 'function' && typeof value !== 'symbol'
}

function isPlain(value: object, budget: Budget): boolean {
  // A proxy looks like its target and cannot be cloned.
  if (types.isProxy(value)) return false
  if (Array.isArray(value)) {
    if (value.length > budget.nodes) return false
  } else {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return false
  }
  try {
    return propertiesArePlain(value, budget)
  } catch {
    return false
  }
}

function propertiesArePlain(value: object, budget: Budget): boolean {
  for (const property of Object.values(value)) {
    if (budget.nodes-- <= 0) return false
    if (typeof property === 'object' && property !== null) {
      if (!isPlain(property, budget)) return false
    } else if (!isAtom(property)) return false
  }
  return true
}
