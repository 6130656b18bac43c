import { assign, createActor, createMachine, setup } from 'xstate'
import { backoffMs, compile, threshold } from '../../src/machines/index.ts'

console.log(threshold({ size: 2, reserveNormal: 1, reserveHigh: 1 }, 'high')) // → 4
console.log(backoffMs({ initialMs: 100, jitter: 'none' }, 3, 0)) // → 400

const door = setup({
  types: {} as { context: { opened: number }; events: { type: 'open' } | { type: 'close' } },
  actions: { count: assign({ opened: ({ context }) => context.opened + 1 }) },
}).createMachine({
  id: 'door',
  context: { opened: 0 },
  initial: 'closed',
  states: {
    closed: { on: { open: { target: 'open', actions: 'count' } } },
    open: { on: { close: 'closed' } },
  },
})
const actor = createActor(compile(door)).start()
actor.send({ type: 'open' })
console.log(actor.getSnapshot().value, actor.getSnapshot().context) // → open { opened: 1 }

const timed = createMachine({ id: 'timed', initial: 'a', states: { a: { after: { 10: 'b' } }, b: {} } })
try {
  compile(timed)
} catch (error) {
  console.log((error as Error).message)
  // → Machine 'timed' cannot be compiled because state 'a' uses delayed transitions (after).
}
