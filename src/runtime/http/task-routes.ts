/** Operations on tasks that every source has. */

import { PRIORITIES } from '../../machines/model.ts'
import { check, checkOptions } from '../check.ts'
import type { EnqueueOptions } from '../durable/enqueue-options.ts'
import { unknownTask } from '../durable/queue-error.ts'
import type { StoredTask } from '../durable/stored-task.ts'
import { MOST_TASKS, type StoredTaskQuery } from '../durable/task-query.ts'
import { checkParameters, inclusionsOf, taskQueryOf } from './http-query.ts'
import { moment, STATES } from './openapi-schemas.ts'
import {
  ID_PARAMETER,
  INCLUDE_PARAMETER,
  json,
  jsonText,
  type Parameter,
  type Route,
  ref,
  type Site,
} from './route.ts'
import { submissionOf } from './submission.ts'
import type { TaskService } from './task-service.ts'
import { taskView } from './task-view.ts'

export const query = (name: string, description: string, schema: object = { type: 'string' }): Parameter => ({
  name,
  in: 'query',
  description,
  schema: schema as Parameter['schema'],
})

/** @throws OptionError (`ERR_RUN_UNKNOWN`) */
export async function taskOf({ service }: Site, id: string): Promise<StoredTask> {
  const [task] = await service.get([id])
  if (task === undefined) throw unknownTask(id)
  return task
}

export function taskRoutes(site: Site): readonly Route[] {
  return [list(site), get(site), submit(site), cancel(site), definitions(site)]
}

function list({ service }: Site): Route {
  return {
    method: 'get',
    path: '/tasks',
    operationId: 'listTasks',
    summary: 'Tasks that match, in pages; one of large tasks may be shorter than `limit`',
    description:
      'Members of the metadata are parameters, too, each with the name `metadata.` and its own: `metadata.user=5`. ' +
      'What is JSON is that value, all else is a text: `metadata.user="5"` is the text with one digit.',
    parameters: [
      query('state', 'One or more, with commas', {
        type: 'string',
        pattern: `^(${STATES.join('|')})(,(${STATES.join('|')}))*$`,
      }),
      query('name', 'Names of tasks, with commas'),
      query('key', 'Of the task with this key'),
      query('schedule', 'Occurrences of this schedule'),
      query('parent', 'Children of this task'),
      query('createdFrom', 'Stored from then on', moment),
      query('createdBefore', 'Stored before', moment),
      query('endedFrom', 'Ended from then on', moment),
      query('endedBefore', 'Ended before', moment),
      query('order', 'By the order of storing', { enum: ['newest', 'oldest'], default: 'newest' }),
      query('limit', 'Of one page', { type: 'integer', minimum: 1, maximum: 1_000, default: 100 }),
      query('after', '`next` of the page before'),
      INCLUDE_PARAMETER,
    ],
    answers: { 200: { description: 'A page of tasks', schema: ref('TaskPage') } },
    async act({ query: params }) {
      const include = inclusionsOf(params)
      const { texts, next } = await pageOf(service, taskQueryOf(params), (task) =>
        JSON.stringify(taskView(task, include)),
      )
      return jsonText(
        `{"tasks":[${texts.join(',')}]${next === undefined ? '' : `,"next":${JSON.stringify(next)}`}}`,
      )
    },
  }
}

/** Inputs and results may be large: so many at a time, until the page is long enough for one answer. */
const TASKS_PER_READ = 50
const MOST_CHARACTERS = 8 * 1_048_576

/** @throws OptionError for a wrong query */
async function pageOf(
  service: TaskService,
  wanted: StoredTaskQuery,
  toText: (task: StoredTask) => string,
): Promise<{ readonly texts: readonly string[]; readonly next: string | undefined }> {
  const { limit = 100 } = wanted
  const texts: string[] = []
  let characters = 0
  // What is no limit is refused by the first read.
  let query = { ...wanted, limit: limit > TASKS_PER_READ && limit <= MOST_TASKS ? TASKS_PER_READ : limit }
  for (;;) {
    const { tasks, next } = await service.list(query)
    for (const task of tasks) {
      const text = toText(task)
      characters += text.length
      texts.push(text)
    }
    const left = limit - texts.length
    if (next === undefined || left <= 0 || characters > MOST_CHARACTERS) return { texts, next }
    query = { ...query, after: next, limit: Math.min(left, TASKS_PER_READ) }
  }
}

function get(site: Site): Route {
  return {
    method: 'get',
    path: '/tasks/{id}',
    operationId: 'getTask',
    summary: 'One task',
    parameters: [ID_PARAMETER, INCLUDE_PARAMETER],
    answers: { 200: { description: 'The task', schema: ref('Task') } },
    problems: [404],
    async act({ param, query: params }) {
      checkParameters(params, ['include'])
      const include = inclusionsOf(params)
      return json(taskView(await taskOf(site, param('id')), include))
    },
  }
}

function submit({ service, definitions: known, links }: Site): Route {
  const headers = ['Location', 'Taskqueue-Location']
  return {
    method: 'post',
    path: '/tasks',
    operationId: 'submitTask',
    summary: 'Begins a task that is registered',
    body: ref('Submission'),
    answers: {
      200: { description: 'A live task with its key was there', schema: ref('QueuedTask'), headers },
      201: { description: 'It is there for good', schema: ref('QueuedTask'), headers },
    },
    problems: [409, 422],
    async act({ body, query: params }) {
      checkParameters(params, [])
      const { definition, input, options } = submissionOf<EnqueueOptions>(body, known, service.body)
      const { id, existing, replaced } = await service.submit(definition, input, options)
      const at = links.task(id)
      return json({ id, existing, replaced }, existing ? 200 : 201, {
        location: at,
        'taskqueue-location': at,
      })
    },
  }
}

function cancel({ service }: Site): Route {
  return {
    method: 'post',
    path: '/tasks/{id}/cancel',
    operationId: 'cancelTask',
    summary: 'Ends a task: at once if it waits, else whoever runs it is asked to',
    parameters: [ID_PARAMETER],
    body: ref('CancelRequest'),
    isBodyOptional: true,
    answers: {
      200: { description: 'It has ended', schema: ref('Cancelled') },
      202: { description: 'It will', schema: ref('Cancelled') },
    },
    problems: [404, 409],
    async act({ param, body }) {
      checkOptions('body', body, { reason: check.text })
      const result = await service.cancel(param('id'), body.reason as string | undefined)
      return json({ result }, result === 'asked' ? 202 : 200)
    },
  }
}

function definitions({ definitions: known }: Site): Route {
  return {
    method: 'get',
    path: '/definitions',
    operationId: 'listDefinitions',
    summary: 'What may be submitted',
    answers: { 200: { description: 'By name', schema: ref('DefinitionList') } },
    async act() {
      const tasks = [...known.values()].map((definition) => {
        const { version = 1, priority } =
          (definition as { options?: { version?: number; priority?: string } }).options ?? {}
        return { name: definition.name, version, priority: PRIORITIES.find((band) => band === priority) }
      })
      return json({ tasks: tasks.sort((a, b) => (a.name < b.name ? -1 : 1)) })
    },
  }
}
