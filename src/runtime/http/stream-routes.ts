/** Streams: what becomes of a task, or of all, as it happens. */
import { check } from '../check.ts'
import { checkParameters, inclusionsOf } from './http-query.ts'
import { empty, ID_PARAMETER, INCLUDE_PARAMETER, type Parameter, type Route, type Site } from './route.ts'
import { query, taskOf } from './task-routes.ts'
import { revisionOf, type TaskView } from './task-view.ts'

const LAST_EVENT_ID: Parameter = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'The id of the last event that was received: the stream goes on after it',
  schema: { type: 'string' },
}

const STREAM = {
  description: 'Server-sent events',
  schema: { type: 'string' },
  type: 'text/event-stream',
}

export function streamRoutes(site: Site): readonly Route[] {
  return [ofTask(site), ofAll(site)]
}

function ofTask(site: Site): Route {
  return {
    method: 'get',
    path: '/tasks/{id}/events',
    operationId: 'followTask',
    summary: 'A task, whenever it has changed, until it has ended: events `task` and `removed`',
    parameters: [ID_PARAMETER, INCLUDE_PARAMETER, LAST_EVENT_ID],
    answers: {
      200: STREAM,
      204: { description: 'It has ended, and the reader has seen that: nothing follows' },
    },
    problems: [404],
    async act({ raw, param, query: params }) {
      checkParameters(params, ['include'])
      const include = inclusionsOf(params)
      const seen = raw.headers.get('last-event-id') ?? undefined
      // One that it has been told of does not come back.
      if (seen === 'removed') return empty(204)
      const task = await taskOf(site, param('id'))
      if (task.endedAt !== undefined && seen === revisionOf(task)) return empty(204)
      return site.streams.ofTask(task, seen, include)
    },
  }
}

const FILTERS = ['name', 'schedule', 'parent'] as const

function ofAll({ streams }: Site): Route {
  return {
    method: 'get',
    path: '/events',
    operationId: 'followTasks',
    summary: 'Tasks as they come, run and end, and how many there are: events `hello`, `task` and `counts`',
    parameters: [
      query('name', 'Only tasks of these names, with commas'),
      query('schedule', 'Only occurrences of this schedule'),
      query('parent', 'Only children of this task'),
      LAST_EVENT_ID,
    ],
    answers: { 200: STREAM },
    async act({ raw, query: params }) {
      checkParameters(params, FILTERS)
      for (const [name, value] of params) check.text(`query.${name}`, value)
      const names = params.getAll('name').flatMap((value) => value.split(','))
      const [schedule, parent] = [params.get('schedule'), params.get('parent')]
      const isMeant = (task: TaskView): boolean =>
        (names.length === 0 || names.includes(task.name)) &&
        (schedule === null || task.schedule === schedule) &&
        (parent === null || task.parent === parent)
      return streams.ofAll(raw.headers.get('last-event-id') ?? undefined, isMeant)
    },
  }
}
