/** Operations on tasks and schedules: what they answer is in the document, and what they do is done. */
import { describe, expect, test } from 'vitest'
import { toStoredError } from '../../src/runtime/durable/stored-error.ts'
import { placeAround } from '../durable/daemon-kit.ts'
import { done, settle, take, workOff } from '../durable/queue-kit.ts'
import { deferred } from '../support/harness.ts'
import { mail, openApi } from './http-kit.ts'

test('the document is one of OpenAPI, and says what is there', async () => {
  const { contract } = await openApi()
  expect(await contract.faults()).toBeUndefined()
  const operations = Object.values(contract.document.paths).flatMap(Object.keys)
  expect(operations.length).toBeGreaterThan(15)
  expect(JSON.stringify(contract.document)).not.toContain('metadata.{')
  expect(contract.takes('QueueStatus', { engine: 'sqlite' })).toBe(false)
  const withToken = await openApi({ token: 'x'.repeat(16), basePath: '/queue' })
  expect(await withToken.contract.faults()).toBeUndefined()
})

describe('submit', () => {
  test('stores a task that is registered, and says where it is', async () => {
    const { ask, queue } = await openApi()
    const { status, headers, body } = await ask('POST', '/tasks', { body: { task: 'mail', input: 'ada' } })
    expect({ status, body }).toEqual({ status: 201, body: { id: expect.any(String), existing: false } })
    expect(headers.get('location')).toBe(`/tasks/${body.id}`)
    expect(headers.get('taskqueue-location')).toBe(`/tasks/${body.id}`)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(await queue.get(body.id)).toMatchObject({ name: 'mail', input: 'ada', description: 'mail to ada' })
  })

  test('takes its options: band, instant, key, id, metadata', async () => {
    const { ask, queue } = await openApi()
    const given = {
      task: 'mail',
      input: 'ada',
      priority: 'high',
      runAt: '2100-01-01T00:00:00Z',
      key: 'k',
      runId: 'a/b %2F?',
      metadata: { user: 5 },
      description: 'a letter',
      deadlineMs: 5_000,
    }
    const first = await ask('POST', '/tasks', { body: given })
    expect(first.body).toEqual({ id: 'a/b %2F?', existing: false })
    const { body } = await ask('GET', first.headers.get('location') as string)
    expect(body).toMatchObject({
      id: 'a/b %2F?',
      priority: 'high',
      state: 'scheduled',
      runAt: Date.UTC(2100, 0),
      key: 'k',
      metadata: { user: 5 },
      description: 'a letter',
    })
    const again = await ask('POST', '/tasks', { body: { task: 'mail', input: 'bob', key: 'k' } })
    expect([again.status, again.body]).toEqual([200, { id: 'a/b %2F?', existing: true }])
    const newer = await ask('POST', '/tasks', {
      body: { task: 'mail', input: 'bob', key: 'k', onConflict: 'replace' },
    })
    expect(newer.body).toMatchObject({ existing: false, replaced: 'a/b %2F?' })
    const rejected = await ask('POST', '/tasks', {
      body: { task: 'mail', input: 'cyd', key: 'k', onConflict: 'reject' },
    })
    expect([rejected.status, rejected.body.code]).toEqual([409, 'ERR_TASK_KEY_TAKEN'])
    expect(await queue.counts()).toMatchObject({ queued: 1, terminated: 1 })
  })

  const refused: [string, object | string, number, string, RegExp][] = [
    [
      'a task that is not registered',
      { task: 'mial' },
      422,
      'ERR_TASK_EXPORT_MISSING',
      /Did you mean "mail"/,
    ],
    [
      'a task of this package',
      { task: 'chain', input: { calls: [] } },
      422,
      'ERR_TASK_EXPORT_MISSING',
      /chain/,
    ],
    ['no task', { input: 1 }, 400, 'ERR_OPTION_INVALID', /task/],
    [
      'an input that its schema refuses',
      { task: 'square', input: { n: 'x' } },
      422,
      'ERR_INPUT_INVALID',
      /square/,
    ],
    [
      'a call in an input',
      { task: 'mail', input: { '$stateward.call': { name: 'square' } } },
      422,
      'ERR_VALUE_NOT_STORABLE',
      /reserved/,
    ],
    ['an option that does not exist', { task: 'mail', prio: 'high' }, 400, 'ERR_OPTION_UNKNOWN', /prio/],
    ['where it runs', { task: 'mail', execution: 'process' }, 400, 'ERR_OPTION_UNKNOWN', /execution/],
    ['a band that does not exist', { task: 'mail', priority: 'hihg' }, 400, 'ERR_OPTION_INVALID', /"high"/],
    ['an instant that is none', { task: 'mail', runAt: 'tomorrow' }, 400, 'ERR_OPTION_INVALID', /tomorrow/],
    [
      'an instant without its zone',
      { task: 'mail', runAt: '2100-01-01T00:00' },
      400,
      'ERR_OPTION_INVALID',
      /instant/,
    ],
    [
      'a day that does not exist',
      { task: 'mail', runAt: '2100-02-30T00:00:00Z' },
      400,
      'ERR_OPTION_INVALID',
      /body\.runAt/,
    ],
    ['a day without its zone', { task: 'mail', runAt: '2100-01-01' }, 400, 'ERR_OPTION_INVALID', /ISO 8601/],
    ['a year', { task: 'mail', expiresAt: '2100' }, 400, 'ERR_OPTION_INVALID', /body\.expiresAt/],
    ['an endless delay', { task: 'mail', delayMs: 1e300 }, 400, 'ERR_OPTION_INVALID', /body\.delayMs/],
    ['two instants', { task: 'mail', delayMs: 1, runAt: 1 }, 400, 'ERR_OPTION_INVALID', /not both/],
    [
      'half a character as an id',
      { task: 'mail', runId: '\ud800' },
      400,
      'ERR_OPTION_INVALID',
      /body\.runId/,
    ],
    ['NUL as an id', { task: 'mail', runId: '\0' }, 400, 'ERR_OPTION_INVALID', /body\.runId/],
    ['an id that no path can say', { task: 'mail', runId: '..' }, 400, 'ERR_OPTION_INVALID', /body\.runId/],
    ['a long id', { task: 'mail', runId: 'x'.repeat(513) }, 400, 'ERR_OPTION_INVALID', /at most 512/],
    ['a prototype', '{"task":"mail","__proto__":{"x":1}}', 400, 'ERR_OPTION_UNKNOWN', /__proto__/],
    ['no JSON', '{"task":', 400, 'ERR_HTTP_REQUEST_INVALID', /JSON/],
    ['no object', '[]', 400, 'ERR_HTTP_REQUEST_INVALID', /object/],
    ['nothing', '', 415, 'ERR_HTTP_MEDIA_TYPE_REFUSED', /content-type/],
  ]
  test.each(refused)('refuses %s', async (_what, body, status, code, detail) => {
    const { ask, queue } = await openApi()
    const headers = body === '' ? { 'content-type': '' } : {}
    const answer = await ask('POST', '/tasks', { body, headers })
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.body.detail).toMatch(detail)
    expect(answer.body).toMatchObject({ type: 'about:blank', status })
    expect((await queue.list()).tasks).toEqual([])
  })

  test('refuses a body that is too large, without reading all of it', async () => {
    const { ask, handler } = await openApi({ maxBodyBytes: 1_000 })
    const body = { task: 'mail', input: 'x'.repeat(1_000) }
    expect(await ask('POST', '/tasks', { body })).toMatchObject({
      status: 413,
      body: { code: 'ERR_HTTP_BODY_TOO_LARGE' },
    })
    let sent = 0
    const endless = new ReadableStream({
      pull(controller) {
        sent += 1
        controller.enqueue(new Uint8Array(600))
      },
    })
    const request = new Request('http://localhost/tasks', {
      method: 'POST',
      body: endless,
      headers: { 'content-type': 'application/json' },
      duplex: 'half',
    } as RequestInit)
    const refused = await handler(request)
    expect(refused.status).toBe(413)
    // What is left of the body is on the way: a server that does not read it cannot take another request there.
    expect(refused.headers.get('connection')).toBe('close')
    expect(sent).toBeLessThan(10)
  })

  test.each([
    ['whoever sent it has left: no error of the program', true, 400, []],
    ['anything else: its log says what', false, 500, [{ level: 50, err: { message: 'no more' } }]],
  ])('a body that breaks off, since %s', async (_why, hasLeft, status, said) => {
    const { handler, lines } = await openApi()
    const left = new AbortController()
    const request = new Request('http://localhost/tasks', {
      method: 'POST',
      body: new ReadableStream({
        pull(controller) {
          if (hasLeft) left.abort()
          controller.error(new Error('no more'))
        },
      }),
      headers: { 'content-type': 'application/json' },
      signal: left.signal,
      duplex: 'half',
    } as RequestInit)
    expect((await handler(request)).status).toBe(status)
    expect(lines).toMatchObject(said)
    expect(lines).toHaveLength(said.length)
  })

  test('refuses an input that is too large for the queue', async () => {
    const { ask } = await openApi()
    const body = { task: 'mail', input: 'x'.repeat(1_100_000) }
    expect(await ask('POST', '/tasks', { body })).toMatchObject({
      status: 413,
      body: { code: 'ERR_VALUE_TOO_LARGE' },
    })
  })
})

describe('list', () => {
  test('filters, and goes on from page to page', async () => {
    const { ask, queue } = await openApi()
    for (const to of ['a', 'b', 'c', 'd', 'e']) await queue.enqueue(mail, to, { metadata: { to, n: 1 } })
    const { body: first } = await ask('GET', '/tasks?limit=2&order=oldest')
    expect(first.tasks.map(({ metadata }: { metadata: { to: string } }) => metadata.to)).toEqual(['a', 'b'])
    const { body: second } = await ask('GET', `/tasks?limit=3&order=oldest&after=${first.next}`)
    expect(second.tasks).toHaveLength(3)
    expect(second.next).toBeUndefined()
    const one = await ask('GET', '/tasks?metadata.to=c&metadata.n=1&state=queued,running&name=mail')
    expect(one.body.tasks).toHaveLength(1)
    expect((await ask('GET', '/tasks?metadata.n="1"')).body.tasks).toEqual([])
    expect((await ask('GET', '/tasks?state=finished&state=failed')).body.tasks).toEqual([])
    expect((await ask('GET', '/tasks?createdFrom=2100-01-01T00:00:00Z')).body.tasks).toEqual([])
    expect((await ask('GET', `/tasks?createdBefore=${Date.UTC(2100, 0)}&limit=1`)).body.tasks).toHaveLength(1)
    expect((await ask('GET', '/counts')).body).toMatchObject({ queued: 5, running: 0 })
  })

  test('a page of large tasks is cut, and nothing of it is lost', async () => {
    const { ask, queue } = await openApi()
    const text = 'x'.repeat(200_000)
    await queue.enqueueMany(
      Array.from({ length: 120 }, (_, n) => ({
        call: mail.call(text),
        runId: `r${n}`,
        description: 'large',
      })),
    )
    const { body: all } = await ask('GET', '/tasks?limit=120&order=oldest')
    expect([all.tasks.length, all.next]).toEqual([120, undefined])
    const seen: string[] = []
    for (let after = ''; ; ) {
      const { body } = await ask('GET', `/tasks?limit=120&order=oldest&include=input${after}`)
      expect(body.tasks.length).toBeLessThan(120)
      seen.push(...body.tasks.map(({ id }: { id: string }) => id))
      if (body.next === undefined) break
      after = `&after=${body.next}`
    }
    expect(seen).toEqual(Array.from({ length: 120 }, (_, n) => `r${n}`))
  })

  test('shows no input and no stack unless asked', async () => {
    const { ask, queue } = await openApi()
    const { id } = await queue.enqueue(mail, 'secret')
    await workOff(queue, { kind: 'failed', error: toStoredError(new RangeError('too far')), reason: 'threw' })
    const { body } = await ask('GET', `/tasks/${id}`)
    expect(body).not.toHaveProperty('input')
    expect(body.error).toEqual({ name: 'RangeError', message: 'too far', properties: {} })
    const { body: all } = await ask('GET', `/tasks/${id}?include=input,stack`)
    expect(all.input).toBe('secret')
    expect(all.error.stack).toMatch(/RangeError: too far\n/)
    const { body: page } = await ask('GET', '/tasks?include=input')
    expect(page.tasks[0].input).toBe('secret')
  })

  const wrong = [
    ['/tasks?state=don', 400, 'ERR_OPTION_INVALID', /'scheduled', 'queued'/],
    ['/tasks?stat=done', 400, 'ERR_OPTION_UNKNOWN', /Did you mean "state"/],
    ['/tasks?limit=many', 400, 'ERR_OPTION_INVALID', /many/],
    ['/tasks?limit=1001', 400, 'ERR_OPTION_INVALID', /at most 1000/],
    ['/tasks?limit=1&limit=2', 400, 'ERR_OPTION_INVALID', /once/],
    ['/tasks?createdFrom=2027-02-30T00:00:00Z', 400, 'ERR_OPTION_INVALID', /query.createdFrom/],
    ['/tasks?createdFrom=2027-02-03', 400, 'ERR_OPTION_INVALID', /with its zone/],
    ['/tasks?after=x', 400, 'ERR_OPTION_INVALID', /next/],
    ['/tasks?include=all', 400, 'ERR_OPTION_INVALID', /input, stack/],
    ['/tasks/nobody', 404, 'ERR_RUN_UNKNOWN', /nobody/],
    ['/tasks/nobody/log', 404, 'ERR_RUN_UNKNOWN', /nobody/],
    ['/tasks/nobody/events', 404, 'ERR_RUN_UNKNOWN', /nobody/],
    ['/nothing', 404, 'ERR_HTTP_NOT_FOUND', /nothing/],
    ['/events?state=queued', 400, 'ERR_OPTION_UNKNOWN', /state/],
  ] as const
  test.each(wrong)('%s is %i %s', async (path, status, code, detail) => {
    const { ask } = await openApi()
    const answer = await ask('GET', path)
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.body.detail).toMatch(detail)
  })
})

describe('acts', () => {
  test('cancel ends what waits, and asks for the end of what runs', async () => {
    const { ask, queue } = await openApi()
    const [waiting, running] = await queue.enqueueMany([
      mail.call('a'),
      { call: mail.call('b'), priority: 'high' },
    ])
    const path = `/tasks/${waiting?.id}/cancel`
    expect(await ask('POST', path, { body: { reason: 'enough' } })).toMatchObject({
      status: 200,
      body: { result: 'cancelled' },
    })
    const again = await ask('POST', path)
    expect(again).toMatchObject({ status: 409, body: { code: 'ERR_RUN_STATE' } })
    expect((await queue.get(waiting?.id as string))?.reason).toBe('enough')
    await take(queue)
    expect(await ask('POST', `/tasks/${running?.id}/cancel`)).toMatchObject({
      status: 202,
      body: { result: 'asked' },
    })
    expect((await ask('GET', `/tasks/${running?.id}`)).body.endRequest).toMatchObject({ by: 'web' })
    expect(await ask('POST', `/tasks/${running?.id}/cancel`, { body: { why: 1 } })).toMatchObject({
      status: 400,
    })
    expect(await ask('POST', '/tasks/nobody/cancel')).toMatchObject({ status: 404 })
  })

  test('retry, move, remove, and the log of all that', async () => {
    const { ask, queue } = await openApi()
    const { id } = await queue.enqueue(mail, 'a')
    const moved = await ask('POST', `/tasks/${id}/move`, { body: { runAt: '2100-01-01T00:00:00Z' } })
    expect(moved.body).toMatchObject({ state: 'scheduled', runAt: Date.UTC(2100, 0) })
    expect((await ask('POST', `/tasks/${id}/move`, { body: {} })).status).toBe(400)
    await ask('POST', `/tasks/${id}/cancel`)
    expect((await ask('POST', `/tasks/${id}/move`, { body: { runAt: 0 } })).status).toBe(409)
    expect((await ask('POST', `/tasks/${id}/retry`, { body: { runAt: 'never' } })).status).toBe(400)
    expect((await ask('POST', `/tasks/${id}/retry`)).body).toMatchObject({ state: 'queued' })
    const [task] = await take(queue)
    expect(await ask('DELETE', `/tasks/${id}`)).toMatchObject({
      status: 409,
      body: { code: 'ERR_RUN_STATE' },
    })
    if (task !== undefined) await settle(queue, task, done({ answer: 42 }))
    expect((await ask('GET', `/tasks/${id}`)).body).toMatchObject({
      state: 'finished',
      result: { answer: 42 },
    })
    const { body } = await ask('GET', `/tasks/${id}/log`)
    expect(body.entries.map(({ act }: { act: string }) => act)).toEqual([
      'created',
      'moved',
      'cancelled',
      'retried',
      'started',
      'finished',
    ])
    expect(body.entries[1]).toMatchObject({ act: 'moved', runAt: Date.UTC(2100, 0) })
    expect((await ask('DELETE', `/tasks/${id}`)).status).toBe(204)
    expect((await ask('DELETE', `/tasks/${id}`)).status).toBe(404)
    expect((await ask('POST', `/tasks/${id}/retry`)).status).toBe(404)
  })

  test('the log tells errors as tasks do, their stacks only to whoever asks, and what else was said', async () => {
    const { ask, queue, contract } = await openApi()
    const { id } = await queue.enqueue(mail, 'a')
    const error = toStoredError(Object.assign(new RangeError('too far'), { code: 'E_FAR' }))
    await workOff(queue, { kind: 'retry', runAt: 0, error })
    await workOff(queue, { kind: 'failed', error, reason: 'threw' })
    const told = { name: 'RangeError', message: 'too far', code: 'E_FAR', properties: {} }
    const { body } = await ask('GET', `/tasks/${id}/log`)
    const ends = body.entries.filter(({ error: thrown }: { error?: object }) => thrown !== undefined)
    expect(ends).toMatchObject([
      { act: 'attemptFailed', error: told },
      { act: 'failed', error: told },
    ])
    expect(JSON.stringify(body)).not.toMatch(/stack|at .*\.ts/)
    const { body: all } = await ask('GET', `/tasks/${id}/log?include=stack`)
    expect(all.entries.at(-1).error.stack).toMatch(/RangeError: too far\n/)
    expect((await ask('GET', `/tasks/${id}/log?include=input`)).status).toBe(400)
    const other = await queue.enqueue(mail, 'b')
    await queue.cancel(other.id, 'enough')
    const { body: cancelled } = await ask('GET', `/tasks/${other.id}/log`)
    expect(cancelled.entries.at(-1)).toMatchObject({ act: 'cancelled', reason: 'enough' })
    expect(contract.takes('TaskLog', { entries: [{ ...cancelled.entries[0], detail: 'x' }] })).toBe(false)
  })

  test('schedules are made, changed, listed and taken away', async () => {
    const { ask, queue } = await openApi()
    const body = { task: 'mail', input: 'ada', cron: '0 18 * * *', timezone: 'Europe/Berlin', missed: 'once' }
    const made = await ask('PUT', '/schedules/daily%20mail', { body })
    expect(made.body).toMatchObject({
      name: 'daily mail',
      task: 'mail',
      state: 'waiting',
      times: { missed: 'once' },
    })
    expect(made.body).not.toHaveProperty('input')
    expect((await ask('GET', '/schedules?include=input')).body.schedules).toMatchObject([{ input: 'ada' }])
    expect((await ask('GET', '/schedules/daily%20mail')).body).toEqual(made.body)
    const wrong = [
      [{ ...body, cron: '61 * * * *' }, 422, 'ERR_SCHEDULE_INVALID'],
      [{ ...body, timezone: 'Mars/Base' }, 422, 'ERR_TIMEZONE_UNKNOWN'],
      [{ ...body, everyMs: 5 }, 400, 'ERR_OPTION_INVALID'],
      [{ ...body, task: 'chain' }, 422, 'ERR_TASK_EXPORT_MISSING'],
      [{ ...body, runId: 'x' }, 400, 'ERR_OPTION_UNKNOWN'],
    ] as const
    for (const [given, status, code] of wrong) {
      const answer = await ask('PUT', '/schedules/other', { body: given })
      expect([answer.status, answer.body.code]).toEqual([status, code])
    }
    expect(await queue.schedules()).toHaveLength(1)
    const ended = { task: 'mail', everyMs: 60_000, startAt: '2100-01-01T00:00:00Z', enabled: false }
    expect((await ask('PUT', '/schedules/daily%20mail', { body: ended })).body).toMatchObject({
      state: 'disabled',
    })
    expect((await ask('DELETE', '/schedules/daily%20mail')).status).toBe(204)
    expect(await ask('DELETE', '/schedules/daily%20mail')).toMatchObject({
      status: 404,
      body: { code: 'ERR_SCHEDULE_UNKNOWN' },
    })
    expect((await ask('GET', '/schedules/daily%20mail')).status).toBe(404)
  })
})

describe('the server itself', () => {
  test('says whether it is well, what it runs and how much waits', async () => {
    const { ask, queue } = await openApi()
    expect((await ask('GET', '/healthz')).body).toEqual({ status: 'ok' })
    expect((await ask('GET', '/readyz')).body).toEqual({ status: 'ready' })
    expect((await ask('GET', '/definitions')).body.tasks).toEqual([
      { name: 'mail', version: 1 },
      { name: 'square', version: 1 },
    ])
    expect((await ask('GET', '/status')).body).toMatchObject({ waiting: 0, daemons: [] })
    await queue.close()
    expect((await ask('GET', '/healthz')).status).toBe(200)
    expect(await ask('GET', '/readyz')).toMatchObject({ status: 503, body: { code: 'ERR_HTTP_NOT_READY' } })
  })

  test('a queue that cannot be asked is 503, and tells nothing of itself but to the log', async () => {
    const { ask, queue, lines } = await openApi()
    await queue.close()
    const { status, body, headers } = await ask('GET', '/tasks')
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'ERR_STORE_CLOSED', '1'])
    expect(body.detail).not.toMatch(/queue is closed/)
    expect(lines).toMatchObject([{ msg: 'a request could not be answered' }])
  })

  test('knows the methods of a path', async () => {
    const { ask, handler } = await openApi()
    const { status, headers } = await ask('PATCH', '/tasks')
    expect([status, headers.get('allow')]).toEqual([405, 'GET, POST, HEAD'])
    const head = await handler(new Request('http://localhost/tasks', { method: 'HEAD' }))
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  test('one that does not answer is waited for so long, and no longer', async () => {
    const gate = deferred<void>()
    const { queue } = await placeAround(
      (commit) => (operations) => gate.promise.then(() => commit(operations)),
    )
    const { ask } = await openApi({ queue, timeoutMs: 50 })
    const late = await ask('POST', '/tasks', { body: { task: 'mail', input: 'x' } })
    expect(late).toMatchObject({ status: 503, body: { code: 'ERR_HTTP_OVERDUE' } })
    expect(late.body.detail).toMatch(/nobody knows/)
    // What only reads is answered.
    expect((await ask('GET', '/tasks')).body.tasks).toEqual([])
    gate.resolve()
    await queue.close()
  })

  test('once closed it sends everybody away', async () => {
    const { ask, handler } = await openApi()
    await handler.close()
    expect(await ask('GET', '/tasks')).toMatchObject({ status: 503, body: { code: 'ERR_HTTP_CLOSED' } })
  })
})
