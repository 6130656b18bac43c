/** The document that says what is served, made of the operations that are served. */
import { createRequire } from 'node:module'
import { schemasFor } from './openapi-schemas.ts'
import { type Answer, type Parameter, type Route, ref, type Schema } from './route.ts'

/** Every operation may be answered so. */
const COMMON_PROBLEMS = [400, 403, 421, 500, 503]

/**
 * @param base - path that they are mounted at
 * @param options - what can be said of a task when it is submitted
 */
export function openapiOf(
  routes: readonly Route[],
  base: string,
  hasToken: boolean,
  options: readonly string[],
): object {
  const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route, hasToken) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Stateward',
      version,
      description: 'Tasks: what they are doing, how to begin, end and follow them.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: base === '' ? '/' : base }],
    paths,
    components: {
      schemas: schemasFor(options),
      ...(hasToken ? { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } } : {}),
    },
  }
}

function operationOf(route: Route, hasToken: boolean): object {
  const { operationId, summary, description, parameters = [], body, isBodyOptional, isOpen } = route
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(parameterOf) }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: isBodyOptional !== true,
            content: { 'application/json': { schema: body } },
          },
        }),
    responses: responsesOf(route, hasToken),
    security: hasToken && isOpen !== true ? [{ token: [] }] : [],
  }
}

function parameterOf({ name, in: place, description, schema, isRequired = false }: Parameter): object {
  return { name, in: place, description, schema, required: isRequired }
}

function responsesOf({ answers, problems = [], body, isOpen }: Route, hasToken: boolean): object {
  const statuses = new Set([
    ...COMMON_PROBLEMS,
    ...problems,
    ...(body === undefined ? [] : [408, 413, 415]),
    ...(hasToken && isOpen !== true ? [401] : []),
  ])
  const good = Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)] as const)
  const bad = [...statuses].sort().map((status) => [String(status), problemResponse()] as const)
  return Object.fromEntries([...good, ...bad])
}

function responseOf({ description, schema, type = 'application/json', headers = [] }: Answer): object {
  const header = { schema: { type: 'string' } as Schema }
  return {
    description,
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers.map((name) => [name, header])) }),
    ...(schema === undefined ? {} : { content: { [type]: { schema } } }),
  }
}

function problemResponse(): object {
  return {
    description: 'It was not done; the body says why',
    content: { 'application/problem+json': { schema: ref('Problem') } },
  }
}
