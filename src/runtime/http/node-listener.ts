/** A fetch handler as Node's servers and the frameworks on them take it. The one owner of the bridge between the two. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { problemOf } from './http-problem.ts'

/** What `http.createServer`, Express (`app.use`) and others call for each request. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/**
 * ```ts
 * app.use('/queue', toNodeListener(handler)) // Express, before anything that reads bodies
 * ```
 */
export function toNodeListener(handler: (request: Request) => Response | Promise<Response>): NodeListener {
  return getRequestListener((request) => handler(request), {
    // The program may have its own, or none to replace.
    overrideGlobalObjects: false,
    errorHandler: () => {
      const problem = problemOf(
        'ERR_HTTP_REQUEST_INVALID',
        'The target of the request, or its host, is none.',
      )
      return new Response(JSON.stringify(problem), {
        status: problem.status,
        headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
      })
    },
  })
}
