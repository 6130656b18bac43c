import { describe, expect, test } from 'vitest'
import { errorOf, slots, startedSupervisor, testSupervisor, thrownBy, turns } from '../support/harness.ts'

describe('submitExternal', () => {
  test('passes admission, holds a slot, and ends with what complete reports', async () => {
    const { supervisor, story } = await startedSupervisor(slots(1))
    const started: string[] = []
    const make = (label: string) =>
      supervisor.submitExternal<string>({ start: () => void started.push(label) })
    const first = make('first')
    const second = make('second')
    await turns()
    expect([started, second.state]).toEqual([['first'], 'queued'])
    supervisor.complete(first.id, 'value')
    await expect(first.result).resolves.toBe('value')
    expect(story(first)).toEqual(['created', 'queued', 'admitted', 'started', 'finished'])
    await turns()
    expect(started).toEqual(['first', 'second'])
    supervisor.fail(second.id, new Error('reported'))
    expect(await errorOf(second.result)).toMatchObject({
      code: 'ERR_TASK_THREW',
      cause: new Error('reported'),
    })
  })

  test.each([['complete'], ['fail']] as const)(
    'a second report and an unknown id are refused (%s)',
    async (call) => {
      const { supervisor } = await startedSupervisor()
      const run = supervisor.submitExternal({ start() {} })
      await turns()
      supervisor.complete(run.id, 1)
      expect(thrownBy(() => supervisor[call](run.id, 2))).toMatchObject({
        code: 'ERR_EXTERNAL_UNKNOWN',
        runId: run.id,
      })
      expect(thrownBy(() => supervisor[call]('nobody', 2))).toMatchObject({ code: 'ERR_EXTERNAL_UNKNOWN' })
      await expect(run.result).resolves.toBe(1)
      expect(thrownBy(() => supervisor[call](run.id, 3))).toMatchObject({ name: 'OptionError' })
    },
  )

  test('a report before it is admitted is refused and changes nothing', async () => {
    const { supervisor } = testSupervisor()
    const run = supervisor.submitExternal({ start() {} })
    expect(thrownBy(() => supervisor.fail(run.id, 'early')).code).toBe('ERR_EXTERNAL_UNKNOWN')
    await supervisor.start()
    await turns()
    supervisor.complete(run.id, 'ok')
    await expect(run.result).resolves.toBe('ok')
  })

  test('may be reported from inside start', async () => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submitExternal({ start: (ctx) => supervisor.complete(ctx.runId, 'at once') })
    await expect(run.result).resolves.toBe('at once')
  })

  test('ends when it is reported, also while start goes on', async () => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submitExternal({ start: () => new Promise<void>(() => {}) })
    await turns()
    supervisor.complete(run.id, 'reported')
    await turns()
    expect(run.state).toBe('finished')
  })

  test('fails when start throws', async () => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submitExternal({
      start() {
        throw new Error('cannot begin')
      },
    })
    expect(await errorOf(run.result)).toMatchObject({
      code: 'ERR_TASK_THREW',
      cause: new Error('cannot begin'),
    })
    expect(thrownBy(() => supervisor.complete(run.id)).code).toBe('ERR_EXTERNAL_UNKNOWN')
  })

  test('ends at once when it is cancelled, timed out or stopped, and refuses the report after that', async () => {
    const { supervisor, clock, stop } = await startedSupervisor()
    const cancelled = supervisor.submitExternal({ start() {} })
    const late = supervisor.submitExternal({ start() {}, runTimeoutMs: 10 })
    const last = supervisor.submitExternal({ start() {} })
    await turns()
    cancelled.cancel('no need')
    await clock.advance(10)
    await stop()
    expect([cancelled, late, last].map(({ state }) => state)).toEqual([
      'cancelled',
      'terminated',
      'terminated',
    ])
    expect([cancelled, late, last].map(({ step }) => step)).toEqual(['signal', 'signal', 'signal'])
    for (const { id } of [cancelled, late, last]) {
      expect(thrownBy(() => supervisor.complete(id, 'late')).code).toBe('ERR_EXTERNAL_UNKNOWN')
    }
  })

  test('takes the options of a submission', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const run = supervisor.submitExternal({
      start() {},
      name: 'upload',
      runId: 'u1',
      priority: 'high',
      delayMs: 20,
    })
    expect(run).toMatchObject({ id: 'u1', name: 'upload', priority: 'high', state: 'scheduled' })
    await clock.advance(20)
    expect(run.state).toBe('running')
  })

  test('is started anew when it is tried again', async () => {
    const { supervisor, clock } = await startedSupervisor()
    let starts = 0
    const start = (): void => {
      starts += 1
    }
    const retry = { attempts: 2, backoff: { initialMs: 0 } }
    const run = supervisor.submitExternal({ start, retry })
    await turns()
    supervisor.fail(run.id, new Error('once'))
    await clock.advance(0)
    supervisor.complete(run.id, 'twice')
    await expect(run.result).resolves.toBe('twice')
    expect(starts).toBe(2)
  })

  test.each([
    [{}],
    [{ start: 7 }],
    [{ start() {}, execution: 'thread' }],
    [{ start() {}, startt: 1 }],
    [{ start() {}, name: '' }],
    [undefined],
  ])('refuses %j', (task) => {
    const { supervisor } = testSupervisor()
    expect(thrownBy(() => supervisor.submitExternal(task as never)).name).toBe('OptionError')
    expect(supervisor.list()).toEqual([])
  })
})
