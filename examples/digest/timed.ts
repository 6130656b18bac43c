/** How long handlers took: part of their results, since the events of a process that was killed are gone. */
export interface Timed<Value> {
  readonly value: Value
  /** To a microsecond. */
  readonly ms: number
}

export async function timed<Value>(work: () => Value | Promise<Value>): Promise<Timed<Value>> {
  const startedAt = performance.now()
  const value = await work()
  return { value, ms: Math.round(1_000 * (performance.now() - startedAt)) / 1_000 }
}
