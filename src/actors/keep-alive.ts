/** Holds the process open without a timer: a referenced port that nobody writes to. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'

export class KeepAlive {
  #port: MessagePort | undefined = undefined

  hold(): void {
    if (this.#port !== undefined) return
    const { port1 } = new MessageChannel()
    // Without a listener a port does not hold the loop.
    port1.on('message', () => {})
    port1.ref()
    this.#port = port1
  }

  release(): void {
    this.#port?.close()
    this.#port = undefined
  }
}
