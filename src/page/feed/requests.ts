/** Questions to the server that wait for their answer. Each settles: with the answer, or when the connection is lost. */
import type { Act, Answer, Ask, Login, PageMessage } from '../../runtime/inspector/messages.ts'

type WithoutId<Message> = Message extends unknown ? Omit<Message, 'id'> : never

/** What has exactly one answer. */
export type Request = WithoutId<Login> | WithoutId<Ask> | WithoutId<Act>

/** What the server answers when it will not, in a sentence. */
class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Refusal): void
}

export class Requests {
  readonly #send: (message: PageMessage) => boolean
  readonly #waiting = new Map<number, Waiting>()
  #last = 0

  /** @param send - says whether it could be sent */
  constructor(send: (message: PageMessage) => boolean) {
    this.#send = send
  }

  /** @throws Refusal of the server, or with the code `ERR_CONNECTION_LOST` */
  make<Value>(request: Request): Promise<Value> {
    this.#last += 1
    const id = this.#last
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      if (!this.#send({ ...request, id } as PageMessage)) this.#take(id)?.reject(lost())
    })
  }

  answer(answer: Answer): void {
    const waiting = this.#take(answer.id)
    if ('error' in answer) waiting?.reject(new Refusal(answer.error.code, answer.error.message))
    else waiting?.resolve(answer.value)
  }

  /** Nothing that was asked will be answered any more. */
  fail(): void {
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(lost())
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }
}

function lost(): Refusal {
  return new Refusal('ERR_CONNECTION_LOST', 'The connection to the server was lost before it answered.')
}
