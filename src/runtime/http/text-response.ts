/**
 * An answer whose text is known as a whole. A server of Node's writes it as it is; everybody else takes the standard answer that
 * it stands for, which holds its text in a stream and costs several times as much to make and to send.
 */
export class TextResponse extends Response {
  readonly content: string
  #standard: Response | undefined

  constructor(content: string, init: ResponseInit) {
    super(null, init)
    this.content = content
  }

  standard(): Response {
    this.#standard ??= new Response(this.content, this)
    return this.#standard
  }
}

// For a layer around the routes that makes another answer of it. The type says that it is a field, which it never was.
Object.defineProperty(TextResponse.prototype, 'body', {
  get(this: TextResponse) {
    return this.standard().body
  },
})

export function toStandard(response: Response): Response {
  return response instanceof TextResponse ? response.standard() : response
}
