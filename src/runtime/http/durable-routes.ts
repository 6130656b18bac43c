/** Operations on tasks that outlive processes. */
import { refuse } from '../check.ts'
import { checkParameters, inclusionsOf } from './http-query.ts'
import { logView } from './log-view.ts'
import {
  empty,
  ID_PARAMETER,
  INCLUDE_PARAMETER,
  json,
  type Parameter,
  type Route,
  ref,
  type Site,
} from './route.ts'
import { checkedBody, MOVE_BODY } from './submission.ts'
import { taskOf } from './task-routes.ts'
import type { DurableActs } from './task-service.ts'
import { taskView } from './task-view.ts'

const NOTHING = new Set<never>()

const LOG_INCLUDE: Parameter = {
  ...INCLUDE_PARAMETER,
  description: 'What is only shown to whoever asks: `stack`, of errors',
  schema: { type: 'string', enum: ['stack'] },
}

export function durableRoutes(site: Site, acts: DurableActs): readonly Route[] {
  return [retry(site, acts), move(site, acts), remove(acts), log(site, acts)]
}

function retry(site: Site, acts: DurableActs): Route {
  return {
    method: 'post',
    path: '/tasks/{id}/retry',
    operationId: 'retryTask',
    summary: 'Runs a task once more that failed, was cancelled or terminated',
    parameters: [ID_PARAMETER],
    body: ref('RetryRequest'),
    isBodyOptional: true,
    answers: { 200: { description: 'The task as it is now', schema: ref('Task') } },
    problems: [404, 409],
    async act({ param, body }) {
      const { runAt } = checkedBody(body, MOVE_BODY)
      await acts.retry(param('id'), runAt === undefined ? {} : { runAt: runAt as number })
      return json(taskView(await taskOf(site, param('id')), NOTHING))
    },
  }
}

function move(site: Site, acts: DurableActs): Route {
  return {
    method: 'post',
    path: '/tasks/{id}/move',
    operationId: 'moveTask',
    summary: 'Changes when a waiting task may run',
    parameters: [ID_PARAMETER],
    body: ref('MoveRequest'),
    answers: { 200: { description: 'The task as it is now', schema: ref('Task') } },
    problems: [404, 409],
    async act({ param, body }) {
      const { runAt } = checkedBody(body, MOVE_BODY)
      if (runAt === undefined) refuse('body.runAt', 'given', runAt)
      await acts.move(param('id'), runAt as number)
      return json(taskView(await taskOf(site, param('id')), NOTHING))
    },
  }
}

function remove(acts: DurableActs): Route {
  return {
    method: 'delete',
    path: '/tasks/{id}',
    operationId: 'removeTask',
    summary: 'Forgets a task that does not run, and its log',
    parameters: [ID_PARAMETER],
    answers: { 204: { description: 'It is gone' } },
    problems: [404, 409],
    async act({ param }) {
      await acts.remove(param('id'))
      return empty(204)
    },
  }
}

function log(site: Site, acts: DurableActs): Route {
  return {
    method: 'get',
    path: '/tasks/{id}/log',
    operationId: 'getTaskLog',
    summary: 'What was done to a task, and by whom, oldest first',
    parameters: [ID_PARAMETER, LOG_INCLUDE],
    answers: { 200: { description: 'The last hundred entries at least', schema: ref('TaskLog') } },
    problems: [404],
    async act({ param, query }) {
      checkParameters(query, ['include'])
      const withStack = inclusionsOf(query, ['stack']).has('stack')
      const { id } = await taskOf(site, param('id'))
      return json({ entries: (await acts.log(id)).map((entry) => logView(entry, withStack)) })
    },
  }
}
