/**
 * One child process, from its fork to its exit.
 *
 * ```
 * starting → idle ⇄ busy → terminating → killing
 *     │        │      │          │          │
 *     │        │      └──────────┴────→ draining (exited, last messages under way)
 *     │        └→ retiring       │          │          │
 *     └────────────────┴→ ending ←──────────┘          │
 *                            └──────→ gone ←───────────┘
 * ```
 *
 * - `starting`: forked, has not said hello. Takes no job.
 * - `idle`: it waits for a job.
 * - `busy`: one job is in it.
 * - `terminating`: SIGTERM was sent with a job in it. Its result may still come.
 * - `killing`: SIGKILL was sent with a job in it, or its link broke.
 * - `draining`: it has exited with a job in it, and the link may still hold the result.
 * - `retiring`: without a job, it was asked to exit by itself.
 * - `ending`: without a job, SIGKILL was sent.
 * - `gone`: it has exited.
 *
 * The machine is authoritative for what may be done with the process: only `idle` takes a job, and a
 * process that was sent a signal never works again, even if it survives, so that ending one job cannot
 * hurt the next. An exit and a broken link are accepted in every state. With a job inside they are that
 * job's crash (`reportCrash`), before the hello they are a process that cannot start
 * (`reportStartFailure`), else nobody needs to hear of them.
 */
import { setup } from 'xstate'

export type ProcessSlotEvent =
  /** It said hello: the remote side is loaded and watches its parent. */
  | { readonly type: 'process.ready' }
  | { readonly type: 'process.exited' }
  /** No message comes any more: everything it sent has been read. */
  | { readonly type: 'link.closed' }
  | { readonly type: 'job.assigned' }
  /** Its job has a result. `keep`: the pool still wants this process. */
  | { readonly type: 'job.settled'; readonly keep: boolean }
  /** It is idle for too long, or one too many. Without effect on a busy process. */
  | { readonly type: 'slot.retire' }
  /** Second step of the stop ladder. Without effect unless it is busy. */
  | { readonly type: 'slot.terminate' }
  /** End it now, whatever it does. */
  | { readonly type: 'slot.kill' }

export const processSlotMachine = setup({
  types: {} as { events: ProcessSlotEvent },
  guards: {
    slotIsWanted: ({ event }) => event.type === 'job.settled' && event.keep,
  },
  actions: {
    noteIdle: () => {},
    noteTaken: () => {},
    noteGone: () => {},
    askToExit: () => {},
    sendSigterm: () => {},
    sendSigkill: () => {},
    reportCrash: () => {},
    reportStartFailure: () => {},
  },
}).createMachine({
  id: 'processSlot',
  initial: 'starting',
  states: {
    starting: {
      on: {
        'process.ready': { target: 'idle' },
        'process.exited': { target: 'gone', actions: 'reportStartFailure' },
        // The exit that follows tells why.
        'link.closed': { actions: 'sendSigkill' },
        'slot.retire': { target: 'ending', actions: 'sendSigkill' },
        'slot.kill': { target: 'ending', actions: 'sendSigkill' },
      },
    },
    idle: {
      entry: 'noteIdle',
      exit: 'noteTaken',
      on: {
        'job.assigned': { target: 'busy' },
        'slot.retire': { target: 'retiring', actions: 'askToExit' },
        'slot.kill': { target: 'ending', actions: 'sendSigkill' },
        'link.closed': { target: 'ending', actions: 'sendSigkill' },
        'process.exited': { target: 'gone' },
      },
    },
    busy: {
      on: {
        'job.settled': [
          { guard: 'slotIsWanted', target: 'idle' },
          { target: 'retiring', actions: 'askToExit' },
        ],
        'slot.terminate': { target: 'terminating', actions: 'sendSigterm' },
        'slot.kill': { target: 'killing', actions: 'sendSigkill' },
        'link.closed': { target: 'killing', actions: 'sendSigkill' },
        'process.exited': { target: 'draining' },
      },
    },
    terminating: {
      on: {
        'job.settled': { target: 'ending', actions: 'sendSigkill' },
        'slot.kill': { target: 'killing', actions: 'sendSigkill' },
        'link.closed': { target: 'killing', actions: 'sendSigkill' },
        'process.exited': { target: 'draining' },
      },
    },
    killing: {
      on: {
        'job.settled': { target: 'ending' },
        'process.exited': { target: 'draining' },
      },
    },
    draining: {
      on: {
        'job.settled': { target: 'gone' },
        'link.closed': { target: 'gone', actions: 'reportCrash' },
      },
    },
    retiring: {
      on: {
        'slot.kill': { target: 'ending', actions: 'sendSigkill' },
        'process.exited': { target: 'gone' },
      },
    },
    ending: {
      on: {
        'process.exited': { target: 'gone' },
      },
    },
    gone: { type: 'final', entry: 'noteGone' },
  },
})
