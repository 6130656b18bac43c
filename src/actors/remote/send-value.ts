/**
 * How a handler's value leaves a thread. One that cannot be cloned must not be found out when it is too late to
 * say so: what is not sure to be cloneable goes ahead on its own, where the attempt can be caught.
 */
import { isSurelyCloneable } from './cloneable.ts'
import type { RemoteContext } from './remote-context.ts'
import type { WireResult } from './wire.ts'

/** How piscina marks a value that is to be moved instead of copied (`Piscina.move`). */
const TRANSFERABLE: unique symbol = Symbol.for('Piscina.transferable')
const MOVED_VALUE: unique symbol = Symbol.for('Piscina.valueOf')

/** Throws if the value cannot be cloned. */
export function sendValue(value: unknown, context: RemoteContext): WireResult {
  const { token } = context
  if (isMoved(value)) {
    context.post({ type: 'value', token, value: value[MOVED_VALUE] }, [value[TRANSFERABLE]])
  } else if (isSurelyCloneable(value)) {
    return [value]
  } else {
    context.post({ type: 'value', token, value })
  }
  return { type: 'posted', sent: 0 }
}

function isMoved(value: unknown): value is { [TRANSFERABLE]: object; [MOVED_VALUE]: unknown } {
  return typeof value === 'object' && value !== null && TRANSFERABLE in value && MOVED_VALUE in value
}
