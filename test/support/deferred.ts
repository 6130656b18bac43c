/** A promise with its two ends: how a test holds a handler back, and lets it go. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(error: unknown): void
}

/** An unsettled promise. A rejection that nobody awaits is no unhandled rejection. */
export function deferred<Value = void>(): Deferred<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>()
  promise.catch(() => {})
  return { promise, resolve, reject }
}
