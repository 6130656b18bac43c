/** The runs of a supervisor over HTTP: what it has not, is not served. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSupervisor, defineTask, type Supervisor } from '../../src/index.ts'
import type { StoredTask } from '../../src/runtime/durable/stored-task.ts'
import { createHttpHandler } from '../../src/runtime/http/index.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import { testQueue } from '../durable/queue-kit.ts'
import { deferred, memoryLogger } from '../support/harness.ts'
import { type Client, clientOf, mail, square } from './http-kit.ts'

const failing = defineTask({ name: 'failing' }, () => {
  throw Object.assign(new RangeError('too far', { cause: new Error('why') }), { code: 'E_FAR' })
})
const odd = defineTask({ name: 'odd' }, () => ({ big: 10n, map: new Map([[1, 2]]) }))

async function open(...more: readonly object[]): Promise<Client & { supervisor: Supervisor }> {
  const supervisor = createSupervisor({ logger: memoryLogger([]), pool: { size: 2 } })
  onTestFinished(async () => void (await supervisor.stop({ wait: 0 })))
  const handler = createHttpHandler({ supervisor, tasks: [mail, square, failing, odd, ...more] })
  onTestFinished(() => handler.close())
  return { ...(await clientOf(handler)), supervisor }
}

test('the document has what there is, and nothing else', async () => {
  const { contract, ask } = await open()
  expect(await contract.faults()).toBeUndefined()
  expect(Object.keys(contract.document.paths)).not.toContain('/schedules')
  expect(contract.takes('Submission', { task: 'mail', key: 'k' })).toBe(false)
  for (const [method, path] of [
    ['GET', '/schedules'],
    ['POST', '/tasks/x/retry'],
    ['GET', '/tasks/x/log'],
  ] as const)
    expect((await ask(method, path)).status).toBe(404)
  expect((await ask('DELETE', '/tasks/x')).status).toBe(405)
  expect(await ask('POST', '/tasks', { body: { task: 'mail', key: 'k' } })).toMatchObject({
    status: 400,
    body: { code: 'ERR_OPTION_UNKNOWN' },
  })
})

test('a run is begun, shown, and its end told', async () => {
  const gate = deferred<string>()
  const slow = defineTask({ name: 'slow' }, async (_input: string, ctx) => {
    ctx.progress(40, 'half')
    return gate.promise
  })
  const { ask, follow, supervisor } = await open(slow)
  expect(await ask('GET', '/readyz')).toMatchObject({
    status: 503,
    body: { detail: 'The supervisor is idle.' },
  })
  await supervisor.start()
  expect((await ask('GET', '/readyz')).status).toBe(200)
  const { body } = await ask('POST', '/tasks', {
    body: { task: 'slow', input: 'x', priority: 'high', runId: 'r/1' },
  })
  expect(body).toEqual({ id: 'r/1', existing: false })
  const stream = await follow('/tasks/r%2F1/events?include=input')
  const told = await stream.until(({ data }) => data.progress !== undefined)
  expect(told.data).toMatchObject({
    state: 'running',
    priority: 'high',
    input: 'x',
    progress: { percent: 40, note: 'half' },
  })
  gate.resolve('done')
  expect((await stream.until(({ data }) => data.endedAt !== undefined)).data).toMatchObject({
    state: 'finished',
    result: 'done',
    createdBy: supervisor.id,
  })
  expect(await stream.next()).toBeUndefined()
  expect((await ask('GET', '/counts')).body).toMatchObject({ finished: 1, queued: 0 })
  expect((await ask('GET', '/status')).body).toMatchObject({ state: 'running', pool: { size: 2 } })
})

test('what a queue would refuse is refused before anything has begun', async () => {
  const { ask, supervisor } = await open()
  for (const wrong of [
    { runId: '\ud800' },
    { runId: '\0' },
    { runId: '..' },
    { delayMs: 1e300 },
    { runAt: '2027' },
  ]) {
    const answer = await ask('POST', '/tasks', { body: { task: 'mail', input: 'x', ...wrong } })
    expect([answer.status, answer.body.code]).toEqual([400, 'ERR_OPTION_INVALID'])
  }
  expect(supervisor.list()).toEqual([])
  expect(() => supervisor.submit(mail, 'x', { runId: '\ud800' })).toThrow(/lone surrogates/)
  const strange = defineTask({ name: 'strange', runId: () => '\ud800' }, () => 1)
  expect(() => supervisor.submit(strange)).toThrow(/lone surrogates/)
})

test('the instants of a run are the same at every look, whatever the clocks do, and it says when it may run', async () => {
  const clock = new ManualClock()
  const supervisor = createSupervisor({ logger: memoryLogger([]), clock })
  onTestFinished(async () => void (await supervisor.stop({ wait: 0 })))
  const handler = createHttpHandler({ supervisor, tasks: [mail] })
  onTestFinished(() => handler.close())
  const { ask } = await clientOf(handler)
  await supervisor.start()
  const runAt = clock.now() + 3_600_000
  await ask('POST', '/tasks', { body: { task: 'mail', input: 'x', runAt, runId: 'later' } })
  supervisor.submit(mail, 'y', { delayMs: 60_000, runId: 'soon' })
  supervisor.submit(mail, 'z', { runId: 'now' })
  const look = async () => (await ask('GET', '/tasks')).body.tasks
  const before = await look()
  expect(before.map(({ id, runAt }: { id: string; runAt: number }) => [id, runAt - clock.now()])).toEqual([
    ['now', 0],
    ['soon', 60_000],
    ['later', 3_600_000],
  ])
  clock.jumpWall(1)
  expect((await look()).map(({ createdAt, runAt }: StoredTask) => [createdAt, runAt])).toEqual(
    before.map(({ createdAt, runAt }: StoredTask) => [createdAt, runAt]),
  )
})

test('ends are told as a queue tells them', async () => {
  const { ask, supervisor } = await open()
  await supervisor.start()
  const run = supervisor.submit(failing)
  await run.result.catch(() => {})
  expect((await ask('GET', `/tasks/${run.id}`)).body).toMatchObject({
    state: 'failed',
    reason: 'threw',
    error: { name: 'RangeError', message: 'too far', code: 'E_FAR', cause: { message: 'why' } },
  })
  const other = supervisor.submit(odd)
  await other.result
  expect((await ask('GET', `/tasks/${other.id}`)).body.result).toEqual({ big: '10n', map: { map: [[1, 2]] } })
})

test('what waits is cancelled, once', async () => {
  const { ask, supervisor } = await open()
  const run = supervisor.submit(mail, 'ada')
  expect(await ask('POST', `/tasks/${run.id}/cancel`, { body: { reason: 'enough' } })).toMatchObject({
    status: 200,
    body: { result: 'cancelled' },
  })
  expect((await ask('GET', `/tasks/${run.id}`)).body).toMatchObject({ state: 'cancelled', reason: 'enough' })
  expect(await ask('POST', `/tasks/${run.id}/cancel`)).toMatchObject({
    status: 409,
    body: { code: 'ERR_RUN_STATE' },
  })
  expect(await ask('POST', '/tasks/nobody/cancel')).toMatchObject({
    status: 404,
    body: { code: 'ERR_RUN_UNKNOWN' },
  })
})

describe('list', () => {
  test('has live runs and ended ones, in pages, by what they are', async () => {
    const { ask, supervisor } = await open()
    const tagged = defineTask({ name: 'tagged', metadata: (n: number) => ({ n }) }, (n: number) => n)
    const runs = Array.from({ length: 7 }, (_, n) => supervisor.submit(tagged, n))
    runs[1]?.cancel()
    supervisor.submit(mail, 'ada')
    const seen: string[] = []
    for (let after = ''; ; ) {
      const { body } = await ask('GET', `/tasks?name=tagged&order=oldest&limit=3${after}`)
      seen.push(...body.tasks.map(({ id }: { id: string }) => id))
      if (body.next === undefined) break
      after = `&after=${body.next}`
    }
    expect(seen).toEqual(runs.map(({ id }) => id))
    const newest = await ask('GET', '/tasks?limit=2')
    expect(newest.body.tasks.map(({ name }: { name: string }) => name)).toEqual(['mail', 'tagged'])
    const second = await ask('GET', `/tasks?limit=1&after=${newest.body.next}`)
    expect(second.body.tasks[0].id).toBe(runs[5]?.id)
    expect((await ask('GET', '/tasks?state=cancelled')).body.tasks).toHaveLength(1)
    expect((await ask('GET', '/tasks?state=queued&metadata.n=4')).body.tasks).toHaveLength(1)
    expect((await ask('GET', '/tasks?key=k')).body.tasks).toEqual([])
    expect((await ask('GET', '/tasks?endedFrom=0')).body.tasks).toHaveLength(1)
  })
})

test('a stream of all says what comes and goes', async () => {
  const { ask, follow, supervisor } = await open()
  await supervisor.start()
  const stream = await follow('/events')
  await stream.next()
  const { body } = await ask('POST', '/tasks', { body: { task: 'square', input: { n: 3 } } })
  expect((await stream.until(({ data }) => data.id === body.id && data.state === 'finished')).event).toBe(
    'task',
  )
  await stream.leave()
})

test('one that stops takes nothing more', async () => {
  const { ask, supervisor } = await open()
  await supervisor.start()
  await supervisor.stop()
  expect(await ask('POST', '/tasks', { body: { task: 'mail', input: 'x' } })).toMatchObject({
    status: 503,
    body: { code: 'ERR_SUPERVISOR_STOPPED' },
  })
})

test('a run that stands for another is told as existing', async () => {
  const gate = deferred<void>()
  const single = defineTask({ name: 'single', multilaunch: false, onConflict: 'skip' }, () => gate.promise)
  const { ask, supervisor } = await open(single)
  await supervisor.start()
  const first = await ask('POST', '/tasks', { body: { task: 'single' } })
  const second = await ask('POST', '/tasks', { body: { task: 'single' } })
  expect([second.status, second.body]).toEqual([200, { id: first.body.id, existing: true }])
  gate.resolve()
})

test('a source is a queue or a supervisor', async () => {
  const [queue, supervisor] = [await testQueue(), createSupervisor()]
  expect(() => createHttpHandler({})).toThrow(/either a queue or a supervisor/)
  expect(() => createHttpHandler({ queue, supervisor })).toThrow(/either a queue or a supervisor/)
  expect(() => createHttpHandler({ supervisor: {} as never })).toThrow(/supervisor/)
})
