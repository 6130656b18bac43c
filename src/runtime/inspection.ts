/** Makes an inspection observer harmless: XState lets one that throws throw out of `send()`. */
import type { InspectionEvent, Observer } from 'xstate'
import type { Inspector } from '../actors/supervisor-actor.ts'

export function isolateInspector(
  inspector: Inspector,
  onError: (error: unknown) => void,
): Observer<InspectionEvent> {
  const next = typeof inspector === 'function' ? inspector : inspector.next?.bind(inspector)
  return {
    next(event) {
      try {
        next?.(event)
      } catch (error) {
        onError(error)
      }
    },
  }
}
