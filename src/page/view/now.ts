/** The time of the server, as well as the page knows it. */
import { signal } from '@preact/signals'
import { usePage } from './context.ts'

/** One tick a second for whatever tells how long ago something was. */
const tick = signal(0)
setInterval(() => {
  if (!document.hidden) tick.value += 1
}, 1_000)

/** Epoch ms by the server's clock. A component that uses it is drawn again each second; it stands still while paused. */
export function useNow(): number {
  const { session } = usePage()
  tick.value
  session.numbers.value
  const { at } = session.picture
  return session.paused.value ? at : at + Math.max(0, Date.now() - session.seenAt)
}
