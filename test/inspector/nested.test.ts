/** Supervisors that are nested in the one that is inspected: a page sees and reaches what is in them, at any depth. */
import { createWebSocketReceiver } from '@statelyai/inspect'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSupervisor, defineTask, type Supervisor, supervisorLogic } from '../../src/index.ts'
import type {
  Retried,
  ScheduleRow,
  TaskDetail,
  TaskPage,
  WorkerRow,
} from '../../src/runtime/inspector/messages.ts'
import type { LiveSupervisor } from '../../src/runtime/live-supervisor.ts'
import { deferred } from '../support/deferred.ts'
import { memoryLogger } from '../support/harness.ts'
import { puppet } from '../support/puppet.ts'
import { until } from '../support/until.ts'
import { type FeedClient, openFeed } from './feed-client.ts'
import { gate, inspected } from './inspector-kit.ts'

/** Makes a supervisor for each life of a child. */
function nested(id: string, options: Parameters<typeof createSupervisor>[0] = {}) {
  const made: Supervisor[] = []
  const logic = supervisorLogic(() => {
    const supervisor = createSupervisor({
      id: `${id} inside`,
      logger: memoryLogger([]),
      defaults: { graceMs: 0 },
      ...options,
    })
    made.push(supervisor)
    return supervisor
  })
  return { logic, made, last: () => made.at(-1) as Supervisor }
}

const isHeard = (supervisor: Supervisor) =>
  (supervisor as LiveSupervisor).parts.pool.tracer.listener !== undefined
const isUp = (supervisor: Supervisor) => until(() => supervisor.state === 'running')

/** `shop` has `storage/mail`, and that has `archive`. */
async function shop() {
  const top = await inspected()
  const [mail, archive] = [nested('mail'), nested('archive')]
  top.supervisor.group('storage').spawn(mail.logic, { id: 'mail' })
  await isUp(mail.last())
  mail.last().spawn(archive.logic, { id: 'archive' })
  await isUp(archive.last())
  return { ...top, mail: mail.last(), archive: archive.last() }
}

const MAIL = 'child:storage/mail'
const ARCHIVE = 'in:storage/mail//child:archive'

const stateOf = (page: FeedClient, id: string) => page.rows.get(id)?.state
const whereOf = (rows: Iterable<{ name: string; within?: string }>) =>
  [...rows].map(({ name, within }) => [name, within])

describe('the tree', () => {
  test('holds them where they stand, with all that is in them, their charts and states', async () => {
    const { mail, archive, inspector } = await shop()
    mail.workers.cron({ name: 'nightly', cron: '0 3 * * *', handler: () => {} })
    mail.createLoop('io')
    const { task, open } = gate('send')
    const run = archive.submit(task)
    const page = await openFeed(inspector)
    page.watch({
      supervisor: [0, 9],
      children: [0, 9],
      'child:storage': [0, 9],
      [MAIL]: [0, 9],
      'in:storage/mail//loops': [0, 9],
      'in:storage/mail//children': [0, 9],
      [ARCHIVE]: [0, 9],
      'in:storage/mail/archive//pool': [0, 9],
    })
    const shown = `in:storage/mail/archive//task:${run.id}`
    await page.until(
      (seen) =>
        stateOf(seen, shown) === 'running.executing' &&
        stateOf(seen, 'in:storage/mail//child:io') === 'running.idle',
    )
    const rows = [...page.rows.values()].filter(({ within }) => within !== undefined)
    expect(
      rows.map(({ id, parent, within, kind, name, chart, state }) => [
        id,
        parent,
        within,
        kind,
        name,
        chart,
        state,
      ]),
    ).toEqual([
      [MAIL, 'child:storage', 'storage/mail', 'supervisor', 'mail', 'supervisor', 'running'],
      ...(
        [
          ['pool', MAIL, 'pool', 'pool', null, 'open'],
          ['processes', MAIL, 'pool', 'processes', null, 'open'],
          ['loops', MAIL, 'group', 'loops', 'childGroup', 'running'],
          ['child:io', 'in:storage/mail//loops', 'loop', 'io', 'loop', 'running.idle'],
          ['children', MAIL, 'group', 'children', 'childGroup', 'running'],
        ] as const
      ).map(([id, parent, ...rest]) => [`in:storage/mail//${id}`, parent, 'storage/mail', ...rest]),
      [
        ARCHIVE,
        'in:storage/mail//children',
        'storage/mail/archive',
        'supervisor',
        'archive',
        'supervisor',
        'running',
      ],
      ...(
        [
          ['pool', ARCHIVE, 'pool', 'pool', null, 'open'],
          [`task:${run.id}`, 'in:storage/mail/archive//pool', 'task', 'send', 'task', 'running.executing'],
          ['processes', ARCHIVE, 'pool', 'processes', null, 'open'],
        ] as const
      ).map(([id, parent, ...rest]) => [
        `in:storage/mail/archive//${id}`,
        parent,
        'storage/mail/archive',
        ...rest,
      ]),
      [
        'in:storage/mail//child:nightly',
        'in:storage/mail//children',
        'storage/mail',
        'worker',
        'nightly',
        'cronWorker',
        'waiting',
      ],
    ])
    expect(page.rows.get(MAIL)).toMatchObject({ children: 4, startedAt: expect.any(Number) })
    expect(page.charts.get('task')).toMatchObject({ id: 'task' })

    mail.pause()
    await page.until((seen) => stateOf(seen, MAIL) === 'paused')
    expect(page.rows.get(MAIL)).toMatchObject({ event: 'supervisor.pause', from: 'running' })
    expect(page.events.findLast(({ id }) => id === MAIL)).toMatchObject({
      within: 'storage/mail',
      type: 'supervisor.pause',
      source: 'child:storage',
    })
    open()
    await page.until(({ events }) => events.some(({ id, to }) => id === shown && to === 'finished'))
    expect(page.events.findLast(({ id }) => id === shown)).toMatchObject({
      name: 'send',
      within: 'storage/mail/archive',
    })
    await page.close()
  })

  test('follows one that comes, starts again and goes while it is watched', async () => {
    const { supervisor, inspector } = await inspected({ supervision: { backoff: { initialMs: 1 } } })
    const mail = nested('mail', { supervision: { intensity: 0 } })
    const page = await openFeed(inspector)
    page.watch({ supervisor: [0, 9], children: [0, 9], 'child:mail': [0, 9] })
    const child = supervisor.spawn(mail.logic, { id: 'mail' })
    await page.until((seen) => stateOf(seen, 'child:mail') === 'running' && seen.rows.has('in:mail//pool'))
    // What it took from its beginning on.
    expect(page.events.some(({ id, to }) => id === 'child:mail' && to === 'running')).toBe(true)
    const first = mail.last()
    const echo = defineTask({ name: 'echo' }, () => 1)
    await first.submit(echo).result
    await page.until(({ common }) => common.counts?.finished === 1)

    first.spawn(puppet().machine, { id: 'one' }).actor?.send({ type: 'crash' })
    await until(() => mail.made.length === 2)
    await page.until(
      (seen) => stateOf(seen, 'child:mail') === 'running' && seen.common.counts?.finished === 0,
    )
    const before = page.events.length
    await mail.last().submit(echo).result
    await page.until(({ events, common }) => events.length > before && common.counts?.finished === 1)
    expect(isHeard(first)).toBe(false)

    await child.stop()
    await page.until((seen) => stateOf(seen, 'child:mail') === 'stopped' && !seen.rows.has('in:mail//pool'))
    expect(page.rows.get('child:mail')).toMatchObject({ kind: 'supervisor', chart: 'child', children: 0 })
    expect(isHeard(mail.last())).toBe(false)
    await child.remove()
    await page.until(({ rows }) => !rows.has('child:mail'))
    await page.close()
  })

  test('costs nothing while nobody looks', async () => {
    const { mail, archive, inspector } = await shop()
    const listeners = () => [mail, archive].map(isHeard)
    expect(listeners()).toEqual([false, false])
    const page = await openFeed(inspector)
    expect(listeners()).toEqual([true, true])
    await page.close()
    await until(() => !listeners().includes(true))
  })

  test('shows one that stands for two children once', async () => {
    const { supervisor, inspector } = await inspected()
    const one = createSupervisor({ logger: memoryLogger([]) })
    for (const id of ['first', 'second'])
      supervisor.spawn(
        supervisorLogic(() => one),
        { id },
      )
    await isUp(one)
    const page = await openFeed(inspector)
    page.watch({ supervisor: [0, 9], children: [0, 9] })
    await page.until(({ rows }) => rows.has('child:second'))
    expect(['first', 'second'].map((id) => page.rows.get(`child:${id}`)?.chart)).toEqual([
      'supervisor',
      'child',
    ])
    await page.close()
  })
})

describe('what is told beside the tree', () => {
  test('counts, rates and pools are those of all of them', async () => {
    const { supervisor, mail, archive, inspector } = await shop()
    const { task, open } = gate()
    const page = await openFeed(inspector)
    await page.frame()
    for (const one of [supervisor, mail, archive]) one.submit(task)
    await page.until(({ common }) => common.counts?.running === 3 && (common.rates?.created ?? 0) > 0)
    expect(page.common.pools?.map(({ id, within, name, admitted }) => [id, within, name, admitted])).toEqual([
      ['pool', undefined, 'tasks', 1],
      ['processes', undefined, 'processes', 0],
      ['in:storage/mail//pool', 'storage/mail', 'tasks', 1],
      ['in:storage/mail//processes', 'storage/mail', 'processes', 0],
      ['in:storage/mail/archive//pool', 'storage/mail/archive', 'tasks', 1],
      ['in:storage/mail/archive//processes', 'storage/mail/archive', 'processes', 0],
    ])
    open()
    await page.until(({ common }) => common.counts?.finished === 3)
    await page.close()
  })

  test('tasks are one list, page by page, and say where they are', async () => {
    const { supervisor, mail, archive, inspector } = await shop()
    const names: string[] = []
    for (let index = 0; index < 3; index += 1) {
      for (const [name, one] of [
        ['top', supervisor],
        ['mail', mail],
        ['archive', archive],
      ] as const) {
        names.unshift(`${name} ${index}`)
        await one.submit(defineTask({ name: `${name} ${index}` }, () => 1)).result
      }
    }
    const page = await openFeed(inspector)
    const told: TaskPage[] = []
    for (let next: string | null | undefined; next !== null; next = told.at(-1)?.next) {
      const after = next === undefined ? {} : { after: next }
      told.push(await page.ask<TaskPage>({ ask: 'tasks', of: 'supervisor', limit: 4, ...after }))
    }
    expect(told.map(({ tasks }) => tasks.length)).toEqual([4, 4, 1])
    expect(told.flatMap(({ tasks }) => tasks).map(({ name }) => name)).toEqual(names)
    const inMail = await page.ask<TaskPage>({ ask: 'tasks', of: 'supervisor', text: 'storage/MAIL' })
    expect(new Set(inMail.tasks.map(({ within }) => within))).toEqual(
      new Set(['storage/mail', 'storage/mail/archive']),
    )
    await expect(page.ask({ ask: 'tasks', of: 'supervisor', after: 'nonsense' })).rejects.toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
    await page.close()
  })

  test('workers and schedules say where they are', async () => {
    const { supervisor, mail, inspector } = await shop()
    for (const one of [supervisor, mail])
      one.workers.interval({ name: 'hourly', intervalMs: 3_600_000, handler: () => {} })
    const page = await openFeed(inspector)
    const workers = await page.ask<WorkerRow[]>({ ask: 'workers' })
    expect(workers.map(({ id }) => id)).toEqual(['child:hourly', 'in:storage/mail//child:hourly'])
    const expected = [
      ['hourly', undefined],
      ['hourly', 'storage/mail'],
    ]
    expect(whereOf(workers)).toEqual(expected)
    expect(whereOf(await page.ask<ScheduleRow[]>({ ask: 'schedules' }))).toEqual(expected)
    await page.close()
  })
})

test('what is done reaches the one that is meant, and no other of that name', async () => {
  const { supervisor, mail, inspector } = await shop()
  const { task, open } = gate()
  const [above, run] = [supervisor, mail].map((one) => one.submit(task, undefined, { runId: 'same' }))
  const rung = deferred<string>()
  for (const [name, one] of [
    ['top', supervisor],
    ['mail', mail],
  ] as const)
    one.workers.event({ name: 'ring', handler: () => rung.resolve(name) })
  const page = await openFeed(inspector)
  await page.login(inspector.token)
  const within = 'storage/mail'
  const about = { task: 'same', of: 'supervisor', within } as const
  expect(await page.ask<TaskDetail>({ ask: 'task', ...about })).toMatchObject({ state: 'running', within })
  await page.act({ act: 'cancel', ...about })
  await expect(run?.result).rejects.toMatchObject({ code: 'ERR_TASK_CANCELLED' })
  expect(above?.state).toBe('running')
  const { task: again } = await page.act<Retried>({ act: 'retry', ...about })
  expect(mail.get(again)?.state).toBe('running')
  await page.act({ act: 'trigger', worker: 'ring', within })
  expect(await rung.promise).toBe('mail')
  await page.act({ act: 'hold', within })
  expect([supervisor.state, mail.state]).toEqual(['running', 'paused'])
  await page.act({ act: 'release', within })
  expect(mail.state).toBe('running')
  await expect(page.act({ act: 'hold', within: 'storage' })).rejects.toMatchObject({
    code: 'ERR_CHILD_UNKNOWN',
  })
  open()
  await page.close()
})

test("Stately's inspectors are told of them, too", async () => {
  const { archive, inspector } = await shop()
  const told: string[] = []
  const receiver = createWebSocketReceiver({ server: `${inspector.address.replace('http', 'ws')}stately` })
  const subscription = receiver.subscribe((event) => {
    told.push(`${event.type} ${event.sessionId}`)
  })
  onTestFinished(() => subscription.unsubscribe())
  await until(() => told.includes('@xstate.actor in:storage/mail/archive//processes'))
  expect(told).toEqual(expect.arrayContaining([`@xstate.actor ${MAIL}`, `@xstate.actor ${ARCHIVE}`]))
  const run = archive.submit(defineTask({ name: 'echo' }, () => 1))
  await run.result
  const id = `in:storage/mail/archive//task:${run.id}`
  await until(() => told.includes(`@xstate.snapshot ${id}`))
  expect(told.indexOf(`@xstate.actor ${id}`)).toBeLessThan(told.indexOf(`@xstate.snapshot ${id}`))
})
