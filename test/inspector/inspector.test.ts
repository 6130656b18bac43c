/** The inspector of a supervisor, through real sockets. */
import { describe, expect, test } from 'vitest'
import { createMachine } from 'xstate'
import { defineTask } from '../../src/index.ts'
import type { LiveSupervisor } from '../../src/runtime/live-supervisor.ts'
import { deferred } from '../support/deferred.ts'
import { taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { openFeed } from './feed-client.ts'
import { gate, inspected } from './inspector-kit.ts'

describe('the feed of a supervisor', () => {
  test('greets with what is inspected, and shows the supervisor with its pools', async () => {
    const { inspector } = await inspected()
    const page = await openFeed(inspector)
    expect(page.hello).toMatchObject({
      protocol: 1,
      sources: { supervisor: { id: 'test' }, queue: null },
      pid: process.pid,
      access: 'look',
    })
    await page.frame()
    expect(page.rows.get('supervisor')).toMatchObject({
      kind: 'supervisor',
      name: 'test',
      state: 'running',
      parent: null,
    })
    expect(page.below('supervisor').map(({ id }) => id)).toEqual(['pool', 'processes'])
    expect(page.charts.get('supervisor')).toMatchObject({ id: 'supervisor', initial: 'idle' })
    expect(page.common.pools).toMatchObject([
      { id: 'pool', admitted: 0 },
      { id: 'processes', admitted: 0 },
    ])
    await page.close()
  })

  test('shows a run while it lives, and what happened to it', async () => {
    const { supervisor, inspector } = await inspected()
    const page = await openFeed(inspector)
    page.watch({ supervisor: [0, 10], pool: [0, 10] })
    const { task, open } = gate()
    const run = supervisor.submit(task)
    const id = `task:${run.id}`
    await page.until(({ rows }) => rows.get(id)?.state === 'running.executing')
    expect(page.rows.get(id)).toMatchObject({
      parent: 'pool',
      kind: 'task',
      name: 'held',
      chart: 'task',
      task: { runId: run.id, priority: 'normal', execution: 'async', attempt: 1, percent: null, owner: null },
    })
    expect(page.lists.get('pool')).toEqual({ offset: 0, total: 1, ids: [id] })
    open()
    await run.result
    await page.until(({ rows, events }) => !rows.has(id) && events.some(({ to }) => to === 'finished'))
    expect(
      page.events.filter((event) => event.id === id).map(({ type, to, source }) => [type, to, source]),
    ).toEqual([
      ['task.submit', 'queued', 'user'],
      ['task.admit', 'running.starting', 'pool'],
      ['attempt.started', 'running.executing', 'handler'],
      ['attempt.returned', 'finished', 'handler'],
    ])
    expect(page.common.counts).toMatchObject({ finished: 1, running: 0 })
    await page.close()
  })

  test('shows children, groups, workers and loops where they stand, with their charts and states', async () => {
    const { supervisor, inspector } = await inspected()
    supervisor.createLoop('io')
    supervisor.workers.interval({ name: 'beat', intervalMs: 60_000, handler: () => {} })
    const group = supervisor.group('storage')
    const user = createMachine({ id: 'supervisor', initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } })
    const child = group.spawn(user, { id: 'cache' })
    const page = await openFeed(inspector)
    page.watch({ supervisor: [0, 9], loops: [0, 9], children: [0, 9], 'child:storage': [0, 9] })
    await page.until(
      ({ rows }) => rows.has('child:storage/cache') && rows.get('child:io')?.state === 'running.idle',
    )
    const shown = [...page.rows.values()].map(({ id, parent, kind, chart, state }) => [
      id,
      parent,
      kind,
      chart,
      state,
    ])
    expect(shown).toEqual(
      expect.arrayContaining([
        ['loops', 'supervisor', 'group', 'childGroup', 'running'],
        ['child:io', 'loops', 'loop', 'loop', 'running.idle'],
        ['child:beat', 'children', 'worker', 'intervalWorker', expect.any(String)],
        ['child:storage', 'children', 'group', 'childGroup', 'running'],
        // The name of the supervisor's own chart is taken.
        ['child:storage/cache', 'child:storage', 'actor', 'supervisor-2', 'a'],
      ]),
    )
    expect(page.charts.get('supervisor-2')).toMatchObject({ id: 'supervisor', initial: 'a' })
    child.actor?.send({ type: 'go' })
    await page.until(({ rows }) => rows.get('child:storage/cache')?.state === 'b')
    await page.close()
  })

  test('shows what of many runs is in view, and counts the others', async () => {
    const { supervisor, inspector } = await inspected({ pool: { size: 2, reserveNormal: 0, reserveHigh: 0 } })
    const { task, open } = gate('one')
    const other = gate('other')
    const runs = Array.from({ length: 300 }, () => supervisor.submit(task))
    supervisor.submit(other.task, undefined, { priority: 'high' })
    const page = await openFeed(inspector)
    page.watch({ supervisor: [0, 9], pool: [100, 20] })
    await page.until(({ lists }) => lists.get('pool')?.ids.length === 20)
    expect(page.below('pool').map(({ task: shown }) => shown?.runId)).toEqual(
      runs.slice(100, 120).map(({ id }) => id),
    )
    expect(page.lists.get('pool')).toMatchObject({ offset: 100, total: 301 })
    expect(page.rows.size).toBe(23)
    expect(page.rows.get('pool')).toMatchObject({ children: 301 })
    expect(page.common.counts).toMatchObject({ running: 2, queued: 299 })
    expect(page.common.pools?.[0]).toMatchObject({
      size: 2,
      admitted: 2,
      running: { critical: 0, high: 0, normal: 2, low: 0 },
      queued: { critical: 0, high: 1, normal: 298, low: 0 },
    })
    page.watch({ supervisor: [0, 9], pool: [0, 20] }, { filter: { text: 'OTH', states: ['queued'] } })
    await page.until(({ lists }) => lists.get('pool')?.total === 1)
    expect(page.below('pool').map(({ name }) => name)).toEqual(['other'])
    open()
    other.open()
    await supervisor.idle()
    await page.until(({ lists, common }) => lists.get('pool')?.total === 0 && common.counts?.finished === 301)
    expect(page.common.waits).toMatchObject({
      queueMs: { p50: expect.any(Number) },
      runMs: { p95: expect.any(Number) },
    })
    await page.close()
  })

  test('tells whole runs of more than one frame holds, and says one in how many', async () => {
    const { supervisor, inspector } = await inspected({ pool: { size: 0 } })
    const page = await openFeed(inspector)
    await page.frame()
    const before = page.frames.length
    // All within one turn of the event loop, and so within one frame.
    await Promise.all(Array.from({ length: 3_000 }, () => supervisor.submit(taskOf(() => 1)).result))
    await page.until(({ common }) => common.counts?.finished === 3_000)
    const frames = page.frames.slice(before)
    const told = frames.flatMap(({ events = [] }) => events).filter(({ id }) => id.startsWith('task:'))
    const { sampled } = frames.find(({ events = [] }) => events.length > 0) ?? { sampled: 0 }
    const stepsOf = Map.groupBy(told, ({ id }) => id)
    const whole = ['task.submit', 'task.admit', 'attempt.started', 'attempt.returned']
    expect(sampled).toBe(8)
    expect(stepsOf.size).toBe(3_000 / sampled)
    expect([...stepsOf.values()].filter((steps) => steps.length !== whole.length)).toEqual([])
    expect([...stepsOf.values()][0]?.map(({ type }) => type)).toEqual(whole)
    expect(frames.reduce((sum, { skipped }) => sum + skipped, 0)).toBe(12_000 - told.length)
    await page.close()
  })

  test('shows progress, and the selected run also when it has ended', async () => {
    const { supervisor, inspector } = await inspected()
    const held = deferred<void>()
    const task = defineTask({ name: 'slow' }, async (_: undefined, ctx) => {
      ctx.progress(40, 'almost')
      await held.promise
    })
    const run = supervisor.submit(task)
    const id = `task:${run.id}`
    const page = await openFeed(inspector)
    page.watch({}, { ids: [id], events: [id] })
    await page.until(({ rows }) => rows.get(id)?.task?.percent === 40)
    expect(page.rows.get(id)?.task?.note).toBe('almost')
    supervisor.submit(defineTask({ name: 'unwatched' }, () => {}))
    held.resolve()
    await page.until(({ rows }) => rows.get(id)?.state === 'finished')
    expect(page.rows.get(id)).toMatchObject({ event: 'attempt.returned', from: 'running.executing' })
    expect(new Set(page.events.map((event) => event.id))).toEqual(new Set([id]))
    await page.close()
  })

  test('says who sent what: worker, parent, clock', async () => {
    const { supervisor, inspector } = await inspected()
    const page = await openFeed(inspector)
    const child = defineTask({ name: 'child' }, () => 1)
    const worker = supervisor.workers.event({
      name: 'ring',
      task: defineTask(
        { name: 'parent' },
        async (_: undefined, ctx) => void (await ctx.submit(child).result),
      ),
    })
    worker.trigger()
    await page.until(({ events }) => events.some(({ name, to }) => name === 'parent' && to === 'finished'))
    const submits = page.events.filter(({ type }) => type === 'task.submit')
    const parent = submits.find(({ name }) => name === 'parent')
    expect(parent?.source).toBe('child:ring')
    expect(submits.find(({ name }) => name === 'child')?.source).toBe(parent?.id)
    expect(page.events.find(({ type }) => type === 'worker.trigger')).toMatchObject({
      id: 'child:ring',
      source: 'user',
    })
    await page.close()
  })

  test('ends with the supervisor: pages are told, and may ask how things stand at the end', async () => {
    const { supervisor, inspector } = await inspected()
    const { task } = gate()
    const run = supervisor.submit(task)
    const page = await openFeed(inspector)
    const stopped = supervisor.stop({ wait: false })
    await page.until(({ goodbye }) => goodbye !== undefined)
    expect(page.goodbye?.reason).toBe('stopped')
    expect(await page.ask({ ask: 'tasks', of: 'supervisor' })).toMatchObject({
      tasks: [{ id: run.id, state: 'terminated', acts: ['retry'] }],
    })
    await stopped
    expect(await page.closed).toEqual({ code: 1001, reason: 'the inspector is closed' })
    expect(page.rows.get('supervisor')).toMatchObject({ state: 'stopped' })
    await expect(fetch(inspector.address)).rejects.toThrow()
    await supervisor.start()
    await using again = await supervisor.serveInspector()
    await (await openFeed(again)).close()
  })

  test('costs nothing while nobody looks', async () => {
    const { supervisor, inspector } = await inspected()
    const { tracer } = (supervisor as LiveSupervisor).parts.pool
    expect(tracer.listener).toBeUndefined()
    const page = await openFeed(inspector)
    const other = await openFeed(inspector)
    expect(tracer.listener).toBeDefined()
    await page.close()
    expect(tracer.listener).toBeDefined()
    await other.close()
    await until(() => tracer.listener === undefined)
    supervisor.debug(true)
    const third = await openFeed(inspector)
    await third.close()
    await until(() => supervisor.list().length === 0)
    expect(tracer.listener).toBeDefined()
    supervisor.debug(false)
    await until(() => tracer.listener === undefined)
  })
})
