/** Control calls of one attempt to its host: requests with numbers, waiting for their replies. */
import type { ControlMethod } from '../attempt.ts'
import { fromThrown } from './thrown.ts'
import type { HostMessage } from './wire.ts'

type Reply = Extract<HostMessage, { type: 'reply' | 'refusal' }>

export class Calls {
  readonly #send: (id: number, method: ControlMethod, args: unknown) => void
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  /** Why nothing is answered any more. */
  #ended: Error | undefined

  constructor(send: (id: number, method: ControlMethod, args: unknown) => void) {
    this.#send = send
  }

  /** Rejects with the host's error, or with the one of arguments that cannot be sent. */
  request(method: ControlMethod, args: unknown): Promise<unknown> {
    const id = ++this.#lastId
    const reply = Promise.withResolvers<unknown>()
    // A call whose reply nobody awaits is no unhandled rejection.
    reply.promise.catch(() => {})
    try {
      if (this.#ended !== undefined) throw this.#ended
      this.#send(id, method, args)
      this.#waiting.set(id, reply)
    } catch (error) {
      reply.reject(error)
    }
    return reply.promise
  }

  settle(message: Reply): void {
    const reply = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.type === 'reply') reply?.resolve(message.value)
    else reply?.reject(fromThrown(message.error))
  }

  /** The attempt has ended: nothing will be answered. */
  abandon(): void {
    this.#ended = Object.assign(new Error('The attempt has ended; its calls are not answered any more.'), {
      code: 'ERR_ATTEMPT_ENDED',
    })
    for (const reply of this.#waiting.values()) reply.reject(this.#ended)
    this.#waiting.clear()
  }
}
