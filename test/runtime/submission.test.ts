import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { defineTask } from '../../src/index.ts'
import {
  echoTask,
  errorOf,
  freshName,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  testSupervisor,
  thrownBy,
  turns,
} from '../support/harness.ts'

describe('a submission', () => {
  test('before start waits as queued and runs when the supervisor starts', async () => {
    const { supervisor, story } = testSupervisor()
    const run = supervisor.submit(echoTask<string>(), 'early')
    await turns(3)
    expect([supervisor.state, run.state, run.startedAt]).toEqual(['idle', 'queued', undefined])
    await supervisor.start()
    await expect(run.result).resolves.toBe('early')
    expect(story(run)).toEqual(['created', 'queued', 'admitted', 'started', 'finished'])
  })

  test('before start has its queue clocks running', async () => {
    const { supervisor, clock, story } = testSupervisor()
    const run = supervisor.submit(echoTask(), undefined, { queueTimeoutMs: 20_000 })
    await clock.advance(20_000)
    expect(story(run)).toEqual(['created', 'queued', 'queueWarning', 'queueCritical', 'terminated'])
  })

  test('is refused while the supervisor stops and after it has stopped', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const { task } = heldTask({ deaf: true })
    supervisor.submit(task)
    await turns()
    const stopped = stop({ wait: 1_000, graceMs: 100 })
    const draining = thrownBy(() => supervisor.submit(task))
    await stopped
    const after = thrownBy(() => supervisor.submit(task))
    const external = thrownBy(() => supervisor.submitExternal({ start() {} }))
    for (const error of [draining, after, external]) {
      expect(error).toMatchObject({ name: 'SupervisorStateError', code: 'ERR_SUPERVISOR_STOPPED' })
    }
    expect(supervisor.list({ name: task.name })).toHaveLength(1)
  })

  test('takes a definition, a definition with input, or a call with options of its own', async () => {
    const { supervisor } = await startedSupervisor()
    const task = echoTask<string>()
    const nothing = taskOf<void, string>(() => 'made')
    await expect(supervisor.submit(nothing).result).resolves.toBe('made')
    await expect(supervisor.submit(task, 'a').result).resolves.toBe('a')
    const run = supervisor.submit(task.call('b', { priority: 'high', runId: 'mine' }))
    expect([run.id, run.priority]).toEqual(['mine', 'high'])
    await expect(run.result).resolves.toBe('b')
  })

  test('gives the handle the facts about the run', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask<number>({
      description: (input) => `the ${input}th`,
      metadata: (input) => ({ input }),
    })
    const startAt = clock.now()
    supervisor.submit(task, 1)
    const run = supervisor.submit(task, 2)
    await clock.advance(30)
    expect(run).toMatchObject({
      name: task.name,
      state: 'queued',
      priority: 'normal',
      execution: 'async',
      attempt: 0,
      description: 'the 2th',
      metadata: { input: 2 },
      submittedAt: startAt,
      startedAt: undefined,
      endedAt: undefined,
      runMs: undefined,
      outcome: undefined,
      skipped: false,
      step: 'none',
      progressed: undefined,
    })
    calls[0]!.resolve()
    await clock.advance(50)
    calls[1]!.resolve('v')
    await run.result
    expect(run).toMatchObject({
      state: 'finished',
      attempt: 1,
      startedAt: startAt + 30,
      endedAt: startAt + 80,
      queueMs: 30,
      runMs: 50,
      outcome: { kind: 'finished', value: 'v' },
    })
  })

  test('has the name as description, and no metadata, when those functions throw or are not given', () => {
    const { supervisor } = testSupervisor()
    const boom = (): never => {
      throw new Error('boom')
    }
    const broken = supervisor.submit(echoTask({ description: boom, metadata: boom }))
    expect([broken.description, broken.metadata]).toEqual([broken.name, {}])
    const plain = supervisor.submit(echoTask())
    expect([plain.description, plain.metadata]).toEqual([plain.name, {}])
  })

  test('overrides its definition, which overrides the defaults of the supervisor', () => {
    const { supervisor } = testSupervisor({ defaults: { priority: 'low', execution: 'main' } })
    const plain = echoTask()
    const own = echoTask({ priority: 'high', execution: 'async' })
    expect(supervisor.submit(plain)).toMatchObject({ priority: 'low', execution: 'main' })
    expect(supervisor.submit(own)).toMatchObject({ priority: 'high', execution: 'async' })
    expect(supervisor.submit(own, undefined, { priority: 'critical' })).toMatchObject({
      priority: 'critical',
    })
    expect(supervisor.submit(own, undefined, { priority: undefined as never }).priority).toBe('high')
  })

  test('of a disabled definition by hand runs', async () => {
    const { supervisor } = await startedSupervisor()
    await expect(supervisor.submit(echoTask<number>({ disabled: true }), 3).result).resolves.toBe(3)
  })

  test('from a listener of an event, in the middle of a transition, runs too', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const task = echoTask<string>()
    const results: Promise<unknown>[] = []
    const off = supervisor.on('task.finished', ({ value }) => {
      off()
      results.push(supervisor.submit(task, `${value} and on`).result)
    })
    await supervisor.submit(task, 'on').result
    expect(await Promise.all(results)).toEqual(['on and on'])
  })
})

describe('a group', () => {
  test('puts its prefix before the name and its options under those of the definition', () => {
    const { supervisor } = testSupervisor()
    const group = { prefix: 'images.', priority: 'high', queueTimeoutMs: 5 } as const
    const task = defineTask({ name: 'resize', group, priority: 'low' }, () => 1)
    const other = defineTask({ name: 'crop', group, priority: undefined as never }, () => 1)
    expect(supervisor.submit(task)).toMatchObject({ name: 'images.resize', priority: 'low' })
    expect(supervisor.submit(other)).toMatchObject({ name: 'images.crop', priority: 'high' })
  })
})

describe('a run id', () => {
  test('is an increasing UUIDv7 unless it is given', () => {
    const { supervisor } = testSupervisor()
    const task = echoTask()
    const ids = Array.from({ length: 300 }, () => supervisor.submit(task).id)
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect([...new Set(ids)].sort()).toEqual(ids)
  })

  test('is made by the submission, else the definition, else the supervisor', () => {
    const { supervisor } = testSupervisor({
      defaults: { runId: (definition, input) => `${definition.name}:${input}` },
    })
    const plain = echoTask<string>()
    const own = echoTask<string>({ runId: (_, input) => `own:${input}` })
    expect(supervisor.submit(plain, 'a').id).toBe(`${plain.name}:a`)
    expect(supervisor.submit(own, 'a').id).toBe('own:a')
    expect(supervisor.submit(own, 'a', { runId: 'given' }).id).toBe('given')
  })

  test('is refused while it is live, and may be used again when its run has ended', async () => {
    const { supervisor, recorder } = await startedSupervisor()
    const task = echoTask<number>()
    const first = supervisor.submit(task, 1, { runId: 'one' })
    const before = recorder.events.length
    const error = thrownBy(() => supervisor.submit(task, 2, { runId: 'one' }))
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_RUN_ID_TAKEN', runId: 'one' })
    expect(recorder.events).toHaveLength(before)
    await expect(first.result).resolves.toBe(1)
    const again = supervisor.submit(task, 3, { runId: 'one' })
    expect(supervisor.get('one')).toBe(again)
    await expect(again.result).resolves.toBe(3)
  })

  test.each([[''], [undefined], [7], [{}]])('that a function makes as %j is refused', (made) => {
    const { supervisor } = testSupervisor()
    const task = echoTask({ runId: () => made as string })
    expect(thrownBy(() => supervisor.submit(task)).code).toBe('ERR_OPTION_INVALID')
    expect(supervisor.list()).toEqual([])
  })
})

describe('a name', () => {
  test('belongs to one definition per supervisor, whether it was the same text or not', async () => {
    const { supervisor } = await startedSupervisor()
    const name = freshName()
    const one = defineTask({ name }, () => 1)
    const two = defineTask({ name }, () => 2)
    await expect(supervisor.submit(one).result).resolves.toBe(1)
    const error = thrownBy(() => supervisor.submit(two))
    expect(error).toMatchObject({ code: 'ERR_TASK_NAME_TAKEN', taskName: name })
    await expect(supervisor.submit(one).result).resolves.toBe(1)
    const other = await startedSupervisor({ id: 'other' })
    await expect(other.supervisor.submit(two).result).resolves.toBe(2)
  })

  test('is not taken by a submission that was refused', () => {
    const { supervisor } = testSupervisor()
    const name = freshName()
    const refused = defineTask({ name }, () => 1)
    expect(thrownBy(() => supervisor.submit(refused, undefined, { delayMs: -1 })).code).toBe(
      'ERR_OPTION_INVALID',
    )
    expect(supervisor.submit(defineTask({ name }, () => 2)).state).toBe('queued')
  })
})

describe('an AbortSignal', () => {
  test('that is aborted already cancels the run before its handler begins', async () => {
    const { supervisor, of } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task, undefined, { signal: AbortSignal.abort('never mind') })
    const error = await errorOf(run.result)
    await turns()
    expect(error).toMatchObject({ code: 'ERR_TASK_CANCELLED', reason: 'never mind' })
    expect(calls).toEqual([])
    expect(of('task.started')).toEqual([])
  })

  test('that is aborted already takes no slot and ends nobody else', async () => {
    const { supervisor, of } = await startedSupervisor(slots(1))
    const { task } = heldTask({ multilaunch: false, onConflict: 'replace' })
    const live = supervisor.submit(task)
    await turns()
    const run = supervisor.submit(task, undefined, { signal: AbortSignal.abort() })
    await turns()
    expect([live.state, run.state, run.step]).toEqual(['running', 'cancelled', 'none'])
    expect(of('task.admitted')).toHaveLength(1)
  })

  test('that is aborted later cancels the run with its reason, in every state', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    const controller = new AbortController()
    const { signal } = controller
    const running = supervisor.submit(task, undefined, { signal })
    const queued = supervisor.submit(task, undefined, { signal })
    const scheduled = supervisor.submit(task, undefined, { signal, delayMs: 10 })
    await turns()
    const reason = new Error('user left')
    controller.abort(reason)
    await clock.advance(0)
    for (const run of [running, queued, scheduled]) {
      expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', reason, cause: reason })
    }
  })

  test('keeps no listener of a run that has ended', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask()
    const { signal } = new AbortController()
    const runs = [0, 1].map(() => supervisor.submit(task, undefined, { signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(2)
    runs[1]!.cancel()
    await turns()
    calls[0]!.resolve()
    await turns()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('aborted after the end changes nothing', async () => {
    const { supervisor } = await startedSupervisor()
    const controller = new AbortController()
    const run = supervisor.submit(echoTask<number>(), 1, { signal: controller.signal })
    await run.result
    controller.abort()
    expect(run.state).toBe('finished')
    await expect(run.result).resolves.toBe(1)
  })
})
