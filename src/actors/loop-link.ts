/** The host's end of one loop thread: its `Worker`, and the port that everything travels over, in batches. */
import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads'
import { entryFile } from './remote/entry-file.ts'
import type { LoopCommand, LoopData, LoopMessage } from './remote/loop-wire.ts'

export interface LoopLinkOptions {
  /** Of the thread, as the operating system shows it. */
  readonly name: string
  readonly resourceLimits: ResourceLimits | undefined
  onMessage(message: LoopMessage): void
  /** A command could not be cloned. */
  onRefused(command: LoopCommand, error: unknown): void
  /** An error escaped in the thread; its exit follows. */
  onError(error: unknown): void
  /** What it sent before is delivered. */
  onExit(exitCode: number): void
}

/** A microtask, at less than half the price of `queueMicrotask`. */
const SOON = Promise.resolve()

export class LoopLink {
  readonly worker: Worker
  readonly #options: LoopLinkOptions
  readonly #port: MessagePort
  readonly #mail = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  #outbox: LoopCommand[] = []
  readonly #flush = (): void => this.flush()

  readonly #exited = (exitCode: number): void => {
    this.drain()
    this.#port.close()
    this.#options.onExit(exitCode)
  }

  /** @throws what the `Worker` constructor throws */
  constructor(options: LoopLinkOptions) {
    this.#options = options
    const { port1, port2 } = new MessageChannel()
    const workerData: LoopData = { port: port2, mail: this.#mail }
    this.worker = new Worker(entryFile('loop-entry'), {
      name: options.name,
      workerData,
      transferList: [port2],
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
    })
    this.#port = port1
    port1.on('message', (batch: readonly LoopMessage[]) => this.#receive(batch))
    this.worker.on('error', options.onError)
    this.worker.on('exit', this.#exited)
    // What holds the process open is the supervisor, not a loop.
    port1.unref()
    this.worker.unref()
  }

  /** Sends with all else that is sent in this turn. */
  post(command: LoopCommand): void {
    if (this.#outbox.length === 0) void SOON.then(this.#flush)
    this.#outbox.push(command)
  }

  /** Sends now what waits to be sent. */
  flush(): void {
    const batch = this.#outbox
    if (batch.length === 0) return
    this.#outbox = []
    try {
      this.#send(batch)
    } catch {
      for (const command of batch) this.#sendAlone(command)
    }
  }

  /** Delivers now what the thread has sent so far. */
  drain(): void {
    for (let it = receiveMessageOnPort(this.#port); it !== undefined; it = receiveMessageOnPort(this.#port)) {
      this.#receive(it.message as readonly LoopMessage[])
    }
  }

  /** It does not come down: nothing that it still says is heard. */
  forsake(): void {
    this.#port.close()
    // Others may listen to it: only what is ours is taken away.
    this.worker.on('error', () => {})
    this.worker.off('error', this.#options.onError)
    this.worker.off('exit', this.#exited)
  }

  #receive(batch: readonly LoopMessage[]): void {
    for (const message of batch) this.#options.onMessage(message)
  }

  #send(batch: readonly LoopCommand[]): void {
    this.#port.postMessage(batch)
    Atomics.add(this.#mail, 0, 1)
  }

  #sendAlone(command: LoopCommand): void {
    try {
      this.#send([command])
    } catch (error) {
      this.#options.onRefused(command, error)
    }
  }
}
