import { assign, setup } from 'xstate'
import { createSupervisor, fromTask } from '../../src/index.ts'
import { digest } from './tasks.ts'

export const supervisor = createSupervisor()

/** Digests one text after the other in a thread; ends when it is asked to and its list is empty. */
export const archive = setup({
  types: {
    context: {} as { waiting: string[]; digests: string[] },
    events: {} as { type: 'archive.add'; text: string } | { type: 'child.stop' },
  },
  actors: { digest: fromTask(supervisor, digest, { priority: 'high' }) },
  guards: { hasMore: ({ context }) => context.waiting.length > 0 },
  actions: {
    note: assign({
      waiting: ({ context, event }) =>
        event.type === 'archive.add' ? [...context.waiting, event.text] : context.waiting,
    }),
    keep: assign({
      waiting: ({ context }) => context.waiting.slice(1),
      digests: ({ context }, { digest }: { digest: string }) => [...context.digests, digest],
    }),
    fail: (_, { error }: { error: unknown }) => {
      throw error
    },
  },
}).createMachine({
  id: 'archive',
  context: { waiting: [], digests: [] },
  initial: 'idle',
  on: { 'archive.add': { actions: 'note' } },
  states: {
    idle: {
      always: { guard: 'hasMore', target: 'digesting' },
      on: { 'child.stop': 'closed' },
    },
    digesting: {
      invoke: {
        src: 'digest',
        input: ({ context }) => context.waiting[0] as string,
        onDone: {
          target: 'idle',
          actions: { type: 'keep', params: ({ event }) => ({ digest: event.output }) },
        },
        onError: { actions: { type: 'fail', params: ({ event }) => ({ error: event.error }) } },
      },
      on: { 'child.stop': 'closing' },
    },
    closing: {
      invoke: {
        src: 'digest',
        input: ({ context }) => context.waiting[0] as string,
        onDone: {
          target: 'closed',
          actions: { type: 'keep', params: ({ event }) => ({ digest: event.output }) },
        },
      },
    },
    closed: { type: 'final' },
  },
  output: ({ context }) => context.digests,
})
