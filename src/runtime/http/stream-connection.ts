/** Which connection carries a stream: one whose reader takes nothing can only be ended with its connection. */

/** What is buffered for a reader goes with it. */
export interface StreamConnection {
  /** It has not taken all that it was given. */
  readonly writableNeedDrain: boolean
  destroy(): unknown
}

const connections = new WeakMap<ReadableStream, StreamConnection>()

export function carry(stream: ReadableStream, connection: StreamConnection): void {
  connections.set(stream, connection)
}

/** `undefined` on a server that is not Node's. */
export function connectionOf(stream: ReadableStream): StreamConnection | undefined {
  return connections.get(stream)
}
