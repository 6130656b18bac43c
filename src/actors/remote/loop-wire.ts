/**
 * What goes over the one port between a supervisor and a loop in a thread of its own. Messages travel in batches,
 * one per turn of either side, and keep their order.
 */
import type { MessagePort } from 'node:worker_threads'
import type { HostMessage, RemoteMessage, WireJob, WireResult } from './wire.ts'

/** What the thread is given when it starts. */
export interface LoopData {
  readonly port: MessagePort
  /** How many batches the host has posted, for handlers that ask inside a synchronous loop. */
  readonly mail: Int32Array<SharedArrayBuffer>
}

/** Host to loop. A warm job is an array, a cold one has no `type`. */
export type LoopCommand =
  | WireJob
  | HostMessage
  /** Is answered when the loop turns. */
  | { readonly type: 'ping'; readonly number: number }
  | { readonly type: 'exit' }

/** Loop to host. */
export type LoopMessage =
  | RemoteMessage
  | { readonly type: 'hello' }
  | { readonly type: 'pong'; readonly number: number }
  | LoopStarted
  | LoopSettled

/** The handler of a warm job began, at epoch ms. */
export type LoopStarted = readonly [token: number, at: number]
/** An attempt has ended. Three entries, to tell it from the above. */
export type LoopSettled = readonly [token: number, settled: WireResult, ended: true]
