import { readFileSync } from 'node:fs'
import { Counter, Registry, register } from '@prometheus-io/client'
import { describe, expect, test } from 'vitest'
import { EVENT_NAMES } from '../../src/index.ts'
import type { LiveSupervisor } from '../../src/runtime/live-supervisor.ts'
import { createMetrics } from '../../src/runtime/metrics/index.ts'
import { METRICS, type MetricShape } from '../../src/runtime/metrics/metric-table.ts'
import {
  echoTask,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  testSupervisor,
  thrownBy,
} from '../support/harness.ts'
import { puppet } from '../support/puppet.ts'
import { scrape, testMetrics } from './metrics-kit.ts'

const main = (supervisor: ReturnType<typeof testSupervisor>['supervisor']) => ({
  supervisors: { main: supervisor },
})

describe('metrics of a supervisor', () => {
  test('count ends by outcome, reason and band, with their times in buckets', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const metrics = testMetrics(main(supervisor))
    const { task, calls } = heldTask({ priority: 'high' })
    const first = supervisor.submit(task)
    const second = supervisor.submit(task)
    await clock.advance(40)
    calls[0]!.resolve()
    await first.result
    await clock.advance(3_000)
    calls[1]!.reject(new Error('x'))
    await expect(second.result).rejects.toThrow()
    supervisor.submit(task).cancel()
    supervisor.submit(taskOf((_, ctx) => ctx.skip('nothing to do')))
    supervisor.submit(task, undefined, { runTimeoutMs: 5, graceMs: 0, priority: 'low' })
    await clock.advance(100)
    const { of, histogram } = await scrape(metrics)
    expect(of('stateward_tasks_ended_total')).toEqual({
      'finished  high': 1,
      'failed threw high': 1,
      'cancelled  high': 1,
      'skipped  normal': 1,
      'terminated runTimeout low': 1,
    })
    expect(of('stateward_tasks_submitted_total')).toEqual({ '': 5 })
    const waits = histogram('stateward_task_queue_seconds', { supervisor: 'main', priority: 'high' })
    expect(waits).toMatchObject({ count: 3, sum: 0.04 })
    expect(waits.buckets).toMatchObject({ 0.025: 2, 0.05: 3, '+Inf': 3 })
    const runs = histogram('stateward_task_run_seconds', { execution: 'async' })
    expect(runs.buckets).toMatchObject({ 0.001: 1, 0.025: 2, 0.05: 3, 2.5: 3, 5: 4 })
  })

  test('show what is live, what waits for how long, and the pools', async () => {
    const { supervisor, clock } = await startedSupervisor({
      pool: { size: 1, reserveNormal: 0, reserveHigh: 1 },
      processes: { size: 3, reserveNormal: 2, reserveHigh: 1 },
    })
    const metrics = testMetrics(main(supervisor))
    const { task } = heldTask()
    supervisor.submit(task)
    supervisor.submit(task, undefined, { priority: 'high' })
    supervisor.submit(task)
    await clock.advance(1_500)
    supervisor.submit(task, undefined, { priority: 'low' })
    supervisor.submit(task, undefined, { delayMs: 1_000 })
    const { of } = await scrape(metrics)
    expect(of('stateward_tasks')).toEqual({
      'running normal': 1,
      'running high': 1,
      'queued normal': 1,
      'queued low': 1,
      'scheduled normal': 1,
    })
    expect(of('stateward_task_oldest_wait_seconds')).toEqual({ critical: 0, high: 0, normal: 1.5, low: 0 })
    expect(of('stateward_pool_size')).toEqual({ pool: 1, processes: 3 })
    expect(of('stateward_pool_reserve')).toEqual({
      'pool normal': 0,
      'pool high': 1,
      'processes normal': 2,
      'processes high': 1,
    })
    expect(of('stateward_pool_active')).toEqual({ pool: 2, processes: 0 })
    expect(of('stateward_pool_waiting')).toMatchObject({ 'pool normal': 1, 'pool low': 1, 'pool high': 0 })
    expect(of('stateward_executors')).toMatchObject({ 'thread busy': 0, 'process idle': 0 })
    expect(of('stateward_executors_max')).toEqual({ thread: 2, process: 6 })
    expect(of('stateward_supervisor_up')).toEqual({ '': 1 })
    supervisor.pause()
    expect((await scrape(metrics)).of('stateward_supervisor_up')).toEqual({ '': 0 })
  })

  test('count retries, snoozes, alarms, starvation, what was given up, and restarts of children', async () => {
    const { supervisor, clock } = await startedSupervisor({ ...slots(1), starvedAfterMs: 15_000 })
    const metrics = testMetrics(main(supervisor))
    let slept = false
    supervisor.submit(
      taskOf((_, ctx) => {
        if (slept) return undefined
        slept = true
        return ctx.snooze(1)
      }),
    )
    const retry = { attempts: 3, backoff: { initialMs: 1, jitter: 0 } }
    supervisor.submit(taskOf(() => Promise.reject(new Error('x')), { retry }))
    await clock.advance(1_000)
    const { task } = heldTask({ deaf: true, graceMs: 0 })
    const held = supervisor.submit(task)
    supervisor.submit(echoTask())
    await clock.advance(20_000)
    held.cancel()
    const child = supervisor.spawn(puppet().machine, { id: 'c' })
    child.actor!.send({ type: 'crash' })
    await clock.advance(1_000)
    const { of } = await scrape(metrics)
    expect(of('stateward_task_retries_total')).toEqual({ '': 2 })
    expect(of('stateward_task_snoozes_total')).toEqual({ '': 1 })
    expect(of('stateward_task_queue_alarms_total')).toEqual({ warning: 1, critical: 1 })
    expect(of('stateward_pool_starved_total')).toEqual({ '': 1 })
    expect(of('stateward_tasks_abandoned_total')).toEqual({ '': 1 })
    expect(of('stateward_abandoned_handlers')).toEqual({ '': 1 })
    expect(of('stateward_child_failures_total')).toEqual({ actor: 1 })
    expect(of('stateward_child_restarts_total')).toEqual({ actor: 1 })
  })

  test('show workers and how long their runs waited', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const metrics = testMetrics(main(supervisor))
    const { task, calls } = heldTask()
    supervisor.submit(task)
    supervisor.workers.interval({ name: 'tick', handler: () => {}, intervalMs: 100 })
    const queue = supervisor.workers.queue({ name: 'mails', handler: () => {} })
    for (let item = 0; item < 3; item += 1) await queue.put(item)
    await clock.advance(250)
    const before = await scrape(metrics)
    expect(before.of('stateward_worker_live_runs')).toEqual({ tick: 1, mails: 1 })
    expect(before.of('stateward_worker_items')).toEqual({ mails: 2 })
    expect(before.of('stateward_worker_up')).toEqual({ tick: 1, mails: 1 })
    expect(before.of('stateward_worker_skips_total')).toEqual({ 'tick overlap': 2 })
    calls[0]!.resolve()
    await clock.advance(0)
    const { of, histogram } = await scrape(metrics)
    expect(of('stateward_worker_runs_total')).toEqual({ tick: 1, mails: 3 })
    expect(histogram('stateward_worker_lag_seconds', { worker: 'tick' })).toMatchObject({
      sum: 0.25,
      count: 1,
    })
  })

  test('have a name for each task only where asked for, and so many of them', async () => {
    const { supervisor } = await startedSupervisor()
    const some = testMetrics({ ...main(supervisor), taskNames: 2 })
    const without = testMetrics(main(supervisor))
    for (const name of ['a', 'b', 'c', 'd']) await supervisor.submit(echoTask({ name })).result
    const counts = (await scrape(some))
      .series('stateward_tasks_ended_total')
      .map(([{ task = '' }, value]) => [task, value])
    expect(Object.fromEntries(counts)).toEqual({ a: 1, b: 1, other: 2 })
    expect((await scrape(without)).of('stateward_tasks_ended_total')).toEqual({ 'finished  normal': 4 })
  })

  test('of several supervisors stand side by side, and those of a stopped one stay', async () => {
    const [a, b] = [await startedSupervisor(), await startedSupervisor()]
    const metrics = testMetrics({ supervisors: { a: a.supervisor, b: b.supervisor } })
    await a.supervisor.submit(echoTask()).result
    await b.stop()
    const { series } = await scrape(metrics)
    expect(series('stateward_supervisor_up')).toEqual([
      [{ supervisor: 'a' }, 1],
      [{ supervisor: 'b' }, 0],
    ])
    const ended = series('stateward_tasks_ended_total')
    expect(ended).toMatchObject([[{ supervisor: 'a', outcome: 'finished' }, 1]])
  })
})

describe('createMetrics', () => {
  test('costs a supervisor nothing before, nor after close()', async () => {
    const { supervisor, recorder } = testSupervisor()
    const { hub } = (supervisor as LiveSupervisor).parts
    const heard = () => EVENT_NAMES.filter((name) => hub.hears(name))
    recorder.stop()
    expect(heard()).toEqual([])
    const metrics = createMetrics(main(supervisor))
    // Events that tell of each step of a run, or of its progress, are not made.
    expect(heard()).toContain('task.finished')
    expect(heard()).not.toContain('task.started')
    metrics.close()
    metrics.close()
    expect(heard()).toEqual([])
    expect(await metrics.text()).toBe('\n')
  })

  test('takes a registry of the user, never the global one, and refuses one that has its metrics', async () => {
    const { supervisor } = testSupervisor()
    const registry = new Registry()
    new Counter({ name: 'own_total', help: 'own', registers: [registry] }).inc()
    const metrics = createMetrics({ ...main(supervisor), registry })
    expect(await registry.metrics()).toContain('own_total 1')
    expect(await registry.metrics()).toContain('stateward_pool_size{supervisor="main",pool="pool"}')
    const refused = thrownBy(() => createMetrics({ ...main(supervisor), registry }))
    expect(refused).toMatchObject({ name: 'OptionError', code: 'ERR_METRICS_REGISTERED' })
    metrics.close()
    const again = testMetrics({ ...main(supervisor), registry })
    metrics.close()
    expect(await again.text()).toContain('stateward_pool_size{')
    expect(await register.metrics()).not.toContain('stateward')
  })

  test.each([
    [undefined, 'an object of options'],
    [{ supervisors: [] }, 'an object of supervisors by name'],
    [
      { supervisors: { a: {} } },
      'createMetrics().supervisors.a to be a supervisor made by createSupervisor()',
    ],
    [{ queues: { q: {} } }, 'createMetrics().queues.q to be a queue made by openQueue()'],
    [{ registry: {} }, 'a Registry of @prometheus-io/client'],
    [{ taskNames: -1 }, 'a whole number from 0 on'],
    [{ runBuckets: [] }, 'an array of ascending numbers of seconds'],
    [{ queueBuckets: [1, 1] }, 'an array of ascending numbers of seconds'],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, 'a finite number of milliseconds from 0 on'],
    [{ taskName: 5 }, 'Did you mean "taskNames"?'],
  ])('refuses %j', (options, sentence) => {
    expect(thrownBy(() => createMetrics(options as never))).toMatchObject({
      name: 'OptionError',
      message: expect.stringContaining(sentence),
    })
  })

  test('answers requests: GET and HEAD, nothing else', async () => {
    const { supervisor } = testSupervisor()
    const { fetch, contentType } = testMetrics(main(supervisor))
    const ask = (method: string) => fetch(new Request('http://localhost/metrics', { method }))
    const got = await ask('GET')
    expect([got.status, got.headers.get('content-type')]).toEqual([200, contentType])
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(await got.text()).toContain('# TYPE stateward_pool_size gauge')
    const head = await ask('HEAD')
    expect([head.status, await head.text()]).toEqual([200, ''])
    const post = await ask('POST')
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})

test('docs/observability.md lists every metric with its kind and labels, and nothing else', () => {
  const page = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(stateward_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$/gm)]
  const listed = rows.map(([, name, kind, labels, help]) => [
    name,
    kind,
    [...(labels as string).matchAll(/`(\w+)`/g)].map(([, label]) => label).join(' '),
    (help as string).replaceAll('`', ''),
  ])
  const made = Object.entries(METRICS as Record<string, MetricShape>).map(
    ([name, { kind, labels, named, help }]) => [
      name,
      kind,
      [...labels, ...(named ? ['task'] : [])].join(' '),
      help,
    ],
  )
  expect(listed).toEqual(made)
})

test('names and units follow the rules of Prometheus', () => {
  for (const [name, { kind }] of Object.entries(METRICS)) {
    expect([name, name.endsWith('_total')]).toEqual([name, kind === 'counter'])
    if (kind === 'histogram') expect(name).toMatch(/_seconds$/)
  }
})
