/** An inspector as its users see it: a page in a browser, and how it ends. */
import type { Queue } from '../durable/queue.ts'

export interface InspectorOptions {
  /** 0: any that is free. @defaultValue 0 */
  readonly port?: number
  /**
   * Address to listen on. On another one than this machine's own the token must be given, and nothing is shown without
   * it. @defaultValue '127.0.0.1'
   */
  readonly host?: string
  /** What it takes to act, and to see inputs and results: at least 16 letters and digits. @defaultValue a random one */
  readonly token?: string
  /** Further host names that the server is called by. What is called by another one is refused. @defaultValue none */
  readonly names?: readonly string[]
  /** A durable queue that is shown beside the supervisor: the one that its daemon works off. @defaultValue none */
  readonly queue?: Queue
}

/** An inspector that is up. It does not hold the process open. */
export interface Inspector extends AsyncDisposable {
  /** `http://127.0.0.1:41234/`: whoever opens it may look. */
  readonly address: string
  /** The address with the token: whoever opens it may act. */
  readonly url: string
  readonly port: number
  readonly token: string
  /** Resolves when no page is connected any more. */
  close(): Promise<void>
}
