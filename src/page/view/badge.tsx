/** A state as a word with a colour. */
import { toneOf } from '../model/tone.ts'

/** @param short - only the last part of a path */
export function Badge({ state, short = false }: { state: string; short?: boolean }) {
  if (state === '') return null
  const text = short
    ? state
        .split(', ')
        .map((path) => path.slice(path.lastIndexOf('.') + 1))
        .join(', ')
    : state
  return (
    <span class="badge" data-tone={toneOf(state)} title={state}>
      {text}
    </span>
  )
}
