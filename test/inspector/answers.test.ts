/** What a page asks of a supervisor and of a queue, and what it does to them. */
import { describe, expect, test } from 'vitest'
import { after, defineTask, type TaskDefinition } from '../../src/index.ts'
import { createDaemon, serveQueueInspector } from '../../src/runtime/durable/index.ts'
import type {
  Retried,
  ScheduleRow,
  TaskDetail,
  TaskPage,
  WorkerRow,
} from '../../src/runtime/inspector/messages.ts'
import { testQueue } from '../durable/queue-kit.ts'
import { deferred } from '../support/deferred.ts'
import { openFeed } from './feed-client.ts'
import { gate, inspected } from './inspector-kit.ts'

const failing = (name = 'failing'): TaskDefinition<unknown, never> =>
  defineTask({ name, description: (input) => `does ${JSON.stringify(input)}` }, () => {
    throw new TypeError('no such thing')
  })

describe('of a supervisor', () => {
  test('runs, live and ended, the newest first, by page and filter', async () => {
    const { supervisor, inspector } = await inspected()
    const quick = defineTask({ name: 'quick' }, (n: number) => n)
    for (let n = 0; n < 5; n += 1) await supervisor.submit(quick, n).result
    await supervisor.submit(failing(), 'x').result.catch(() => {})
    const held = gate()
    const run = supervisor.submit(held.task, undefined, { priority: 'high' })
    const page = await openFeed(inspector)
    const first = await page.ask<TaskPage>({ ask: 'tasks', of: 'supervisor', limit: 3 })
    expect(first.tasks.map(({ name, state, acts }) => [name, state, acts])).toEqual([
      ['held', 'running', ['cancel']],
      ['failing', 'failed', ['retry']],
      ['quick', 'finished', []],
    ])
    expect(first.tasks[0]).toMatchObject({
      id: run.id,
      of: 'supervisor',
      priority: 'high',
      execution: 'async',
      attempt: 1,
    })
    expect(first.tasks[1]).toMatchObject({
      description: 'does "x"',
      error: { name: 'TypeError', message: 'no such thing', code: 'ERR_TASK_THREW' },
      reason: 'threw',
    })
    const rest = await page.ask<TaskPage>({ ask: 'tasks', of: 'supervisor', after: first.next as string })
    expect(rest).toMatchObject({ next: null })
    expect(rest.tasks).toHaveLength(4)
    const { tasks } = await page.ask<TaskPage>({
      ask: 'tasks',
      of: 'supervisor',
      text: 'FAIL',
      states: ['failed'],
    })
    expect(tasks.map(({ name }) => name)).toEqual(['failing'])
    held.open()
    await run.result
    await page.close()
  })

  test('one run: its records, and its input and result when they are asked for with the token', async () => {
    const { supervisor, inspector } = await inspected()
    const run = supervisor.submit(
      defineTask({ name: 'sum' }, ({ a, b }: { a: number; b: bigint }) => ({ sum: a + Number(b) })),
      { a: 1, b: 2n },
    )
    await run.result
    const page = await openFeed(inspector)
    const about = { ask: 'task', task: run.id, of: 'supervisor' } as const
    const shown = await page.ask<TaskDetail>(about)
    expect(shown).toMatchObject({ name: 'sum', state: 'finished', values: null })
    expect(shown.log.map(({ what }) => what)).toEqual(['run', 'success'])
    await page.login(inspector.token)
    expect(await page.ask<TaskDetail>({ ...about, values: true })).toMatchObject({
      values: { input: { a: 1, b: '2n' }, result: { sum: 3 } },
    })
    await expect(page.ask({ ...about, task: 'unknown' })).rejects.toMatchObject({ code: 'ERR_RUN_UNKNOWN' })
    await expect(page.ask({ ask: 'tasks', of: 'queue' })).rejects.toMatchObject({ code: 'ERR_ASK_UNKNOWN' })
    await page.close()
  })

  test('retries what has failed with the same input, and nothing else; holds and releases', async () => {
    const { supervisor, inspector } = await inspected()
    let calls = 0
    const task = defineTask({ name: 'second-time' }, (input: string) => {
      calls += 1
      if (calls === 1) throw new Error('first time')
      return input
    })
    const run = supervisor.submit(task, 'again', { priority: 'high' })
    await run.result.catch(() => {})
    const page = await openFeed(inspector)
    await page.login(inspector.token)
    const { task: id } = await page.act<Retried>({ act: 'retry', task: run.id, of: 'supervisor' })
    const again = supervisor.get(id)
    expect(await again?.result).toBe('again')
    expect(again?.priority).toBe('high')
    for (const [act, task, code] of [
      ['retry', id, 'ERR_RUN_STATE'],
      ['cancel', id, 'ERR_RUN_STATE'],
      ['retry', 'unknown', 'ERR_RUN_UNKNOWN'],
    ] as const)
      await expect(page.act({ act, task, of: 'supervisor' })).rejects.toMatchObject({ code })
    await page.act({ act: 'hold' })
    expect(supervisor.state).toBe('paused')
    await page.act({ act: 'release' })
    expect(supervisor.state).toBe('running')
    await expect(page.act({ act: 'hold' })).resolves.toBeNull()
    await page.close()
  })

  test('workers and their times; triggers, pauses and resumes them', async () => {
    const { supervisor, inspector } = await inspected()
    const ran = deferred<void>()
    supervisor.workers.event({ name: 'ring', handler: () => ran.resolve() })
    supervisor.workers.cron({
      name: 'nightly',
      cron: '0 3 * * *',
      timezone: 'Europe/Berlin',
      handler: () => {},
    })
    supervisor.workers.interval({ name: 'hourly', intervalMs: 3_600_000, handler: () => {} })
    supervisor.workers.plain({ name: 'watch', handler: () => new Promise(() => {}) })
    supervisor.workers.rrule({ name: 'monday', rrule: 'FREQ=WEEKLY;BYDAY=MO', handler: () => {} })
    supervisor.workers.interval({ name: 'poll', delayAfterMs: 1_500, handler: () => {} })
    supervisor.workers.queue({ name: 'files', handler: () => {} })
    const watched = defineTask({ name: 'watched' }, () => {})
    supervisor.workers.event({ name: 'follow', when: after(watched), handler: () => {} })
    supervisor.workers.interval({ name: 'rested', intervalMs: 250, handler: () => {} })
    await supervisor.workers.get('rested')?.stop()
    const page = await openFeed(inspector)
    const workers = await page.ask<WorkerRow[]>({ ask: 'workers' })
    expect(workers.map(({ name, id, kind, when, acts }) => [name, id, kind, when, acts])).toEqual([
      ['ring', 'child:ring', 'event', 'when triggered', ['trigger', 'pause']],
      ['nightly', 'child:nightly', 'cron', '0 3 * * * (Europe/Berlin)', ['trigger', 'pause']],
      ['hourly', 'child:hourly', 'interval', 'every 1 h', ['trigger', 'pause']],
      ['watch', 'child:watch', 'plain', 'again and again', ['pause']],
      [
        'monday',
        'child:monday',
        'rrule',
        expect.stringMatching(/FREQ=WEEKLY;BYDAY=MO \(.+\)$/s),
        ['trigger', 'pause'],
      ],
      ['poll', 'child:poll', 'interval', '1.5 s after each run', ['trigger', 'pause']],
      ['files', 'child:files', 'queue', 'for each item', ['pause']],
      ['follow', 'child:follow', 'event', 'when triggered, if after(watched: success)', ['trigger', 'pause']],
      ['rested', 'child:rested', 'interval', 'every 250 ms', []],
    ])
    const schedules = await page.ask<ScheduleRow[]>({ ask: 'schedules' })
    expect(
      schedules.map(({ name, times, timezone, laterAt }) => [name, times, timezone, laterAt.length]),
    ).toEqual([
      ['nightly', '0 3 * * *', 'Europe/Berlin', 4],
      ['hourly', 'every 1 h', null, 4],
      ['monday', expect.stringContaining('FREQ=WEEKLY;BYDAY=MO'), expect.any(String), 4],
      ['poll', '1.5 s after each run', null, 0],
      ['rested', 'every 250 ms', null, 0],
    ])
    const [nightly] = schedules
    expect(
      new Date(nightly?.nextAt as number).toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin' }),
    ).toBe('03:00:00')
    await page.login(inspector.token)
    await page.act({ act: 'trigger', worker: 'ring' })
    await ran.promise
    await page.act({ act: 'pause', worker: 'nightly' })
    expect(supervisor.workers.get('nightly')?.state).toBe('paused')
    await page.act({ act: 'resume', worker: 'nightly' })
    expect(supervisor.workers.get('nightly')?.state).toBe('waiting')
    await expect(page.act({ act: 'trigger', worker: 'watch' })).rejects.toMatchObject({
      code: 'ERR_WORKER_STATE',
    })
    await expect(page.act({ act: 'pause', worker: 'nobody' })).rejects.toMatchObject({
      code: 'ERR_WORKER_UNKNOWN',
    })
    await page.close()
  })
})

describe('of a durable queue', () => {
  test('tasks, their log and values, schedules with their next times; cancels and retries', async () => {
    const queue = await testQueue()
    const mail = defineTask({ name: 'mail', module: import.meta.url }, (_: { to: string }) => {})
    const now = Date.now()
    const { id } = await queue.enqueue(mail, { to: 'a secret' }, { runAt: now + 3_600_000 })
    await queue.enqueue(defineTask({ name: 'other', module: import.meta.url }, () => {}))
    await queue.schedule('digest', mail, { to: 'b' }, { cron: '0 3 * * *', timezone: 'UTC' })
    await using inspector = await serveQueueInspector(queue)
    const page = await openFeed(inspector)
    expect(page.hello?.sources).toEqual({ supervisor: null, queue: { engine: 'sqlite', daemon: null } })
    await page.until(({ common }) => common.stored?.scheduled === 1)
    expect(page.rows.get('queue')).toMatchObject({ kind: 'queue', name: 'sqlite', state: 'open' })

    const { tasks } = await page.ask<TaskPage>({ ask: 'tasks', of: 'queue', text: 'mail' })
    expect(tasks).toMatchObject([{ id, of: 'queue', state: 'scheduled', execution: null, acts: ['cancel'] }])
    expect((await page.ask<TaskPage>({ ask: 'tasks', of: 'queue', text: id })).tasks).toHaveLength(1)
    const paged = await page.ask<TaskPage>({ ask: 'tasks', of: 'queue', limit: 1 })
    expect(paged.tasks[0]?.name).toBe('other')
    const next = await page.ask<TaskPage>({
      ask: 'tasks',
      of: 'queue',
      limit: 1,
      after: paged.next as string,
    })
    expect(next).toMatchObject({ tasks: [{ id }], next: null })
    const schedules = await page.ask<ScheduleRow[]>({ ask: 'schedules' })
    expect(schedules).toMatchObject([
      { name: 'digest', of: 'queue', task: 'mail', times: '0 3 * * *', timezone: 'UTC' },
    ])
    expect(schedules[0]?.laterAt[0]).toBe((schedules[0]?.nextAt as number) + 86_400_000)

    await page.login(inspector.token)
    const about = { ask: 'task', task: id, of: 'queue' } as const
    expect(await page.ask<TaskDetail>(about)).toMatchObject({
      values: null,
      log: [{ what: 'created', by: 'web' }],
    })
    expect(await page.ask<TaskDetail>({ ...about, values: true })).toMatchObject({
      values: { input: { to: 'a secret' } },
    })
    await page.act({ act: 'cancel', task: id, of: 'queue', reason: 'not needed' })
    expect(await queue.get(id)).toMatchObject({ state: 'cancelled', reason: 'not needed' })
    await expect(page.act({ act: 'cancel', task: id, of: 'queue' })).rejects.toMatchObject({
      code: 'ERR_RUN_STATE',
    })
    expect(await page.act<Retried>({ act: 'retry', task: id, of: 'queue' })).toEqual({ task: id })
    expect(await queue.get(id)).toMatchObject({ state: 'queued' })
    await expect(page.ask({ ...about, task: 'x' })).rejects.toMatchObject({ code: 'ERR_RUN_UNKNOWN' })
    await page.close()
  })

  test('shows who works it off and what runs, beside the supervisor of the daemon', async () => {
    const queue = await testQueue()
    const { supervisor, inspector: bare } = await inspected()
    await bare.close()
    const opened = deferred<void>()
    const held = defineTask({ name: 'held', module: import.meta.url }, () => opened.promise)
    const daemon = createDaemon({ queue, supervisor, tasks: [held], name: 'night' })
    await daemon.start()
    const inspector = await supervisor.serveInspector({ queue })
    const { id } = await queue.enqueue(held)
    const page = await openFeed(inspector)
    expect(page.hello?.sources).toEqual({
      supervisor: { id: 'test' },
      queue: { engine: 'sqlite', daemon: 'night' },
    })
    page.watch({ supervisor: [0, 9], children: [0, 9], pool: [0, 9], queue: [0, 9] })
    const stored = `queue:task:${id}`
    await page.until(({ rows }) => rows.has(stored) && rows.get(`task:${id}`)?.state === 'running.executing')
    expect(page.rows.get(stored)).toMatchObject({
      parent: 'queue',
      chart: 'storedTask',
      state: 'running.held',
    })
    const mark = `queue:daemon:${daemon.id}`
    expect(page.rows.get(mark)).toMatchObject({ kind: 'daemon', name: 'night', chart: 'daemon' })
    expect(page.rows.get('child:daemon:night')).toMatchObject({
      kind: 'daemon',
      chart: 'daemon',
      state: expect.stringMatching(/^working\./),
    })
    const { tasks } = await page.ask<TaskPage>({ ask: 'tasks', of: 'supervisor' })
    expect(tasks).toMatchObject([{ id, name: 'held' }])
    // Its next sign of life says so.
    await page.until(({ rows }) => rows.get(mark)?.state === 'working')
    opened.resolve()
    await page.until(({ rows, common }) => !rows.has(stored) && common.stored?.finished === 1)
    await page.close()
  })

  test('that is closed under it is shown as away, and answers say why', async () => {
    const queue = await testQueue()
    await using inspector = await serveQueueInspector(queue)
    const page = await openFeed(inspector)
    await page.until(({ common }) => common.stored !== undefined && common.stored !== null)
    await queue.close()
    await page.until(({ rows }) => rows.get('queue')?.state === 'away')
    await expect(page.ask({ ask: 'tasks', of: 'queue' })).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' })
    await page.close()
  })

  test('must be one', async () => {
    await expect(serveQueueInspector({} as never)).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })
})
