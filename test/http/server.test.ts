/** The API on a port: real connections, slow ones, many, and a stop at any moment. */
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type HttpServer, type HttpServerOptions, serveHttp } from '../../src/runtime/http/index.ts'
import { testQueue } from '../durable/queue-kit.ts'
import { memoryLogger } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { clientOf, mail, square } from './http-kit.ts'

const TOKEN = 'a-token-of-some-length'

async function start(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const queue = options.queue ?? (await testQueue())
  const server = await serveHttp({ tasks: [mail, square], logger: memoryLogger([]), ...options, queue })
  onTestFinished(() => server.close({ wait: 0 }))
  return server
}

/** Speaks for itself. */
async function raw({ port }: HttpServer, text = ''): Promise<{ socket: Socket; said(): Promise<string> }> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  socket.write(text)
  return {
    socket,
    async said() {
      await closed
      return Buffer.concat(chunks).toString()
    },
  }
}

const problemIn = (said: string): unknown => JSON.parse(said.slice(said.indexOf('\r\n\r\n') + 4))

test('serves on this machine only, and tells where', async () => {
  const server = await start()
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
  const { ask, contract } = await clientOf(fetch, server.url)
  expect(await contract.faults()).toBeUndefined()
  const { headers } = await ask('POST', '/tasks', { body: { task: 'mail', input: 'ada' } })
  expect((await ask('GET', headers.get('location') as string)).body.state).toBe('queued')
  expect((await ask('GET', '/tasks?limit=0')).status).toBe(400)
})

test('says how long an answer is, in bytes, and also to pages of other sites and to HEAD', async () => {
  const server = await start({ origins: ['https://app.example'] })
  const headers = { 'content-type': 'application/json', origin: 'https://app.example' }
  const body = JSON.stringify({ task: 'mail', input: 'ada', runId: 'Zoë ☎' })
  const posted = await fetch(`${server.url}/tasks`, { method: 'POST', headers, body })
  const bytes = await posted.arrayBuffer()
  expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({ id: 'Zoë ☎' })
  expect(Number(posted.headers.get('content-length'))).toBe(bytes.byteLength)
  expect(posted.headers.get('access-control-allow-origin')).toBe('https://app.example')
  const at = server.url + posted.headers.get('location')
  const head = await fetch(at, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
    200,
    'application/json',
    '',
  ])
  const got = await fetch(at)
  expect(Number(got.headers.get('content-length'))).toBe((await got.arrayBuffer()).byteLength)
})

describe('is refused', () => {
  test('another host without a token', async () => {
    const queue = await testQueue()
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org'])
      await expect(serveHttp({ queue, host })).rejects.toThrow(/expected a token/)
    const server = await start({ host: '0.0.0.0', token: TOKEN })
    const { ask } = await clientOf(fetch, `http://127.0.0.1:${server.port}`, TOKEN)
    expect((await ask('GET', '/tasks')).status).toBe(200)
  })

  test('a port that is taken, or none', async () => {
    const { port } = await start()
    await expect(start({ port })).rejects.toMatchObject({
      code: 'ERR_LISTEN_FAILED',
    })
    await expect(start({ port: 70_000 })).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
    await expect(start({ port: 1.5 })).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })

  test('a request by another name', async () => {
    const { port } = await start()
    const ask = async (host: string): Promise<number | undefined> => {
      const sent = httpRequest({
        port,
        host: '127.0.0.1',
        path: '/tasks',
        headers: { host },
        agent: false,
      }).end()
      const [response] = await once(sent, 'response')
      response.resume()
      await once(response, 'close')
      return response.statusCode
    }
    expect(await ask(`evil.example:${port}`)).toBe(421)
    expect(await ask('evil.example')).toBe(421)
    expect(await ask(`localhost:${port}`)).toBe(200)
  })
})

describe('what is no HTTP', () => {
  const wrong = [
    ['noise', 'hello\r\n\r\n', 400, 'ERR_HTTP_REQUEST_INVALID'],
    ['no host', 'GET /tasks HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'ERR_HTTP_REQUEST_INVALID'],
    [
      'a host that is none',
      'GET /tasks HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n',
      400,
      'ERR_HTTP_REQUEST_INVALID',
    ],
    [
      'headers without end',
      `GET /tasks HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}`,
      431,
      'ERR_HTTP_HEADERS_TOO_LARGE',
    ],
    [
      'two lengths',
      'POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'ERR_HTTP_REQUEST_INVALID',
    ],
  ] as const
  test.each(wrong)('%s is a problem all the same', async (_what, text, status, code) => {
    const said = await (await raw(await start(), text)).said()
    expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(said.toLowerCase()).toContain('application/problem+json')
    expect(problemIn(said)).toMatchObject({ status, code })
  })
})

test('an upgrade that nobody takes is a problem, and what is expected beside it no hindrance', async () => {
  const server = await start()
  const upgrade = await raw(
    server,
    'GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  expect(problemIn(await upgrade.said())).toMatchObject({ status: 404, code: 'ERR_HTTP_NOT_FOUND' })
  const expecting = await raw(
    server,
    'GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: x\r\n\r\n',
  )
  expect(problemIn(await expecting.said())).toMatchObject({ status: 404, code: 'ERR_HTTP_NOT_FOUND' })
})

describe('who is slow', () => {
  test('with headers, or with a body, is cut off', async () => {
    const server = await start({ headersTimeoutMs: 100, requestTimeoutMs: 200 })
    const headers = await raw(server, 'GET /tasks HTTP/1.1\r\nHost: localhost\r\n')
    const body = await raw(
      server,
      'POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"task":',
    )
    for (const { said } of [headers, body]) {
      const text = await said()
      expect(text).toMatch(/^HTTP\/1.1 408 /)
      expect(problemIn(text)).toMatchObject({ status: 408, code: 'ERR_HTTP_TIMED_OUT' })
    }
  })

  test('with a body is told so once, whoever looks at the time', async () => {
    for (const bounds of [
      { timeoutMs: 100 },
      { requestTimeoutMs: 100 },
      { timeoutMs: 100, requestTimeoutMs: 100 },
    ]) {
      const server = await start({ ...bounds, headersTimeoutMs: 100 })
      const { said } = await raw(
        server,
        'POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"task":',
      )
      const text = await said()
      expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
      expect(problemIn(text)).toMatchObject({ status: 408, code: 'ERR_HTTP_TIMED_OUT' })
    }
  })

  test('with reading a long answer is cut off', async () => {
    const queue = await testQueue()
    await queue.enqueueMany(Array.from({ length: 60 }, () => mail.call('x'.repeat(500_000))))
    const server = await start({ queue, idleTimeoutMs: 200 })
    const { socket, said } = await raw(server, 'GET /tasks?include=input HTTP/1.1\r\nHost: localhost\r\n\r\n')
    socket.pause()
    await cutOff()
    socket.resume()
    expect((await said()).length).toBeLessThan(30_000_000)
  })

  test('with reading a stream is cut off', async () => {
    const queue = await testQueue()
    const server = await start({ queue, heartbeatMs: 20, stallMs: 100, idleTimeoutMs: 300 })
    const path = '/events'
    const { socket } = await raw(server, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await once(socket, 'data')
    socket.pause()
    const metadata = { text: 'x'.repeat(800_000) }
    for (let round = 0; round < 12; round += 1) await queue.enqueue(mail, 'ada', { metadata })
    await cutOff()
  })
})

describe('who stops reading a stream', () => {
  /** One that takes nothing more, with more to come than its connection holds. */
  async function stall(options: Partial<HttpServerOptions>): Promise<HttpServer> {
    const queue = await testQueue()
    const server = await start({ queue, origins: ['https://app.example.org'], ...options })
    const { socket } = await raw(
      server,
      'GET /events HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example.org\r\n\r\n',
    )
    await once(socket, 'data')
    socket.pause()
    const metadata = { text: 'x'.repeat(800_000) }
    for (let round = 0; round < 12; round += 1) await queue.enqueue(mail, 'ada', { metadata })
    return server
  }

  test('is let go after stallMs, with his connection', async () => {
    await stall({ stallMs: 100 })
    await cutOff()
  })

  test('holds up no close', async () => {
    const server = await stall({ stallMs: 60_000 })
    const began = performance.now()
    await server.close({ wait: 60_000 })
    expect(performance.now() - began).toBeLessThan(4_000)
  })
})

/** Resolves when nothing but the socket of the test itself is left. */
const cutOff = (): Promise<void> =>
  until(() => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length <= 1)

describe('close', () => {
  test('lets what is being answered end, and ends streams', async () => {
    const server = await start()
    const { follow } = await clientOf(fetch, server.url)
    const stream = await follow('/events')
    await stream.next()
    const closed = server.close()
    await expect(stream.until(() => false)).rejects.toThrow('ended')
    await closed
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
    await server.close()
  })

  test('ends within its bound whatever a client does', async () => {
    const server = await start()
    const half = await raw(server, 'POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{')
    const idle = await raw(server)
    const stream = await raw(server, 'GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(stream.socket, 'data')
    stream.socket.pause()
    await server.close({ wait: 50 })
    for (const { socket, said } of [half, idle, stream]) {
      socket.resume()
      await said()
    }
  })

  test('at any moment settles every stream', async () => {
    for (let moment = 0; moment < 12; moment += 1) {
      const server = await start()
      const opened = Array.from({ length: 10 }, async () => {
        const response = await fetch(`${server.url}/events`)
        return response.text()
      })
      const settled = Promise.allSettled(opened)
      for (let turn = 0; turn < moment * 3; turn += 1) await new Promise(setImmediate)
      await server.close({ wait: 200 })
      await settled
    }
  })
})

test('a hundred streams that come and go leave nothing', async () => {
  const queue = await testQueue()
  const { id } = await queue.enqueue(mail, 'ada')
  const server = await start({ queue })
  for (let round = 0; round < 2; round += 1) {
    const sockets = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const path = n % 2 === 0 ? '/events' : `/tasks/${id}/events`
        const { socket } = await raw(server, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
        await once(socket, 'data')
        return socket
      }),
    )
    await Promise.all(
      sockets.map((socket) => {
        const gone = once(socket, 'close')
        socket.destroy()
        return gone
      }),
    )
  }
  // All places are free again.
  const { follow } = await clientOf(fetch, server.url)
  const last = await follow('/events')
  await last.next()
  await last.leave()
})
