/** Makes an inspection observer harmless: XState lets one that throws throw out of `send()`. */
import type { InspectionEvent, Observer } from 'xstate'

export type Inspector = Observer<InspectionEvent> | ((event: InspectionEvent) => void)

export function isolateInspector(
  inspector: Inspector | undefined,
  onError: (error: unknown) => void,
): Observer<InspectionEvent> | undefined {
  if (inspector === undefined) return undefined
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
