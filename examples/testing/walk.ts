import { equal, ok } from 'node:assert/strict'
import { assign, setup } from 'xstate'
import { checkEdges, transitionTable, uncovered, walkMachine } from '../../src/runtime/testing/index.ts'

const orderMachine = setup({
  types: {
    context: {} as { open: number },
    events: {} as { type: 'pay'; amount: number } | { type: 'ship' } | { type: 'cancel' },
  },
  guards: { isPaid: ({ context, event }) => event.type === 'pay' && event.amount >= context.open },
  actions: {
    credit: assign({
      open: ({ context, event }) => context.open - (event.type === 'pay' ? event.amount : 0),
    }),
    refund: () => {},
  },
}).createMachine({
  id: 'order',
  context: { open: 2 },
  initial: 'placed',
  states: {
    placed: {
      on: {
        pay: [{ guard: 'isPaid', target: 'paid', actions: 'credit' }, { actions: 'credit' }],
        cancel: { target: 'cancelled', actions: 'refund' },
      },
      after: { 86400000: 'cancelled' },
    },
    paid: { on: { ship: 'shipped', cancel: { target: 'cancelled', actions: 'refund' } } },
    shipped: { type: 'final' },
    cancelled: { type: 'final' },
  },
})

const edges = walkMachine(orderMachine, {
  events: [{ type: 'pay', amount: 1 }, { type: 'ship' }, { type: 'cancel' }],
})
console.log(edges.length, uncovered(orderMachine, edges).transitions.length) // → 11 0

checkEdges(edges, ({ target, to }) => {
  if (target === 'shipped') equal(to.context.open, 0)
  ok(to.context.open >= 0)
})
console.log(transitionTable(orderMachine, edges).split('\n')[0]) // → placed
