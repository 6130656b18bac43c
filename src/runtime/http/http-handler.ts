/**
 * The HTTP API as a standard fetch handler, for any server that has one.
 *
 * - open: from the beginning.
 * - closed: by `close()`. Its streams have ended, and every request is told to come again elsewhere (503).
 *
 * The queue is authoritative; a request that is answered with a problem has changed nothing, except where the answer came too
 * late to be waited for (`ERR_HTTP_OVERDUE`).
 */
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import type { Logger } from 'pino'
import { loggerOr, say } from '../logger.ts'
import { durableRoutes } from './durable-routes.ts'
import { EventStreams } from './event-streams.ts'
import { jsonBody } from './http-body.ts'
import { HttpGuard } from './http-guard.ts'
import { checkHandlerOptions, type HttpHandlerOptions, type HttpMount, submittable } from './http-options.ts'
import { HttpRefusal, type ProblemCode, problemResponse } from './http-problem.ts'
import { basePathOf, Links } from './links.ts'
import { openapiOf } from './openapi.ts'
import { json, type Route, type RouteRequest, type Site } from './route.ts'
import { scheduleRoutes } from './schedule-routes.ts'
import { serverRoutes } from './server-routes.ts'
import { streamRoutes } from './stream-routes.ts'
import { taskRoutes } from './task-routes.ts'
import { serviceOf } from './task-source.ts'
import { type TextResponse, toStandard } from './text-response.ts'

/** Answers requests. Never rejects. */
export interface HttpHandler {
  (request: Request): Promise<Response>
  /** Ends its streams; whoever still asks is told so. Resolves when it asks its source for nothing any more. */
  close(): Promise<void>
}

const MAX_BODY_BYTES = 2 * 1_048_576
const TIMEOUT_MS = 30_000
const MAX_STREAMS = 1_000
const HEARTBEAT_MS = 15_000
const STALL_MS = 30_000
const READINESS_MS = 3_000

/**
 * Makes a handler for the tasks of a queue.
 *
 * ```ts
 * const handler = createHttpHandler({ queue, tasks: [sendMail], token: process.env.TOKEN })
 * Bun.serve({ fetch: handler }) // or Deno.serve(handler), app.mount('/queue', handler), serveHttp(…)
 * ```
 * Without a token it answers everybody whom its surroundings let through.
 *
 * @throws OptionError for bad options
 */
export function createHttpHandler(options: HttpHandlerOptions): HttpHandler {
  checkHandlerOptions('createHttpHandler()', options)
  const handler = makeHandler('createHttpHandler()', options)
  const answer = async (request: Request): Promise<Response> => toStandard(await handler(request))
  return Object.assign(answer, { close: () => handler.close() })
}

/** The options have been checked. Its answers are for `toNodeListener`, which knows a {@link TextResponse}. */
export function makeHandler(where: string, options: HttpHandlerOptions): HttpHandler & Upgrades {
  const live = new LiveHandler(where, options)
  return Object.assign((request: Request) => live.answer(request), {
    close: () => live.close(),
    mountOf: (request: Request) => live.mountOf(request),
    problem: (error: unknown) => problemResponse(error, live.logger),
    report: (error: unknown) => say(live.logger, 'error', { err: error }, 'the server failed'),
  })
}

/** What a server needs beside, for connections that are to become something else than HTTP. */
export interface Upgrades {
  /**
   * @returns what is mounted where the request asks
   * @throws HttpRefusal when it may not ask
   */
  mountOf(request: Request): HttpMount | undefined
  problem(error: unknown): Response
  /** Of what goes wrong, and is nobody's answer. */
  report(error: unknown): void
}

class LiveHandler {
  readonly #options: HttpHandlerOptions
  readonly #app: Hono
  readonly #guard: HttpGuard
  readonly #site: Site
  readonly logger: Logger
  readonly #links: Links
  #state: 'open' | 'closed' = 'open'

  constructor(where: string, options: HttpHandlerOptions) {
    const { tasks = [], token, hosts, origins = [], basePath = '' } = options
    const base = basePathOf(basePath)
    const service = serviceOf(where, options)
    const { heartbeatMs = HEARTBEAT_MS, stallMs = STALL_MS, maxStreams: limit = MAX_STREAMS } = options
    this.#options = options
    this.#links = new Links(base)
    this.logger = loggerOr(options.logger)
    this.#guard = new HttpGuard({ token, hosts, origins })
    this.#site = {
      service,
      definitions: submittable(where, tasks),
      streams: new EventStreams(service, { heartbeatMs, stallMs, limit }),
      links: this.#links,
      readinessMs: READINESS_MS,
    }
    this.#app = this.#makeApp(routesOf(this.#site, base, token !== undefined))
  }

  answer(request: Request): Promise<Response> {
    return Promise.resolve(this.#app.fetch(request))
  }

  /** @throws HttpRefusal for a connection that may not be taken over */
  mountOf(request: Request): HttpMount | undefined {
    this.#guard.checkSender(request)
    const path = this.#links.within(request.url)
    const { mounts = [] } = this.#options
    const mount = mounts.find(
      ({ path: at }) => path === basePathOf(at) || path.startsWith(`${basePathOf(at)}/`),
    )
    if (mount !== undefined && mount.isOpen !== true) this.#guard.checkToken(request)
    this.#refuseClosed()
    return mount
  }

  close(): Promise<void> {
    this.#state = 'closed'
    return this.#site.streams.close()
  }

  #makeApp(routes: readonly Route[]): Hono {
    const { mounts = [], origins = [] } = this.#options
    const app = new Hono({ getPath: (request) => this.#links.within(request.url) })
    app.onError((error) => problemResponse(error, this.logger))
    app.notFound(() =>
      problemResponse(new HttpRefusal('There is nothing here.', { code: 'ERR_HTTP_NOT_FOUND' }), this.logger),
    )
    app.use(async (context, next) => {
      this.#guard.checkSender(context.req.raw)
      await next()
    })
    if (origins.length > 0) app.use(this.#cors())
    for (const mount of mounts) this.#addMount(app, mount)
    for (const route of routes)
      app.on(route.method.toUpperCase(), pathOf(route), (context) => this.#act(route, context))
    for (const path of new Set(routes.map(pathOf))) app.all(path, () => refuseMethod(routes, path))
    return app
  }

  /** What a browser has to be told before it lets a page of another site ask. */
  #cors() {
    return cors({
      origin: (origin) => (this.#guard.isKnownOrigin(origin) ? origin : null),
      allowMethods: ['GET', 'POST', 'PUT', 'DELETE'],
      allowHeaders: ['Authorization', 'Content-Type', 'Last-Event-ID'],
      exposeHeaders: ['Location', 'Taskqueue-Location', 'Retry-After'],
      maxAge: 600,
    })
  }

  #addMount(app: Hono, { path, fetch, isOpen = false }: HttpMount): void {
    const act = async ({ req }: Context): Promise<Response> => {
      if (!isOpen) this.#guard.checkToken(req.raw)
      this.#refuseClosed()
      return fetch(req.raw)
    }
    const at = basePathOf(path)
    app.all(at, act)
    app.all(`${at}/*`, act)
  }

  async #act(route: Route, context: Context): Promise<Response> {
    const { raw } = context.req
    if (route.isOpen !== true) this.#guard.checkToken(raw)
    this.#refuseClosed()
    const request: RouteRequest = {
      raw,
      query: new URL(raw.url).searchParams,
      param: (name) => context.req.param(name) ?? '',
      body: route.body === undefined ? {} : await this.#bodyOf(raw, route),
    }
    const { timeoutMs = TIMEOUT_MS } = this.#options
    const late = `There was no answer within ${timeoutMs} ms. Whether it was done, nobody knows.`
    return this.#inTime(
      route.act(request).then((response) => (raw.method === 'HEAD' ? withoutBody(response) : response)),
      'ERR_HTTP_OVERDUE',
      late,
    )
  }

  /** How long an answer takes counts from when its request is there. */
  #bodyOf(raw: Request, { isBodyOptional }: Route): Promise<RouteRequest['body']> {
    const { maxBodyBytes = MAX_BODY_BYTES } = this.#options
    const late = 'The request took too long to arrive.'
    return this.#inTime(jsonBody(raw, maxBodyBytes, isBodyOptional ?? false), 'ERR_HTTP_TIMED_OUT', late)
  }

  async #inTime<Value>(awaited: Promise<Value>, code: ProblemCode, text: string): Promise<Value> {
    const { clock } = this.#site.service
    const { timeoutMs = TIMEOUT_MS } = this.#options
    const late = Promise.withResolvers<never>()
    const timer = clock.setTimeout(() => late.reject(new HttpRefusal(text, { code })), timeoutMs)
    try {
      return await Promise.race([awaited, late.promise])
    } finally {
      clock.clearTimeout(timer)
    }
  }

  #refuseClosed(): void {
    if (this.#state === 'closed') throw new HttpRefusal('This server stops.', { code: 'ERR_HTTP_CLOSED' })
  }
}

/** A stream that nobody will read has to be told so. */
async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel()
  return new Response(null, response)
}

function routesOf(site: Site, base: string, hasToken: boolean): readonly Route[] {
  const { durable } = site.service
  const routes: Route[] = [
    ...serverRoutes(site),
    ...taskRoutes(site),
    ...(durable === undefined ? [] : [...durableRoutes(site, durable), ...scheduleRoutes(site, durable)]),
    ...streamRoutes(site),
  ]
  const description: Route = {
    method: 'get',
    path: '/openapi.json',
    operationId: 'getOpenapi',
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1', schema: { type: 'object' } } },
    act: async () => json(document),
  }
  const document = openapiOf([...routes, description], base, hasToken, Object.keys(site.service.body))
  return [...routes, description]
}

/** `/tasks/{id}` as the router writes it. */
function pathOf({ path }: Route): string {
  return path.replace(/\{(\w+)\}/g, ':$1')
}

function refuseMethod(routes: readonly Route[], path: string): never {
  const methods = routes.filter((route) => pathOf(route) === path).map(({ method }) => method.toUpperCase())
  const allowed = methods.includes('GET') ? [...methods, 'HEAD'] : methods
  throw new HttpRefusal(`Expected one of ${allowed.join(', ')}.`, {
    code: 'ERR_HTTP_METHOD_REFUSED',
    headers: { allow: allowed.join(', ') },
  })
}
