/** The host's end of a thread's control port. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { ThreadHello } from './remote/thread-hello.ts'
import type { HostMessage, RemoteMessage } from './remote/wire.ts'

export class ThreadLink {
  readonly #port: MessagePort
  readonly #mail: Int32Array<SharedArrayBuffer>
  readonly #receive: (message: RemoteMessage) => void

  constructor(hello: ThreadHello, receive: (message: RemoteMessage) => void) {
    this.#port = hello.port
    this.#mail = hello.mail
    this.#receive = receive
    this.#port.on('message', receive)
    // Who waits for a job is kept alive by piscina's own port.
    this.#port.unref()
  }

  /** Throws if the message cannot be cloned. */
  post(message: HostMessage): void {
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
