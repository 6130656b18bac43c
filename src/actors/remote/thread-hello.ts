/** How a thread makes itself known to its host. */
import type { MessagePort } from 'node:worker_threads'
import type { LeaseMemory } from './thread-lease.ts'

/** Key that tells a hello from other messages of a pool's threads. Its value is the thread's id. */
export const THREAD_HELLO = 'stateward.thread'

export interface ThreadHello {
  readonly [THREAD_HELLO]: number
  readonly port: MessagePort
  /** One counter in shared memory: how many messages the host has posted. */
  readonly mail: Int32Array<SharedArrayBuffer>
  readonly lease: LeaseMemory
}

export function isThreadHello(message: unknown): message is ThreadHello {
  return typeof message === 'object' && message !== null && THREAD_HELLO in message
}
