import { createActor, createMachine } from 'xstate'
import { backoffMs, compile, threshold } from '../../src/machines/index.ts'

console.log(threshold({ size: 2, reserveNormal: 1, reserveHigh: 1 }, 'high')) // → 4
console.log(backoffMs({ initialMs: 100, jitter: 'none' }, 3, 0)) // → 400

const door = createMachine({
  id: 'door',
  initial: 'closed',
  states: { closed: { on: { open: 'open' } }, open: { on: { close: 'closed' } } },
})
const actor = createActor(compile(door)).start()
actor.send({ type: 'open' })
console.log(actor.getSnapshot().value) // → open

const timed = createMachine({ id: 'timed', initial: 'a', states: { a: { after: { 10: 'b' } }, b: {} } })
try {
  compile(timed)
} catch (error) {
  console.log((error as Error).message)
  // → Machine 'timed' cannot be compiled because state 'a' uses delayed transitions (after).
}
