/** Operations on schedules: tasks that come again and again. */
import { refuse } from '../check.ts'
import type { Schedule, ScheduleOptions } from '../durable/schedule.ts'
import { OptionError } from '../errors.ts'
import { checkParameters, type Inclusion, inclusionsOf } from './http-query.ts'
import { checkPathId, PATH_ID } from './path-id.ts'
import { empty, INCLUDE_PARAMETER, json, type Parameter, type Route, ref, type Site } from './route.ts'
import { SCHEDULE_BODY, submissionOf } from './submission.ts'
import type { DurableActs } from './task-service.ts'

const NAME_PARAMETER: Parameter = {
  name: 'name',
  in: 'path',
  description: 'Name of a schedule, percent-encoded',
  schema: { type: 'string', minLength: 1 },
  isRequired: true,
}

export function scheduleRoutes(site: Site, acts: DurableActs): readonly Route[] {
  return [list(acts), get(acts), put(site, acts), remove(acts)]
}

function list(acts: DurableActs): Route {
  return {
    method: 'get',
    path: '/schedules',
    operationId: 'listSchedules',
    summary: 'All schedules, by name',
    parameters: [INCLUDE_PARAMETER],
    answers: { 200: { description: 'All of them', schema: ref('ScheduleList') } },
    async act({ query }) {
      checkParameters(query, ['include'])
      const include = inclusionsOf(query)
      return json({ schedules: (await acts.schedules()).map((one) => scheduleView(one, include)) })
    },
  }
}

function get(acts: DurableActs): Route {
  return {
    method: 'get',
    path: '/schedules/{name}',
    operationId: 'getSchedule',
    summary: 'One schedule',
    parameters: [NAME_PARAMETER, INCLUDE_PARAMETER],
    answers: { 200: { description: 'The schedule', schema: ref('Schedule') } },
    problems: [404],
    async act({ param, query }) {
      checkParameters(query, ['include'])
      const name = param('name')
      const found = (await acts.schedules()).find((one) => one.name === name)
      if (found === undefined) throw unknownSchedule(name)
      return json(scheduleView(found, inclusionsOf(query)))
    },
  }
}

function put({ definitions }: Site, acts: DurableActs): Route {
  return {
    method: 'put',
    path: '/schedules/{name}',
    operationId: 'setSchedule',
    summary: 'Makes a schedule, or changes it; saying the same again changes nothing',
    parameters: [{ ...NAME_PARAMETER, schema: PATH_ID }],
    body: ref('ScheduleRequest'),
    answers: { 200: { description: 'The schedule', schema: ref('Schedule') } },
    problems: [422],
    async act({ param, body }) {
      const name = param('name')
      checkPathId('the name of the schedule', name)
      const { definition, input, options } = submissionOf<ScheduleOptions>(body, definitions, SCHEDULE_BODY)
      return json(scheduleView(await acts.schedule(name, definition, input, options), new Set()))
    },
  }
}

function remove(acts: DurableActs): Route {
  return {
    method: 'delete',
    path: '/schedules/{name}',
    operationId: 'removeSchedule',
    summary: 'Takes a schedule away; its live run goes on',
    parameters: [NAME_PARAMETER],
    answers: { 204: { description: 'It is gone' } },
    problems: [404],
    async act({ param }) {
      const name = param('name')
      if (name === '') refuse('name', 'a text', name)
      if (!(await acts.unschedule(name))) throw unknownSchedule(name)
      return empty(204)
    },
  }
}

function scheduleView({ input, times, ...rest }: Schedule, include: ReadonlySet<Inclusion>): object {
  return { ...rest, times, ...(include.has('input') ? { input } : {}) }
}

function unknownSchedule(name: string): OptionError {
  return new OptionError(`No schedule called ${JSON.stringify(name)} is in the queue.`, {
    code: 'ERR_SCHEDULE_UNKNOWN',
  })
}
