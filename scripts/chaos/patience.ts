/** Bounds on what may hang. */
import { setTimeout } from 'node:timers/promises'

/** @throws Error when it has not settled after so long; what it does goes on then */
export async function within<Value>(ms: number, act: Promise<Value>, what = 'it'): Promise<Value> {
  const patience = new AbortController()
  const over = setTimeout(ms, undefined, { signal: patience.signal }).then(() => {
    throw new Error(`${what} had not ended after ${ms} ms`)
  })
  // Whatever comes later is nobody's business.
  for (const one of [act, over]) one.catch(() => {})
  try {
    return await Promise.race([act, over])
  } finally {
    patience.abort()
  }
}
