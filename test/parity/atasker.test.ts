/** What docs/parity.md promises users of atasker, as far as no other test shows it: one loop, no threads. */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { collection, createSupervisor, defineTask } from '../../src/index.ts'
import { taskMachine } from '../../src/machines/index.ts'
import {
  echoTask,
  errorOf,
  freshName,
  heldTask,
  memoryLogger,
  slots,
  startedSupervisor,
  taskOf,
  testSupervisor,
  turns,
} from '../support/harness.ts'
import { once } from '../support/once.ts'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('a supervisor', () => {
  test('without an id gets a UUIDv7, which stands in its events and log lines', async () => {
    const lines: Parameters<typeof memoryLogger>[0] = []
    await using supervisor = createSupervisor({ daemon: true, logger: memoryLogger(lines) })
    const ids: string[] = []
    supervisor.on('supervisor.started', (payload) => void ids.push(payload.supervisor))
    await supervisor.start()
    expect(supervisor.id).toMatch(UUID_V7)
    expect(ids).toEqual([supervisor.id])
    expect(lines.find(({ msg }) => msg === 'supervisor.started')).toMatchObject({ supervisor: supervisor.id })
    await using other = createSupervisor({ daemon: true })
    expect(other.id).not.toBe(supervisor.id)
  })

  test('lives beside others, with logic of its own, and any of them runs any definition', async () => {
    const task = taskMachine.provide({ guards: { attemptMayRepeat: () => false } })
    const plain = await startedSupervisor({ id: 'plain' })
    const stern = await startedSupervisor({ id: 'stern', logic: { task } })
    const seen: string[] = []
    const flaky = taskOf<void, string>(
      (_, ctx) => {
        seen.push(`${ctx.supervisor.id} ${ctx.attempt}`)
        if (ctx.attempt === 1) throw new Error('once')
        return 'second time'
      },
      { retry: { attempts: 2, backoff: { initialMs: 0 } } },
    )
    const all = collection([flaky])
    const [good, bad] = [all.run(plain.supervisor), all.run(stern.supervisor)]
    await plain.clock.advance(10)
    expect(await good).toMatchObject({ ok: true, results: ['second time'] })
    expect(await bad).toMatchObject({ ok: false, results: [undefined] })
    expect(seen).toEqual(['plain 1', 'stern 1', 'plain 2'])
    expect(plain.supervisor.list({ name: flaky.name })).toHaveLength(1)
  })

  test('has sizes from the machine unless told otherwise', () => {
    const cores = availableParallelism()
    const size = Math.max(4, 2 * cores)
    const limits = { size, reserveNormal: cores, reserveHigh: cores }
    const info = testSupervisor().supervisor.info()
    expect(info.pool).toMatchObject(limits)
    expect(info.threads).toMatchObject({ min: 0, max: size + 2 * cores })
    expect(info.processes).toMatchObject({ size: cores, reserveNormal: 1, reserveHigh: 1 })
    expect(info.children).toMatchObject({ min: 0, max: cores + 2 })
    const unlimited = testSupervisor({ id: 'unlimited', pool: { size: 0 } }).supervisor.info()
    expect(unlimited.threads.max).toBe(4 * cores)
  })

  test.each([
    ['held', 'as long as it runs', 'stopped at exit'],
    ['daemon', 'not at all with daemon: true', 'running at exit'],
  ])('%s: keeps its program alive %s', async (mode, _, last) => {
    const file = fileURLToPath(new URL('../fixtures/parity/program.ts', import.meta.url))
    const child = spawn(process.execPath, [file, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    expect(await once<number | null>(child, 'close')).toBe(0)
    expect(out.trim()).toBe(last)
  })
})

describe('admission', () => {
  test('counts critical tasks, which so hold back the others until the count is below their threshold', async () => {
    const { supervisor } = await startedSupervisor(slots(2))
    const { task, calls, inputs } = heldTask<string>()
    for (const name of ['c1', 'c2', 'c3']) supervisor.submit(task, name, { priority: 'critical' })
    const low = supervisor.submit(task, 'low', { priority: 'low' })
    await turns()
    expect([supervisor.info().pool.active, low.state]).toEqual([3, 'queued'])
    calls[0]!.resolve()
    await turns()
    // Two of two slots are taken still.
    expect([supervisor.info().pool.active, low.state]).toEqual([2, 'queued'])
    calls[1]!.resolve()
    await turns()
    expect([low.state, inputs()]).toEqual(['running', ['c1', 'c2', 'c3', 'low']])
  })

  test('keeps no slot for an external task whose start throws', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const start = (): never => {
      throw new Error('cannot begin')
    }
    const broken = supervisor.submitExternal({ start })
    const next = supervisor.submitExternal({ start() {} })
    expect(await errorOf(broken.result)).toMatchObject({ code: 'ERR_TASK_THREW' })
    await turns()
    expect(next.state).toBe('running')
    supervisor.complete(next.id)
    await next.result
    expect(supervisor.info().pool.active).toBe(0)
  })
})

describe('a run', () => {
  test('gets the caller’s own input, untouched, and finds its id in ctx', async () => {
    const { supervisor } = await startedSupervisor()
    const input = Object.freeze({ list: Object.freeze([1]) })
    const seen: unknown[] = []
    const task = taskOf<typeof input, void>((given, ctx) => void seen.push(given === input, ctx.runId))
    const run = supervisor.submit(task, input)
    await run.result
    expect(seen).toEqual([true, run.id])
    expect(Object.keys(input)).toEqual(['list'])
  })

  test('is timed by the monotonic clock, whatever the wall clock does', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask<number>()
    supervisor.submit(task, 1)
    const run = supervisor.submit(task, 2)
    await clock.advance(20)
    calls[0]!.resolve()
    await turns()
    clock.jumpWall(-3_600_000)
    await clock.advance(30)
    calls[1]!.resolve()
    await run.result
    expect([run.queueMs, run.runMs]).toEqual([20, 30])
    expect(supervisor.records({ runId: run.id, action: 'success' })[0]?.runtimeMs).toBe(30)
    expect(run.endedAt).toBe(clock.now())
  })

  test('that waits too long is told of to listeners and hooks, warning and critical', async () => {
    const told: string[] = []
    const { supervisor, clock } = await startedSupervisor({
      ...slots(1),
      hooks: { 'task.queueCritical': ({ name }) => void told.push(`hook critical ${name}`) },
    })
    supervisor.on('task.queueWarning', ({ name, queueMs }) => void told.push(`warning ${name} ${queueMs}`))
    const { task } = heldTask()
    supervisor.submit(task)
    const run = supervisor.submit(task, undefined, { queueWarningMs: 10, queueCriticalMs: 20 })
    await clock.advance(20)
    expect(told).toEqual([`warning ${run.name} 10`, `hook critical ${run.name}`])
    expect(run.state).toBe('queued')
  })
})

describe('a collection', () => {
  test('runs an item as often as it is listed, and a second definition of a name is that item’s error', async () => {
    const { supervisor } = await startedSupervisor()
    const name = freshName()
    const one = defineTask<number, number>({ name }, (n) => n)
    const two = defineTask<number, number>({ name }, (n) => -n)
    const { results, errors } = await collection([one.call(1), one.call(2), two.call(3)]).run(supervisor)
    expect(results).toEqual([1, 2, undefined])
    expect(errors.get(2)).toMatchObject({ code: 'ERR_TASK_NAME_TAKEN', taskName: name })
  })

  test('gives the error of an item with the cause that its handler threw', async () => {
    const { supervisor } = await startedSupervisor()
    const thrown = new TypeError('boom')
    const bad = taskOf(() => Promise.reject(thrown))
    const { ok, errors, results } = await collection([bad, echoTask<string>().call('fine')]).run(supervisor)
    expect([ok, results]).toEqual([false, [undefined, 'fine']])
    expect((errors.get(0) as Error).cause).toBe(thrown)
  })
})
