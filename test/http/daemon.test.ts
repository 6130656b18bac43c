/** The API of a daemon: it comes and goes with it, and says what becomes of its tasks. */
import { expect, onTestFinished, test } from 'vitest'
import { createSupervisor, defineTask } from '../../src/index.ts'
import { createDaemon } from '../../src/runtime/durable/index.ts'
import { startedDaemon } from '../durable/daemon-kit.ts'
import { testQueue } from '../durable/queue-kit.ts'
import { deferred, memoryLogger } from '../support/harness.ts'
import { clientOf } from './http-kit.ts'

const gate = deferred<void>()
const slow = defineTask({ name: 'slow' }, async (_input: unknown, ctx) => {
  ctx.progress(50, 'half')
  await gate.promise
  return 'done'
})

test('begins, follows and ends tasks', async () => {
  const { daemon } = await startedDaemon([slow], { daemon: { http: { port: 0 } } })
  const { ask, follow } = await clientOf(fetch, daemon.http?.url)
  expect((await ask('GET', '/readyz')).body).toEqual({ status: 'ready' })
  expect((await ask('GET', '/definitions')).body.tasks).toEqual([{ name: 'slow', version: 1 }])
  const { headers } = await ask('POST', '/tasks', { body: { task: 'slow' } })
  const at = headers.get('taskqueue-location') as string
  const stream = await follow(`${at}/events`)
  await stream.until(({ data }) => data.progress?.percent === 50)
  expect((await ask('GET', '/status')).body).toMatchObject({
    running: 1,
    daemons: [{ name: 'default', isAlive: true }],
  })
  gate.resolve()
  expect((await stream.until(({ data }) => data.state === 'finished')).data.result).toBe('done')
})

test('goes with the daemon, comes again with it, and ends with its supervisor', async () => {
  const { daemon, supervisor } = await startedDaemon([slow], { daemon: { http: {} } })
  const first = daemon.http?.url
  expect(supervisor.which().map(({ path, kind, state }) => [path, kind, state])).toEqual([
    ['daemon:default', 'daemon', 'running'],
    ['http:default', 'server', 'running'],
  ])
  await daemon.stop()
  expect(daemon.http).toBeUndefined()
  await expect(fetch(`${first}/healthz`)).rejects.toThrow()
  await daemon.start()
  const { follow } = await clientOf(fetch, daemon.http?.url)
  const stream = await follow('/events')
  await stream.next()
  const stopped = supervisor.stop()
  await expect(stream.until(() => false)).rejects.toThrow('ended')
  await stopped
  expect(daemon.http).toBeUndefined()
})

test('a port that is taken fails the start, and leaves the supervisor well', async () => {
  const { daemon } = await startedDaemon([slow], { daemon: { http: {} } })
  const supervisor = createSupervisor({ logger: memoryLogger([]) })
  onTestFinished(async () => void (await supervisor.stop({ wait: 0 })))
  await supervisor.start()
  const other = createDaemon({
    queue: await testQueue(),
    supervisor,
    tasks: [slow],
    http: { port: daemon.http?.port as number },
  })
  await expect(other.start()).rejects.toMatchObject({
    code: 'ERR_CHILD_START_FAILED',
    cause: { code: 'ERR_LISTEN_FAILED' },
  })
  expect(supervisor.state).toBe('running')
  await other.stop()
})

test('its options are those of a server, but for what is the daemon', async () => {
  const queue = await testQueue()
  const supervisor = createSupervisor()
  const wrong: [object, RegExp][] = [
    [{ host: '0.0.0.0' }, /createDaemon\(\)\.http .* expected a token/],
    [{ prot: 1 }, /Did you mean "port"/],
    [{ queue }, /createDaemon\(\)\.http\.queue to be left out/],
    [{ token: 'short' }, /token/],
  ]
  for (const [http, text] of wrong)
    expect(() => createDaemon({ queue, supervisor, tasks: [slow], http })).toThrow(text)
})
