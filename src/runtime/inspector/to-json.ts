/** Values of the user's as JSON, whatever they are: what has no JSON is shown as text. */

/** Of one value: a page is to be read by people. */
const MOST_CHARACTERS = 200_000

export function toJson(value: unknown): unknown {
  if (value === undefined) return null
  const above: unknown[] = []
  try {
    const text = JSON.stringify(value, function (this: unknown, _key, inner: unknown) {
      if (typeof inner === 'bigint') return `${inner}n`
      if (typeof inner === 'function') return `[function ${inner.name}]`
      if (typeof inner === 'symbol') return String(inner)
      if (inner instanceof Error) return { name: inner.name, message: inner.message, stack: inner.stack }
      if (inner instanceof Map) return { map: [...inner] }
      if (inner instanceof Set) return { set: [...inner] }
      if (typeof inner !== 'object' || inner === null) return inner
      // `this` holds it: whatever stands behind that is not above it.
      while (above.length > 0 && above.at(-1) !== this) above.pop()
      if (above.includes(inner)) return '[circular]'
      above.push(inner)
      return inner
    })
    if (text === undefined) return String(value)
    return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : JSON.parse(text)
  } catch {
    return String(value)
  }
}
