/** What openATTIC's task queue offers over HTTP, and where it is at fault. */
import { expect, test } from 'vitest'
import { taskqueueLocation } from '../../src/runtime/http/index.ts'
import { done, settle, take, workOff } from '../durable/queue-kit.ts'
import { mail, openApi } from '../http/http-kit.ts'

test('an unknown state is refused with the choices', async () => {
  const { ask } = await openApi()
  const { status, body } = await ask('GET', '/tasks?state=Aborted')
  expect(status).toBe(400)
  for (const state of [
    'scheduled',
    'queued',
    'running',
    'retrying',
    'snoozed',
    'finished',
    'failed',
    'cancelled',
    'terminated',
  ])
    expect(body.detail).toContain(`'${state}'`)
})

test('a task has its id, name, times, state, percent, description, result and estimated end', async () => {
  const { ask, queue } = await openApi()
  const { id } = await queue.enqueue(mail, 'ada')
  await workOff(queue, done({ sent: 1 }))
  const { body } = await ask('GET', `/tasks/${id}`)
  expect(body).toEqual({
    id,
    name: 'mail',
    description: 'mail to ada',
    metadata: {},
    state: 'finished',
    priority: 'normal',
    version: 1,
    attempt: 1,
    step: 0,
    result: { sent: 1 },
    createdBy: 'web',
    createdAt: expect.any(Number),
    runAt: expect.any(Number),
    startedAt: expect.any(Number),
    endedAt: expect.any(Number),
    holder: 'daemon',
  })
  const { id: other } = await queue.enqueue(mail, 'bob')
  const [task] = await take(queue)
  const { storeOf } = await import('../../src/runtime/durable/queue-access.ts')
  const store = storeOf(queue)
  const report = { id: other, fence: task?.fence as number, percent: 50, note: null }
  await store.do({ type: 'progress', at: store.now(), reports: [report] })
  const { progress, estimatedEndAt } = (await ask('GET', `/tasks/${other}`)).body
  expect([progress, estimatedEndAt]).toEqual([{ percent: 50 }, expect.any(Number)])
})

test('metadata with the names of fields hides none of them', async () => {
  const { ask, queue } = await openApi()
  const metadata = { id: 'x', state: 'failed', result: 1, error: null }
  const { id } = await queue.enqueue(mail, 'ada', { metadata })
  expect((await ask('GET', `/tasks/${id}`)).body).toMatchObject({ id, state: 'queued', metadata })
})

test('to end or to forget what has just ended, or just begun, is answered by what it is now', async () => {
  const { ask, queue } = await openApi()
  const { id } = await queue.enqueue(mail, 'ada')
  const seen = (await ask('GET', `/tasks/${id}`)).body
  expect(seen.state).toBe('queued')
  const [task] = await take(queue)
  // Its reader still believes that it waits.
  expect(await ask('DELETE', `/tasks/${id}`)).toMatchObject({ status: 409, body: { code: 'ERR_RUN_STATE' } })
  if (task !== undefined) await settle(queue, task, done('sent'))
  expect(await ask('POST', `/tasks/${id}/cancel`)).toMatchObject({
    status: 409,
    body: { code: 'ERR_RUN_STATE' },
  })
  expect((await ask('GET', `/tasks/${id}`)).body).toMatchObject({ state: 'finished', result: 'sent' })
})

test('no answer may be kept', async () => {
  const { ask, follow, queue } = await openApi()
  const { id } = await queue.enqueue(mail, 'ada')
  const answers = [
    await ask('GET', '/tasks'),
    await ask('GET', `/tasks/${id}`),
    await ask('GET', '/tasks/nobody'),
    await ask('POST', `/tasks/${id}/cancel`),
    await ask('DELETE', `/tasks/${id}`),
    await ask('GET', '/nothing'),
    await follow('/events'),
  ]
  for (const { headers } of answers) expect(headers.get('cache-control')).toBe('no-store')
  await (answers.at(-1) as { leave(): Promise<void> }).leave()
})

test('the location of a task is a header for any answer', () => {
  expect(taskqueueLocation('a/b c')).toEqual({ 'Taskqueue-Location': '/tasks/a%2Fb%20c' })
  expect(taskqueueLocation({ id: 'x' }, '/queue/')).toEqual({ 'Taskqueue-Location': '/queue/tasks/x' })
  const answer = new Response('made', {
    status: 202,
    headers: taskqueueLocation('x', 'https://tasks.example.org'),
  })
  expect(answer.headers.get('taskqueue-location')).toBe('https://tasks.example.org/tasks/x')
  for (const wrong of ['', undefined, null, {}, { id: 5 }, '\ud800', '.', '..'])
    expect(() => taskqueueLocation(wrong as string)).toThrow(/id of the task/)
})
