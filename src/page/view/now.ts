/** The time of the server, as well as the page knows it. */
import { signal } from '@preact/signals'
import { usePage } from './context.ts'

/** One tick a second for whatever tells how long ago something was. */
const tick = signal(0)
setInterval(() => {
  if (!document.hidden) tick.value += 1
}, 1_000)

/**
 * Epoch ms by the server's clock. A component that uses it is drawn again each second. It stands still while paused, and while
 * nothing is heard of the server.
 */
export function useNow(): number {
  const { session } = usePage()
  tick.value
  session.numbers.value
  const { at } = session.picture
  const isHeard = session.connected.value && !session.paused.value
  return isHeard ? at + Math.max(0, Date.now() - session.seenAt) : at
}
