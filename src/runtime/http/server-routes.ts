/** What there is to ask of the server itself. */
import { HttpRefusal } from './http-problem.ts'
import { json, type Route, ref, type Site } from './route.ts'

export function serverRoutes(site: Site): readonly Route[] {
  return [health(), readiness(site), status(site), counts(site)]
}

function health(): Route {
  return {
    method: 'get',
    path: '/healthz',
    operationId: 'getHealth',
    summary: 'Whether the server answers',
    isOpen: true,
    answers: { 200: { description: 'It does', schema: ref('Health') } },
    act: async () => json({ status: 'ok' }),
  }
}

function readiness({ service, readinessMs }: Site): Route {
  return {
    method: 'get',
    path: '/readyz',
    operationId: 'getReadiness',
    summary: 'Whether tasks can be taken: their source answers, and the daemon of this process works',
    isOpen: true,
    answers: { 200: { description: 'They can', schema: ref('Readiness') } },
    async act() {
      const late = Promise.withResolvers<string>()
      const timer = service.clock.setTimeout(() => late.resolve('The tasks cannot be reached.'), readinessMs)
      // Why a database is away is nobody's business here; whoever asks it for tasks has it in the log.
      const asked = service.readiness().catch(() => 'The tasks cannot be reached.')
      const problem = await Promise.race([asked, late.promise])
      service.clock.clearTimeout(timer)
      if (problem !== undefined) throw new HttpRefusal(problem, { code: 'ERR_HTTP_NOT_READY' })
      return json({ status: 'ready' })
    },
  }
}

function status({ service }: Site): Route {
  return {
    method: 'get',
    path: '/status',
    operationId: 'getStatus',
    summary: 'What waits and runs, and who works it off',
    answers: { 200: { description: 'As of now', schema: ref(service.statusSchema) } },
    act: async () => json(await service.status()),
  }
}

function counts({ service }: Site): Route {
  return {
    method: 'get',
    path: '/counts',
    operationId: 'countTasks',
    summary: 'How many tasks are in each state',
    answers: { 200: { description: 'As of now', schema: ref('Counts') } },
    act: async () => json(await service.counts()),
  }
}
