import { describe, expect, test } from 'vitest'
import { type AnyActorRef, createActor, type InspectionEvent, setup } from 'xstate'
import { fromTask } from '../../src/index.ts'
import {
  echoTask,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  testSupervisor,
  turns,
} from '../support/harness.ts'

const ref = (event: InspectionEvent): string => (event.actorRef as AnyActorRef).id

describe('an inspection observer', () => {
  test('sees the supervisor, its tasks and every task actor, with events and snapshots', async () => {
    const seen: InspectionEvent[] = []
    const { supervisor } = testSupervisor({ inspect: (event) => seen.push(event) })
    await supervisor.start()
    const run = supervisor.submit(echoTask<number>(), 1)
    await run.result
    const actors = seen.filter(({ type }) => type === '@xstate.actor').map(ref)
    expect(actors).toEqual(['test', 'tasks', 'loops', 'children', `task:${run.id}`])
    const own = seen.filter((event) => ref(event) === `task:${run.id}`)
    const events = own.flatMap((event) => (event.type === '@xstate.event' ? [event.event.type] : []))
    expect(events.filter((type) => !type.startsWith('xstate.'))).toEqual([
      'task.submit',
      'task.admit',
      'attempt.started',
      'attempt.returned',
    ])
    const values = own.flatMap((event) =>
      event.type === '@xstate.snapshot' ? [(event.snapshot as unknown as { value: unknown }).value] : [],
    )
    expect(values).toEqual(
      expect.arrayContaining(['queued', { running: 'starting' }, { running: 'executing' }, 'finished']),
    )
    expect(values.at(-1)).toBe('finished')
  })

  test.each([
    [
      'a function',
      () => {
        throw new Error('inspector')
      },
    ],
    [
      'an observer',
      {
        next() {
          throw new Error('inspector')
        },
      },
    ],
    ['an observer of nothing', {}],
  ])('that throws, given as %s, hurts nothing', async (_, inspect) => {
    const { supervisor, stop } = await startedSupervisor({ ...slots(1), inspect: inspect as never })
    const { task, calls } = heldTask()
    const runs = [supervisor.submit(task), supervisor.submit(task), supervisor.submit(echoTask<number>(), 1)]
    await turns()
    calls[0]!.reject(new Error('x'))
    runs[1]!.cancel()
    await expect(runs[2]!.result).resolves.toBe(1)
    await stop()
    expect(runs.map(({ state }) => state)).toEqual(['failed', 'cancelled', 'finished'])
  })

  test('that is added later sees the runs that live already, and is isolated too', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask()
    const runs = [supervisor.submit(task), supervisor.submit(task)]
    await turns()
    const seen: string[] = []
    supervisor.actor.system.inspect((event) => {
      seen.push(`${ref(event)} ${event.type}`)
      throw new Error('inspector')
    })
    calls[0]!.resolve('v')
    await expect(runs[0]!.result).resolves.toBe('v')
    expect(seen).toContain(`task:${runs[0]!.id} @xstate.snapshot`)
    expect(seen).toContain(`task:${runs[1]!.id} @xstate.snapshot`)
    const late = supervisor.submit(task)
    late.cancel()
    expect(seen).toContain(`task:${late.id} @xstate.actor`)
  })

  test('changes nothing: an observed run has the same events as an unobserved one', async () => {
    const story = async (inspect: boolean): Promise<unknown[]> => {
      const test = testSupervisor({ ...slots(1), id: 'same', ...(inspect ? { inspect: () => {} } : {}) })
      const { supervisor, clock, recorder, stop } = test
      await supervisor.start()
      const retry = { attempts: 2, backoff: { kind: 'fixed', initialMs: 10, jitter: 'none' } } as const
      const { task, calls } = heldTask<number>({ name: 'same', retry, runTimeoutMs: 50, graceMs: 5 })
      const deaf = heldTask({ name: 'deaf', deaf: true, graceMs: 5 })
      for (let i = 0; i < 4; i += 1) supervisor.submit(task, i, { runId: `r${i}` })
      supervisor.submit(deaf.task, undefined, { runId: 'deaf', priority: 'high' })
      await clock.advance(5)
      calls[0]!.reject(new Error('again'))
      supervisor.get('r2')!.cancel('by hand')
      await clock.advance(20)
      supervisor.get('deaf')!.cancel()
      await clock.advance(200)
      await stop()
      return recorder.events.map(({ type, payload }) => [type, JSON.stringify(payload)])
    }
    const unobserved = await story(false)
    expect(unobserved.length).toBeGreaterThan(20)
    expect(await story(true)).toEqual(unobserved)
  })
})

describe('run.actor', () => {
  test('is one real actor: snapshots, subscription, completion', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task)
    const { actor } = run
    expect(run.actor).toBe(actor)
    expect(actor.id).toBe(`task:${run.id}`)
    const values: unknown[] = []
    let completed = false
    actor.subscribe({
      next: ({ value }) => values.push(value),
      complete: () => {
        completed = true
      },
    })
    await turns()
    expect(actor.getSnapshot().matches({ running: 'executing' })).toBe(true)
    calls[0]!.resolve('v')
    await run.result
    expect(values).toEqual([{ running: 'executing' }, 'finished'])
    expect(completed).toBe(true)
    expect(actor.getSnapshot()).toMatchObject({ status: 'done', output: { kind: 'finished', value: 'v' } })
  })

  test('takes a cancel, as run.cancel does', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    const running = supervisor.submit(task)
    const queued = supervisor.submit(task)
    await turns()
    queued.actor.send({ type: 'task.cancel', reason: 'sent' })
    running.actor.send({ type: 'task.cancel', reason: 'sent' })
    expect(queued.state).toBe('cancelled')
    await turns()
    expect(running.outcome).toMatchObject({ kind: 'cancelled', reason: 'sent', step: 'signal' })
  })

  test('takes a cancel before the handler has begun, and the next task gets the slot', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    const first = supervisor.submit(task)
    const second = supervisor.submit(task)
    first.actor.send({ type: 'task.cancel', reason: 'sent' })
    await turns()
    expect([first.state, second.state]).toEqual(['cancelled', 'running'])
  })

  test('ignores what is no event of a task, or not now', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task)
    await turns()
    for (const type of ['nonsense', 'task.submit', 'task.admit', 'timer.wakeUp'])
      run.actor.send({ type } as never)
    calls[0]!.resolve('v')
    await expect(run.result).resolves.toBe('v')
    run.actor.send({ type: 'task.cancel' })
    expect(run.state).toBe('finished')
  })

  test('can be read in every state, the ended ones included, and the run goes on the same', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask()
    const scheduled = supervisor.submit(task, undefined, { delayMs: 10 })
    const running = supervisor.submit(task)
    const queued = supervisor.submit(task)
    const snoozing = supervisor.submit(
      taskOf<void, unknown>((_, ctx) => ctx.snooze(10), { priority: 'high' }),
      undefined,
      { deadlineMs: 1_000 },
    )
    const values = [scheduled, running, queued, snoozing].map(({ actor }) => actor.getSnapshot().value)
    expect(values).toEqual(['scheduled', { running: 'starting' }, 'queued', 'queued'])
    await clock.advance(10)
    calls[0]!.resolve(1)
    await turns()
    for (const run of [scheduled, queued, snoozing]) run.cancel()
    await turns(2)
    expect([scheduled, running, queued, snoozing].map(({ state }) => state)).toEqual([
      'cancelled',
      'finished',
      'cancelled',
      'cancelled',
    ])
    const ended = supervisor.submit(echoTask<number>(), 5)
    await ended.result
    expect(ended.actor.getSnapshot()).toMatchObject({
      status: 'done',
      value: 'finished',
      output: { value: 5 },
    })
    expect(ended.actor).toBe(ended.actor)
    expect(supervisor.info().pool.active).toBe(0)
  })

  test('has a persisted snapshot that survives JSON', async () => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submit(heldTask().task)
    await turns()
    const persisted = run.actor.getPersistedSnapshot()
    const copy = JSON.parse(JSON.stringify(persisted)) as Record<string, unknown>
    expect(copy).toMatchObject({
      status: 'active',
      value: { running: 'executing' },
      context: { execution: 'async', attempt: 1 },
    })
    // What is undefined is left out by JSON; nothing else may differ.
    expect(JSON.parse(JSON.stringify(copy))).toEqual(copy)
  })
})

describe('supervisor.actor', () => {
  test('is the root of the system, with its own snapshot', async () => {
    const { supervisor, stop } = testSupervisor()
    const { actor } = supervisor
    const values: unknown[] = []
    actor.subscribe(({ value }) => values.push(value))
    await supervisor.start()
    supervisor.pause()
    await stop({ wait: true })
    expect(
      values.filter((value, index) => JSON.stringify(value) !== JSON.stringify(values[index - 1])),
    ).toEqual([
      { starting: 'preparing' },
      { starting: 'startingLoops' },
      { starting: 'initiating' },
      { starting: 'bringingUp' },
      'running',
      'paused',
      ...values
        .slice(values.indexOf('paused') + 1, -1)
        .filter((v, i, all) => JSON.stringify(v) !== JSON.stringify(all[i - 1])),
      'stopped',
    ])
    expect(actor.system.get('supervisor')).toBe(actor)
    expect(actor.system.get('tasks')?.id).toBe('tasks')
  })
})

describe('fromTask', () => {
  const machineOf = (logic: ReturnType<typeof fromTask<string, unknown>>) =>
    setup({ actors: { work: logic } }).createMachine({
      initial: 'working',
      states: {
        working: {
          invoke: { src: 'work', id: 'work', input: 'input', onDone: 'done', onError: 'failed' },
          on: { leave: 'left' },
        },
        done: { output: 1 },
        failed: {},
        left: {},
      },
    })

  test('gives the value of the run to the machine that invokes it', async () => {
    const { supervisor } = await startedSupervisor()
    const events: unknown[] = []
    const echo = taskOf<string, unknown>((input) => input)
    const actor = createActor(machineOf(fromTask(supervisor, echo, { priority: 'high' })), {
      inspect: (event) => event.type === '@xstate.event' && events.push(event.event),
    }).start()
    expect(supervisor.list()[0]).toMatchObject({ priority: 'high' })
    await turns(2)
    expect(actor.getSnapshot().value).toBe('done')
    expect(events).toContainEqual(expect.objectContaining({ output: 'input' }))
    actor.stop()
  })

  test('gives the typed error of a run that fails, or that cannot be submitted', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const errors: unknown[] = []
    const inspect = (event: InspectionEvent): void => {
      if (event.type === '@xstate.event' && 'error' in event.event) errors.push(event.event.error)
    }
    const failing = taskOf<string, unknown>(() => Promise.reject(new Error('x')))
    const first = createActor(machineOf(fromTask(supervisor, failing)), { inspect }).start()
    await turns(2)
    await stop()
    const second = createActor(machineOf(fromTask(supervisor, failing)), { inspect }).start()
    await turns(2)
    expect([first.getSnapshot().value, second.getSnapshot().value]).toEqual(['failed', 'failed'])
    expect(errors).toMatchObject([{ code: 'ERR_TASK_THREW' }, { code: 'ERR_SUPERVISOR_STOPPED' }])
  })

  test('cancels the run when the state is left or the machine is stopped', async () => {
    const { supervisor } = await startedSupervisor()
    const { task } = heldTask<string>()
    const left = createActor(machineOf(fromTask(supervisor, task))).start()
    const stopped = createActor(machineOf(fromTask(supervisor, task))).start()
    await turns()
    left.send({ type: 'leave' })
    stopped.stop()
    await turns()
    expect(supervisor.list().map(({ state }) => state)).toEqual(['cancelled', 'cancelled'])
  })

  test('emits progress', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask<string>()
    const actor = createActor(fromTask(supervisor, task), { input: 'x' })
    const seen: unknown[] = []
    actor.on('task.progress', (event) => seen.push(event))
    actor.start()
    await turns()
    calls[0]!.ctx.progress(40, 'n')
    await turns()
    calls[0]!.resolve()
    await turns()
    expect(seen).toEqual([{ type: 'task.progress', percent: 40, note: 'n' }])
    expect(actor.getSnapshot().status).toBe('done')
  })
})
