/** The host's end of a thread's control port. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { AttemptLease } from './attempt.ts'
import type { ThreadHello } from './remote/thread-hello.ts'
import { grantLease, type LeaseMemory } from './remote/thread-lease.ts'
import type { HostMessage, LeaseMessage, RemoteMessage } from './remote/wire.ts'

export class ThreadLink {
  readonly #port: MessagePort
  readonly #mail: Int32Array<SharedArrayBuffer>
  readonly #lease: LeaseMemory
  readonly #receive: (message: RemoteMessage) => void

  constructor(hello: ThreadHello, receive: (message: RemoteMessage) => void) {
    this.#port = hello.port
    this.#mail = hello.mail
    this.#lease = hello.lease
    this.#receive = receive
    this.#port.on('message', receive)
    // Who waits for a job is kept alive by piscina's own port.
    this.#port.unref()
  }

  /** The job may run so long from now on. */
  lease(token: number, lease: AttemptLease): void {
    grantLease(this.#lease, token, lease)
  }

  /** The same for a job that began before this was said. */
  leaseLate(token: number, lease: AttemptLease): void {
    this.lease(token, lease)
    this.post({ type: 'lease' })
  }

  /** Throws if the message cannot be cloned. */
  post(message: HostMessage | LeaseMessage): void {
    this.#port.postMessage(message)
    Atomics.add(this.#mail, 0, 1)
  }

  /** Delivers now what the thread has sent so far. */
  drain(): void {
    for (let it = receiveMessageOnPort(this.#port); it !== undefined; it = receiveMessageOnPort(this.#port)) {
      this.#receive(it.message as RemoteMessage)
    }
  }

  /** The thread has exited. What it sent before is delivered. */
  close(): void {
    this.drain()
    this.#port.close()
  }
}
