/**
 * One physical worker thread, from its spawning to its exit.
 *
 * ```
 * starting → idle ⇄ busy → killing
 *     │        │      │       │
 *     └────────┴→ retiring ←──┘   → gone
 * ```
 *
 * - `starting`: the thread boots and loads the remote side. Takes no job.
 * - `idle`: it waits for a job.
 * - `busy`: one job is in it.
 * - `killing`: it comes down with a job in it, because it was killed or because it failed. Its result may
 *   still win the race; the slot is not used again either way.
 * - `retiring`: it comes down and no job is in it.
 * - `gone`: the thread has exited.
 *
 * The machine is authoritative for what may be done with the thread: only `idle` takes a job, and what
 * began to come down never works again, so that ending one job cannot hurt the next. An exit is accepted
 * in every state: with a job inside it is that job's crash (`reportCrash`), before the first readiness it
 * is a thread that cannot start (`reportStartFailure`), else nobody needs to hear of it.
 */
import { setup } from 'xstate'

export type ThreadSlotEvent =
  /** It loaded the remote side and can take jobs. */
  | { readonly type: 'thread.ready' }
  /** An error escaped in it; its exit follows. */
  | { readonly type: 'thread.failed' }
  | { readonly type: 'thread.exited' }
  | { readonly type: 'job.assigned' }
  /** Its job has a result. `keep`: the pool still wants this thread. */
  | { readonly type: 'job.settled'; readonly keep: boolean }
  /** It is idle for too long, or one too many. Without effect on a busy thread. */
  | { readonly type: 'slot.retire' }
  /** End it now, whatever it does. */
  | { readonly type: 'slot.kill' }

export const threadSlotMachine = setup({
  types: {} as { events: ThreadSlotEvent },
  guards: {
    slotIsWanted: ({ event }) => event.type === 'job.settled' && event.keep,
  },
  actions: {
    noteIdle: () => {},
    noteTaken: () => {},
    noteGone: () => {},
    endThread: () => {},
    reportCrash: () => {},
    reportStartFailure: () => {},
  },
}).createMachine({
  id: 'threadSlot',
  initial: 'starting',
  states: {
    starting: {
      on: {
        'thread.ready': { target: 'idle' },
        'thread.exited': { target: 'gone', actions: 'reportStartFailure' },
        'slot.retire': { target: 'retiring', actions: 'endThread' },
        'slot.kill': { target: 'retiring', actions: 'endThread' },
      },
    },
    idle: {
      entry: 'noteIdle',
      exit: 'noteTaken',
      on: {
        'job.assigned': { target: 'busy' },
        'slot.retire': { target: 'retiring', actions: 'endThread' },
        'slot.kill': { target: 'retiring', actions: 'endThread' },
        'thread.failed': { target: 'retiring' },
        'thread.exited': { target: 'gone' },
      },
    },
    busy: {
      on: {
        'job.settled': [
          { guard: 'slotIsWanted', target: 'idle' },
          { target: 'retiring', actions: 'endThread' },
        ],
        'slot.kill': { target: 'killing', actions: 'endThread' },
        'thread.failed': { target: 'killing' },
        'thread.exited': { target: 'gone', actions: 'reportCrash' },
      },
    },
    killing: {
      on: {
        'job.settled': { target: 'retiring' },
        'thread.exited': { target: 'gone', actions: 'reportCrash' },
      },
    },
    retiring: {
      on: {
        'thread.exited': { target: 'gone' },
      },
    },
    gone: { type: 'final', entry: 'noteGone' },
  },
})
