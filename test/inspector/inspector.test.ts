/** The inspector of a supervisor, through real sockets. */
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  createSupervisor,
  defineTask,
  type InspectorOptions,
  type SupervisorOptions,
} from '../../src/index.ts'
import { deferred } from '../support/deferred.ts'
import { openFeed } from './feed-client.ts'

async function inspected(options: SupervisorOptions = {}, given: InspectorOptions = {}) {
  const supervisor = createSupervisor({ id: 'test', ...options })
  onTestFinished(async () => void (await supervisor.stop({ wait: false })))
  await supervisor.start()
  const inspector = await supervisor.serveInspector(given)
  return { supervisor, inspector }
}

function gate(name = 'held') {
  const opened = deferred<string>()
  return { task: defineTask({ name }, () => opened.promise), open: () => opened.resolve('done') }
}

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

  test('ends with the supervisor: pages are told', async () => {
    const { supervisor, inspector } = await inspected()
    const page = await openFeed(inspector)
    await supervisor.stop()
    expect(await page.closed).toEqual({ code: 1001, reason: 'the inspector is closed' })
    expect(page.rows.get('supervisor')).toMatchObject({ state: 'stopped' })
    await expect(fetch(inspector.address)).rejects.toThrow()
  })
})
