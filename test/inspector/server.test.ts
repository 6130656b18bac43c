/** Who gets in, who may act, and that nothing is left: the server of the inspector. */
import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createSupervisor, defineTask, OptionError } from '../../src/index.ts'
import { openFeed } from './feed-client.ts'
import { gate, inspected } from './inspector-kit.ts'

interface Reply {
  readonly status: number | undefined
  readonly headers: Record<string, unknown>
  readonly body: string
}

/** `fetch` sets `Host` itself. */
function get(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers, method, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
      .on('error', reject)
      .end()
  })
}

/** The status with which a WebSocket is refused. */
function refused(url: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers })
    socket.on('unexpected-response', (_, response) => {
      response.resume()
      resolve(response.statusCode)
      socket.terminate()
    })
    socket.on('open', () => reject(new Error('It was let in')))
    socket.on('error', () => {})
  })
}

describe('the page', () => {
  test('is served under a policy that lets it load nothing from elsewhere', async () => {
    const { inspector } = await inspected()
    const { status, headers, body } = await get(inspector.port, '/')
    expect(status).toBe(200)
    expect(body).toContain('<title>')
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; script-src 'self';.*frame-ancestors 'none'$/,
      ),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    })
    expect(body + JSON.stringify(headers)).not.toContain(inspector.token)
    expect(await get(inspector.port, '/../package.json')).toMatchObject({ status: 404 })
    expect(await get(inspector.port, '/nothing')).toMatchObject({ status: 404 })
    expect(await get(inspector.port, '/', {}, 'POST')).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    })
    expect(await get(inspector.port, '/', {}, 'HEAD')).toMatchObject({ status: 200, body: '' })
  })

  test('is not served to who means another host: a name that was pointed here', async () => {
    const { inspector } = await inspected({}, { names: ['Box.Example'] })
    expect(await get(inspector.port, '/', { host: `evil.example:${inspector.port}` })).toMatchObject({
      status: 421,
    })
    expect(await get(inspector.port, '/', { host: `localhost:${inspector.port}` })).toMatchObject({
      status: 200,
    })
    expect(await get(inspector.port, '/', { host: 'box.example' })).toMatchObject({ status: 200 })
  })
})

describe('a socket', () => {
  test('of another page, host or path is refused', async () => {
    const { inspector } = await inspected()
    const { port, token } = inspector
    const feed = `ws://127.0.0.1:${port}/feed`
    const stately = `ws://127.0.0.1:${port}/stately`
    expect(await refused(feed, { origin: 'https://evil.example' })).toBe(403)
    expect(await refused(feed, { origin: `http://127.0.0.1:${port + 1}` })).toBe(403)
    expect(await refused(feed, { host: `evil.example:${port}`, origin: `http://evil.example:${port}` })).toBe(
      421,
    )
    expect(await refused(`ws://127.0.0.1:${port}/other`)).toBe(404)
    expect(await refused(stately, { origin: 'https://stately.ai' })).toBe(403)
    expect(await refused(`${stately}?token=wrong-token-wrong`, { origin: 'https://stately.ai' })).toBe(403)
    const own = await openFeed(inspector, { origin: `http://127.0.0.1:${port}` })
    await own.close()
    const socket = new WebSocket(`${stately}?token=${token}`, { headers: { origin: 'https://stately.ai' } })
    await new Promise((resolve) => socket.once('message', resolve))
    socket.close()
    await new Promise((resolve) => socket.once('close', resolve))
  })

  test('may look without the token, and act with it alone', async () => {
    const { supervisor, inspector } = await inspected()
    const { task, open } = gate()
    const run = supervisor.submit(task)
    const page = await openFeed(inspector)
    await expect(page.act({ act: 'cancel', task: run.id, of: 'supervisor' })).rejects.toMatchObject({
      code: 'ERR_TOKEN_NEEDED',
    })
    await expect(
      page.ask({ ask: 'task', task: run.id, of: 'supervisor', values: true }),
    ).rejects.toMatchObject({
      code: 'ERR_TOKEN_NEEDED',
    })
    await expect(page.login('not-the-token-at-all')).rejects.toMatchObject({ code: 'ERR_TOKEN_WRONG' })
    expect(run.state).toBe('running')
    expect(await page.login(inspector.token)).toBe('act')
    await page.act({ act: 'cancel', task: run.id, of: 'supervisor', reason: 'enough' })
    open()
    await expect(run.result).rejects.toMatchObject({ code: 'ERR_TASK_CANCELLED', reason: 'enough' })
    await page.close()
  })

  test('on an address that others reach is told nothing before it has logged in', async () => {
    const token = 'a-token-of-our-own'
    const { inspector } = await inspected({}, { host: '0.0.0.0', token })
    const address = `http://127.0.0.1:${inspector.port}/`
    const page = await openFeed({ address })
    expect(page.hello).toMatchObject({ access: 'none', host: '', pid: 0, sources: { supervisor: null } })
    page.watch({ supervisor: [0, 9] })
    await expect(page.ask({ ask: 'workers' })).rejects.toMatchObject({ code: 'ERR_TOKEN_NEEDED' })
    await expect(page.login('wrong')).rejects.toMatchObject({ code: 'ERR_TOKEN_WRONG' })
    expect(page.frames).toEqual([])
    expect(await page.login(token)).toBe('act')
    expect(page.hello).toMatchObject({
      access: 'act',
      pid: process.pid,
      sources: { supervisor: { id: 'test' } },
    })
    await page.frame()
    expect(await refused(`ws://127.0.0.1:${inspector.port}/stately`)).toBe(401)
    await page.close()
  })

  test.each([
    ['what is no JSON', '{'],
    ['a message of no known type', '{"type":"eval"}'],
    ['a message with a member that does not exist', '{"type":"ask","id":1,"ask":"workers","sql":"x"}'],
  ])('that says %s is closed, and nothing else is', async (_, text) => {
    const { inspector } = await inspected()
    const page = await openFeed(inspector)
    const other = await openFeed(inspector)
    page.socket.send(text)
    expect(await page.closed).toMatchObject({ code: 1008 })
    await other.frame()
    await other.close()
  })

  test('that sends too much, or no text, is closed', async () => {
    const { inspector } = await inspected()
    const big = await openFeed(inspector)
    big.socket.send(JSON.stringify({ type: 'login', id: 1, token: 'x'.repeat(100_000) }))
    expect(await big.closed).toMatchObject({ code: 1009 })
    const binary = await openFeed(inspector)
    binary.socket.send(Buffer.from('{}'))
    expect(await binary.closed).toMatchObject({ code: 1003 })
  })
})

describe('options', () => {
  test.each([
    [{ port: 70_000 }, 'port'],
    [{ port: 1.5 }, 'port'],
    [{ host: '0.0.0.0' }, 'token'],
    [{ host: 'box.example' }, 'token'],
    [{ token: 'short' }, 'token'],
    [{ token: 'sixteen letters and a space' }, 'token'],
    [{ names: [1] }, 'names'],
    [{ queue: {} }, 'queue'],
    [{ prot: 1 }, 'port'],
  ])('%j will not do', async (options, named) => {
    const supervisor = createSupervisor({ id: 'test', daemon: true })
    const refusal = await supervisor.serveInspector(options as never).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(OptionError)
    expect((refusal as Error).message).toContain(named)
    await supervisor.stop()
  })

  test('a port that is taken is told', async () => {
    const { supervisor, inspector } = await inspected()
    await expect(supervisor.serveInspector({ port: inspector.port })).rejects.toMatchObject({
      code: 'ERR_LISTEN_FAILED',
      message: expect.stringContaining(`port ${inspector.port}`),
    })
  })
})

describe('the end', () => {
  test('closes pages, half-open connections and requests under way, within its bound', async () => {
    const { supervisor, inspector } = await inspected()
    const pages = await Promise.all(Array.from({ length: 5 }, () => openFeed(inspector)))
    const idle = connect(inspector.port, '127.0.0.1')
    await new Promise<void>((resolve) => idle.once('connect', () => resolve()))
    idle.write('GET / HTTP/1.1\r\nHost: 127')
    const ended = new Promise((resolve) => idle.once('close', resolve))
    idle.on('error', () => {})
    idle.resume()
    // One that reads nothing and answers no close.
    const deaf = pages[0]?.socket
    deaf?.pause()
    const begun = performance.now()
    await inspector.close()
    await supervisor.stop()
    expect(performance.now() - begun).toBeLessThan(2_000)
    deaf?.terminate()
    await Promise.all([ended, ...pages.map(({ closed }) => closed)])
  })

  test('may be asked for more than once, and while the supervisor stops', async () => {
    const { supervisor, inspector } = await inspected()
    const stopped = supervisor.stop()
    const serving = supervisor.serveInspector().catch((error: unknown) => error)
    await Promise.all([inspector.close(), inspector.close(), stopped])
    expect(await serving).toMatchObject({ code: 'ERR_SUPERVISOR_STOPPED' })
  })

  test('a supervisor that fails closes it, too', async () => {
    const { inspector, supervisor } = await inspected({ supervision: { intensity: 0 } })
    const page = await openFeed(inspector)
    supervisor.register({
      loop: () => Promise.reject(new Error('broken')),
    })
    await supervisor.closed.catch(() => {})
    expect(await page.closed).toMatchObject({ code: 1001 })
  })
})

test('a hundred pages come and go, and leave nothing', { timeout: 60_000 }, async () => {
  const { supervisor, inspector } = await inspected()
  const task = defineTask({ name: 'quick' }, () => 1)
  const { tracer } = (supervisor as unknown as { parts: { pool: { tracer: { listener: unknown } } } }).parts
    .pool
  for (let round = 0; round < 4; round += 1) {
    const pages = await Promise.all(Array.from({ length: 25 }, () => openFeed(inspector)))
    await Promise.all(Array.from({ length: 20 }, () => supervisor.submit(task).result))
    await Promise.all(pages.map((page) => page.frame()))
    await Promise.all(pages.map((page, index) => (index % 2 === 0 ? page.close() : page.socket.terminate())))
    await Promise.all(pages.map(({ closed }) => closed))
  }
  const last = await openFeed(inspector)
  await last.frame()
  expect(tracer.listener).toBeDefined()
  await last.close()
})
