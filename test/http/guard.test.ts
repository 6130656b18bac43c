/** Who may ask: tokens, hosts and origins. */
import { describe, expect, test } from 'vitest'
import { createHttpHandler } from '../../src/runtime/http/index.ts'
import { testQueue } from '../durable/queue-kit.ts'
import { openApi } from './http-kit.ts'

const TOKEN = 'a-token-of-some-length'

describe('a token', () => {
  const wrong = [
    [undefined, 'none'],
    ['Bearer wrong-but-as-long-as-it', 'another one'],
    [`Basic ${TOKEN}`, 'another scheme'],
    [`Bearer ${TOKEN}x`, 'more than the token'],
    [`Bearer ${TOKEN.slice(1)}`, 'a part of it'],
    [`Bearer  `, 'an empty one'],
  ] as const
  test.each(wrong)('%s is refused (%s)', async (authorization) => {
    const { handler } = await openApi({ token: TOKEN, tasks: [] })
    for (const path of ['/tasks', '/openapi.json', '/events', '/status', '/tasks/x/events']) {
      const headers = authorization === undefined ? {} : { authorization }
      const response = await handler(new Request(`http://localhost${path}`, { headers }))
      const { code } = (await response.json()) as { code: string }
      expect([response.status, code, response.headers.get('www-authenticate')]).toEqual([
        401,
        'ERR_HTTP_TOKEN_MISSING',
        'Bearer realm="stateward"',
      ])
    }
  })

  test('lets whoever knows it in; probes need none', async () => {
    const { ask, handler } = await openApi({ token: TOKEN })
    expect((await ask('GET', '/tasks')).status).toBe(200)
    const scheme = await handler(
      new Request('http://localhost/tasks', { headers: { authorization: `bEARER ${TOKEN}` } }),
    )
    expect(scheme.status).toBe(200)
    for (const path of ['/healthz', '/readyz'])
      expect((await handler(new Request(`http://localhost${path}`))).status).toBe(200)
  })

  test('nothing is read of the body of a stranger', async () => {
    const { handler } = await openApi({ token: TOKEN })
    let isRead = false
    const body = new ReadableStream(
      {
        pull: () => {
          isRead = true
        },
      },
      { highWaterMark: 0 },
    )
    const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } }
    expect((await handler(new Request('http://localhost/tasks', init as RequestInit))).status).toBe(401)
    expect(isRead).toBe(false)
  })
})

describe('pages', () => {
  test('of another site may not ask, whatever they ask', async () => {
    const { ask, queue } = await openApi()
    const origin = 'http://evil.example'
    const body = { task: 'mail', input: 'x' }
    expect(await ask('POST', '/tasks', { body, headers: { origin } })).toMatchObject({
      status: 403,
      body: { code: 'ERR_HTTP_ORIGIN_REFUSED' },
    })
    for (const headers of [{ origin }, { origin: 'null' }, { origin: 'http://localhost:3000' }])
      expect((await ask('GET', '/tasks', { headers })).status).toBe(403)
    // A form needs nobody's leave, and has no such type.
    const headers = { 'content-type': 'text/plain' }
    expect((await ask('POST', '/tasks', { body, headers })).status).toBe(415)
    expect((await queue.list()).tasks).toEqual([])
    expect((await ask('GET', '/tasks', { headers: { origin: 'http://localhost' } })).status).toBe(200)
  })

  test('of a site that is let in are told so', async () => {
    const origin = 'https://app.example.org'
    const { ask, handler } = await openApi({ origins: [origin], token: TOKEN })
    const { status, headers } = await ask('GET', '/tasks', { headers: { origin } })
    expect([status, headers.get('access-control-allow-origin')]).toEqual([200, origin])
    const asked = await handler(
      new Request('http://localhost/tasks', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      }),
    )
    expect([asked.status, asked.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'Authorization,Content-Type,Last-Event-ID',
    ])
    const other = await ask('GET', '/tasks', { headers: { origin: 'https://app.example.org.evil.example' } })
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null])
  })
})

test('a name that is not ours is a page that pretends to be us', async () => {
  const { handler } = await openApi({ hosts: ['localhost', '[::1]'] })
  const ask = async (host: string) =>
    (await handler(new Request('http://localhost/tasks', { headers: { host } }))).status
  expect(await ask('localhost')).toBe(200)
  expect(await ask('LOCALHOST:8080')).toBe(200)
  expect(await ask('[::1]:8080')).toBe(200)
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1', '[::2]:8080', 'evil.example:80'])
    expect(await ask(host)).toBe(421)
})

test('options that will not do are refused before anything is served', async () => {
  const queue = await testQueue()
  const wrong: [object, RegExp][] = [
    [{ token: 'short' }, /token .* at least 16/],
    [{ token: 'with a space in it' }, /token/],
    [{ basePath: 'queue' }, /basePath/],
    [{ basePath: '/tasks/of/mine' }, /no path of the API/],
    [{ origins: ['https://app.example.org/'] }, /origins\[0\]/],
    [{ hosts: 'localhost' }, /hosts/],
    [{ tasks: {} }, /tasks/],
    [{ tasks: [{}] }, /tasks\[0\]/],
    [{ daemon: {} }, /daemon/],
    [{ queue: {} }, /queue/],
    [{ mounts: [{ path: 'x', fetch: () => new Response() }] }, /mounts\[0\].path/],
    [{ maxBodyByte: 1 }, /Did you mean "maxBodyBytes"/],
  ]
  for (const [options, text] of wrong) expect(() => createHttpHandler({ queue, ...options })).toThrow(text)
  expect(() => createHttpHandler({ queue, token: 'secretsecret' })).not.toThrow(/secretsecret/)
})

describe('mounts', () => {
  test('are asked before the API, by those who may', async () => {
    const seen: string[] = []
    const fetch = (request: Request): Response => {
      seen.push(new URL(request.url).pathname)
      return new Response('metrics')
    }
    const mounts = [
      { path: '/metrics', fetch },
      { path: '/page', fetch, isOpen: true },
    ]
    const { handler } = await openApi({ mounts, token: TOKEN, hosts: ['localhost'] })
    const ask = async (path: string, headers: Record<string, string> = {}) =>
      (await handler(new Request(`http://localhost${path}`, { headers }))).status
    expect(await ask('/metrics')).toBe(401)
    expect(await ask('/metrics', { authorization: `Bearer ${TOKEN}` })).toBe(200)
    expect(await ask('/page')).toBe(200)
    expect(await ask('/page/style.css')).toBe(200)
    expect(await ask('/pages')).toBe(404)
    expect(await ask('/page', { host: 'evil.example' })).toBe(421)
    expect(seen).toEqual(['/metrics', '/page', '/page/style.css'])
  })
})
