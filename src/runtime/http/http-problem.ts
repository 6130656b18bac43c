/**
 * What a request that is not answered as asked is told: a problem of RFC 9457 with the `code` of the error. What went wrong
 * in here is logged, and told to nobody outside.
 */
import type { Logger } from 'pino'
import { isStatewardError } from '../errors.ts'
import { say } from '../logger.ts'

/** Codes of the API itself, with their statuses; those of errors are beside them. */
const OWN_STATUSES = {
  ERR_HTTP_REQUEST_INVALID: 400,
  ERR_HTTP_TOKEN_MISSING: 401,
  ERR_HTTP_ORIGIN_REFUSED: 403,
  ERR_HTTP_NOT_FOUND: 404,
  ERR_HTTP_METHOD_REFUSED: 405,
  ERR_HTTP_TIMED_OUT: 408,
  ERR_HTTP_BODY_TOO_LARGE: 413,
  ERR_HTTP_MEDIA_TYPE_REFUSED: 415,
  ERR_HTTP_HOST_REFUSED: 421,
  ERR_HTTP_HEADERS_TOO_LARGE: 431,
  ERR_HTTP_INTERNAL: 500,
  ERR_HTTP_NOT_READY: 503,
  ERR_HTTP_CLOSED: 503,
  ERR_HTTP_OVERDUE: 503,
  ERR_HTTP_STREAMS_TAKEN: 503,
} as const

export type ProblemCode = keyof typeof OWN_STATUSES

/** Of the errors of this package that a request can be the cause of. */
const ERROR_STATUSES: Readonly<Record<string, number>> = {
  ERR_OPTION_INVALID: 400,
  ERR_OPTION_UNKNOWN: 400,
  ERR_TASK_EXPORT_MISSING: 422,
  ERR_INPUT_INVALID: 422,
  ERR_VALUE_NOT_STORABLE: 422,
  ERR_SCHEDULE_INVALID: 422,
  ERR_TIMEZONE_UNKNOWN: 422,
  ERR_VALUE_TOO_LARGE: 413,
  ERR_RUN_UNKNOWN: 404,
  ERR_SCHEDULE_UNKNOWN: 404,
  ERR_RUN_STATE: 409,
  ERR_RUN_ID_TAKEN: 409,
  ERR_TASK_KEY_TAKEN: 409,
  ERR_TASK_ALREADY_LIVE: 409,
  ERR_SUPERVISOR_STOPPED: 503,
}

export const PROBLEM_STATUSES: Readonly<Record<string, number>> = { ...ERROR_STATUSES, ...OWN_STATUSES }

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** Until whoever is told to come again may do so. */
const RETRY_AFTER_S = '1'

/** The body of an answer that is none. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
}

export interface RefusalFacts extends ErrorOptions {
  readonly code: ProblemCode
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown where a request is refused by the API itself. */
export class HttpRefusal extends Error {
  readonly code: ProblemCode
  readonly headers: Readonly<Record<string, string>>

  constructor(detail: string, { code, headers = {}, ...options }: RefusalFacts) {
    super(detail, options)
    this.code = code
    this.headers = headers
  }
}

export function problemOf(code: string, detail: string): Problem {
  const status = statusOf(code)
  return { type: 'about:blank', title: TITLES[status] as string, status, detail, code }
}

/** @param logger - told of what is no fault of the request */
export function problemResponse(error: unknown, logger: Logger): Response {
  if (error instanceof HttpRefusal) return toResponse(error.code, error.message, error.headers)
  const code = isStatewardError(error) ? error.code : 'ERR_HTTP_INTERNAL'
  const status = statusOf(code)
  if (code in ERROR_STATUSES) return toResponse(code, (error as Error).message)
  say(logger, 'error', { err: error }, 'a request could not be answered')
  if (status === 503) return toResponse(code, 'The tasks cannot be reached now. Ask again in a moment.')
  return toResponse('ERR_HTTP_INTERNAL', 'The request could not be answered. The log of the server says why.')
}

function toResponse(code: string, detail: string, more: Readonly<Record<string, string>> = {}): Response {
  const problem = problemOf(code, detail)
  const headers = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(problem.status === 503 ? { 'retry-after': RETRY_AFTER_S } : {}),
    ...more,
  }
  const { status, title: statusText } = problem
  return new Response(JSON.stringify(problem), { status, statusText, headers })
}

/** Whatever the store says is no fault of the request. */
function statusOf(code: string): number {
  return PROBLEM_STATUSES[code] ?? (code.startsWith('ERR_STORE_') ? 503 : 500)
}
