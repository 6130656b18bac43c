/** Entry `stateward/http`: the tasks of a durable queue, or of a supervisor, over HTTP. */
export { createHttpHandler, type HttpHandler } from './http-handler.ts'
export type { HttpHandlerOptions, HttpMount } from './http-options.ts'
export { type NodeListener, toNodeListener } from './node-listener.ts'
export { type HttpServer, serveHttp } from './serve-http.ts'
export type { HttpServerOptions } from './server-options.ts'
export { type LocatedTask, taskqueueLocation } from './taskqueue-location.ts'
