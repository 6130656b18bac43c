/**
 * A server of the HTTP API as a supervised child: it listens while its supervisor runs. The server is authoritative for its
 * state; one that cannot listen fails the start that wanted it.
 */
import type { AnyActorRef } from 'xstate'
import type { ChildKind, ChildListener, ChildSpec, Incarnation } from '../../actors/supervised.ts'
import type { RestartLimits } from '../../machines/restart.ts'
import { type HttpServer, serveHttp } from './serve-http.ts'
import type { HttpServerOptions } from './server-options.ts'

/** For what is being answered when it is told to end. */
const CLOSE_MS = 2_000

export class HttpChild implements ChildSpec {
  readonly kind: ChildKind = 'server'
  readonly id: string
  readonly restart = 'transient'
  /** A port that is taken is still taken a moment later, and nobody else's business. */
  readonly limits: RestartLimits = { intensity: 0, periodMs: 1 }
  readonly shutdownMs: number = 2 * CLOSE_MS
  readonly #options: HttpServerOptions
  server: HttpServer | undefined = undefined

  /** @param options - checked ones */
  constructor(id: string, options: HttpServerOptions) {
    this.id = id
    this.#options = options
  }

  start(listener: ChildListener): Incarnation {
    const listening = serveHttp(this.#options)
    listening.then(
      (server) => {
        this.server = server
        listener.ready()
      },
      (error: unknown) => listener.exited({ kind: 'failed', error }),
    )
    let isTold = false
    const close = (wait: number): void => {
      const closed = listening.then((server) => server.close({ wait }))
      if (isTold) return
      isTold = true
      closed.then(
        () => {
          this.server = undefined
          listener.exited({ kind: 'stopped' })
        },
        // It never listened, and that was told.
        () => {},
      )
    }
    return { stop: () => close(CLOSE_MS), hurry: () => close(0), kill: () => close(0) }
  }

  actor(_parent: AnyActorRef): AnyActorRef | undefined {
    return undefined
  }
}
