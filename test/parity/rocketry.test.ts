/** What docs/parity.md promises users of Rocketry, as far as no other test shows it. */
import { describe, expect, test } from 'vitest'
import { defineTask, type Run, type TaskRecord } from '../../src/index.ts'
import {
  dies,
  echo,
  endless,
  exits,
  knows,
  logs,
  odd,
  stops,
  stubborn,
  waits,
  where,
  whereLater,
} from '../fixtures/parity/tasks.ts'
import {
  echoTask,
  errorOf,
  freshName,
  heldTask,
  slots,
  startedSupervisor,
  type TestSupervisor,
  taskOf,
  thrownBy,
  turns,
} from '../support/harness.ts'

const EXECUTIONS = ['main', 'async', 'thread', 'process'] as const
const fixture = (file: string): string => new URL(`../fixtures/parity/${file}`, import.meta.url).href

/** Resolves when the handler of the run has begun: it reports progress then. */
const begun = ({ recorder }: TestSupervisor, { id }: Run) =>
  recorder.until(({ type, payload }) => type === 'task.progress' && payload.runId === id)

describe.each(EXECUTIONS)('execution %s', (execution) => {
  test('runs any definition that has a module, in its band, delayed, sync or async', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const options = { execution, priority: 'high', delayMs: 5 } as const
    const runs = [
      supervisor.submit(where, undefined, options),
      supervisor.submit(whereLater, undefined, options),
    ]
    expect(runs.map(({ state, priority }) => [state, priority])).toEqual([
      ['scheduled', 'high'],
      ['scheduled', 'high'],
    ])
    await clock.advance(5)
    for (const run of runs) {
      const place = await run.result
      expect([place.isMainThread, place.pid === process.pid]).toEqual([
        execution !== 'thread',
        execution !== 'process',
      ])
      expect(run).toMatchObject({ state: 'finished', execution })
    }
    expect(supervisor.info()).toMatchObject({ pool: { active: 0 }, processes: { active: 0 } })
  })

  test('may stop its supervisor, and its own outcome stands', async () => {
    const { supervisor } = await startedSupervisor()
    const refused = supervisor.submit(stops, { wait: -1 }, { execution })
    expect(await errorOf(refused.result)).toMatchObject({ cause: { code: 'ERR_OPTION_INVALID' } })
    expect(supervisor.state).toBe('running')
    const run = supervisor.submit(stops, { wait: true }, { execution })
    await supervisor.block()
    expect([run.state, await run.result]).toEqual(['finished', 'its own outcome'])
  })

  test('has the run and the supervisor in ctx, and its log and progress reach the supervisor', async () => {
    const { supervisor, lines, of } = await startedSupervisor()
    const run = supervisor.submit(knows, undefined, { execution })
    await expect(run.result).resolves.toEqual({
      name: knows.name,
      runId: run.id,
      supervisor: 'test',
      reserveHigh: 7,
      cancelled: true,
      child: 'child',
    })
    const logged = supervisor.submit(logs, 'a line', { execution })
    await expect(logged.result).resolves.toBe('a line')
    expect(lines.find(({ msg }) => msg === 'a line')).toMatchObject({
      supervisor: 'test',
      task: logs.name,
      runId: logged.id,
      attempt: 1,
      own: 1,
    })
    expect(of('task.progress').at(-1)).toMatchObject({ runId: logged.id, percent: 70, note: 'logged' })
  })

  test('ends by ctx.signal, and what the handler then returns is no success', async () => {
    const started = await startedSupervisor()
    const run = started.supervisor.submit(waits, undefined, { execution })
    await begun(started, run)
    run.cancel('enough')
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', step: 'signal' })
    expect(run).toMatchObject({ state: 'cancelled', outcome: { kind: 'cancelled', reason: 'enough' } })
    expect(started.supervisor.records({ runId: run.id }).map(({ action }) => action)).toEqual([
      'run',
      'terminate',
    ])
  })
})

describe('main', () => {
  test('lets only critical thread and process tasks start beside it', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask({ execution: 'main' })
    supervisor.submit(task)
    const submit = (execution: 'async' | 'thread' | 'process', priority: 'high' | 'critical') =>
      supervisor.submit(where, undefined, { execution, priority })
    const urgent = [submit('thread', 'critical'), submit('process', 'critical')]
    const patient = [submit('async', 'critical'), submit('thread', 'high'), submit('process', 'high')]
    await Promise.all(urgent.map(({ result }) => result))
    expect(patient.map(({ state }) => state)).toEqual(['queued', 'queued', 'queued'])
    calls[0]?.resolve()
    await Promise.all(patient.map(({ result }) => result))
  })
})

describe('thread and process', () => {
  test('leave the loop free, while they start and while they compute', async () => {
    const { supervisor, story, ...rest } = await startedSupervisor()
    const busy = [
      supervisor.submit(endless, undefined, { execution: 'thread' }),
      supervisor.submit(endless, undefined, { execution: 'process' }),
    ]
    await expect(supervisor.submit(echoTask<string>(), 'meanwhile').result).resolves.toBe('meanwhile')
    expect(busy.map((run) => story(run).includes('progress'))).toEqual([false, false])
    for (const run of busy) await begun({ supervisor, story, ...rest }, run)
    await expect(supervisor.submit(echoTask<string>(), 'and later').result).resolves.toBe('and later')
  })

  test('are ended after the grace: an endless loop in a thread, a process that ignores SIGTERM', async () => {
    const started = await startedSupervisor()
    const { supervisor, clock, recorder } = started
    const neighbours = [
      supervisor.submit(waits, undefined, { execution: 'thread' }),
      supervisor.submit(waits, undefined, { execution: 'process' }),
    ]
    const looping = supervisor.submit(endless, undefined, { execution: 'thread', graceMs: 100 })
    const deaf = supervisor.submit(stubborn, undefined, { execution: 'process', graceMs: 100 })
    for (const run of [...neighbours, looping, deaf]) await begun(started, run)
    looping.cancel('stop that')
    deaf.cancel('stop that')
    await clock.advance(99)
    expect([looping.step, deaf.step]).toEqual(['signal', 'signal'])
    const told = recorder.until(({ type, payload }) => type === 'task.progress' && payload.note === 'SIGTERM')
    await clock.advance(1)
    expect(await errorOf(looping.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', step: 'kill' })
    await told
    expect([deaf.state, deaf.step]).toEqual(['running', 'terminate'])
    await clock.advance(100)
    expect(await errorOf(deaf.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', step: 'kill' })
    expect(neighbours.map(({ state }) => state)).toEqual(['running', 'running'])
    for (const run of [looping, deaf]) {
      expect(supervisor.records({ runId: run.id }).map(({ action }) => action)).toEqual(['run', 'terminate'])
    }
    for (const run of neighbours) run.cancel()
    await Promise.allSettled(neighbours.map(({ result }) => result))
  })

  test('end with a stop by its bound, whatever their handlers do', async () => {
    const started = await startedSupervisor(slots(3))
    const { supervisor, clock } = started
    const running = (['thread', 'process'] as const).map((execution) =>
      supervisor.submit(endless, undefined, { execution }),
    )
    const polite = supervisor.submit(waits)
    const queued = supervisor.submit(waits, undefined, { execution: 'thread' })
    for (const run of running) await begun(started, run)
    expect(queued.state).toBe('running')
    const late = supervisor.submit(waits, undefined, { execution: 'thread' })
    expect(late.state).toBe('queued')
    const stopped = supervisor.stop({ wait: 1_000, cancelTasks: true, graceMs: 300 })
    expect(late.state).toBe('terminated')
    expect(await errorOf(polite.result)).toMatchObject({ reason: 'stop', step: 'signal' })
    await clock.advance(300)
    for (const run of running) {
      const error = await errorOf(run.result)
      expect(error).toMatchObject({ code: 'ERR_TASK_TERMINATED', reason: 'stop' })
      expect(error.step).toMatch(/^(kill|terminate)$/)
    }
    await stopped
    expect(clock.monotonic()).toBeLessThanOrEqual(1_250)
    expect(supervisor.info()).toMatchObject({ threads: { live: 0 }, children: { live: 0 } })
  })

  test('refuse what cannot cross, by name and with the cause, and go on', async () => {
    const { supervisor } = await startedSupervisor()
    for (const execution of ['thread', 'process'] as const) {
      const run = supervisor.submit(echo, { callback: () => 1 }, { execution })
      expect(await errorOf(run.result)).toMatchObject({
        code: 'ERR_TASK_UNSERIALIZABLE',
        kind: 'unserializable',
        runId: run.id,
        taskName: echo.name,
        cause: expect.any(Error),
      })
      await expect(supervisor.submit(echo, { fine: 1 }, { execution }).result).resolves.toEqual({ fine: 1 })
    }
  })

  test('find a task by any name, and say so when they cannot', async () => {
    const { supervisor } = await startedSupervisor()
    await expect(supervisor.submit(odd).result).resolves.toBe('found')
    const lost = (module: string) =>
      defineTask({ name: freshName(), module, execution: 'thread' }, () => 'never')
    const missing = await errorOf(supervisor.submit(lost(fixture('tasks.ts'))).result)
    expect(missing).toMatchObject({ kind: 'unknownTask', cause: { code: 'ERR_TASK_EXPORT_MISSING' } })
    const broken = await errorOf(supervisor.submit(lost(fixture('broken-module.ts'))).result)
    expect(broken).toMatchObject({ kind: 'unknownTask', cause: { code: 'ERR_TASK_MODULE_FAILED' } })
    await expect(supervisor.submit(odd).result).resolves.toBe('found')
  })

  test('refuse a task module that makes a supervisor of its own', async () => {
    const { supervisor } = await startedSupervisor()
    const module = fixture('second-supervisor.ts')
    for (const execution of ['thread', 'process'] as const) {
      const own = defineTask({ name: `parity.own ${execution}`, module, execution }, () => 'never')
      const error = await errorOf(supervisor.submit(own).result)
      expect(error.cause).toMatchObject({
        code: 'ERR_TASK_MODULE_FAILED',
        cause: { code: 'ERR_SUPERVISOR_IN_TASK' },
      })
    }
  })
})

describe('options on the supervisor', () => {
  test('hold for every definition that does not say otherwise', async () => {
    const { supervisor, clock } = await startedSupervisor({
      defaults: { runTimeoutMs: 100, multilaunch: false, onConflict: 'reject' },
    })
    const plain = heldTask()
    const permanent = heldTask({ runTimeoutMs: Infinity, multilaunch: true })
    const [short, long] = [supervisor.submit(plain.task), supervisor.submit(permanent.task)]
    expect(thrownBy(() => supervisor.submit(plain.task)).code).toBe('ERR_TASK_ALREADY_LIVE')
    expect(supervisor.submit(permanent.task).state).toBe('running')
    await clock.advance(86_400_000)
    expect([short.state, long.state]).toEqual(['terminated', 'running'])
    const stopped = supervisor.stop({ wait: true })
    await clock.advance(86_400_000)
    expect(long.state).toBe('running')
    for (const call of permanent.calls) call.resolve('drained like any other')
    await stopped
    await expect(long.result).resolves.toBe('drained like any other')
  })
})

describe('an end', () => {
  test('asked for when nothing is live latches nothing on the next run', async () => {
    const { supervisor } = await startedSupervisor()
    const task = echoTask<number>()
    const first = supervisor.submit(task, 1)
    await first.result
    expect(first.cancel('too late')).toBe(false)
    await expect(supervisor.submit(task, 2).result).resolves.toBe(2)
  })

  test('has one cause: the first, save that a run timeout gives way to a cancel', async () => {
    const { supervisor, clock, story } = await startedSupervisor()
    const { task } = heldTask({ deaf: true, graceMs: 50, runTimeoutMs: 10, deadlineMs: 20 })
    const cancelled = supervisor.submit(task)
    const timed = supervisor.submit(task)
    await turns()
    cancelled.cancel('by hand')
    await clock.advance(10)
    const repeating = supervisor.submit(task, undefined, { deadlineMs: Infinity, retry: { attempts: 9 } })
    await clock.advance(30)
    repeating.cancel('no more')
    await clock.advance(60)
    expect(await errorOf(cancelled.result)).toMatchObject({ reason: 'by hand' })
    expect(await errorOf(timed.result)).toMatchObject({ reason: 'runTimeout' })
    expect(await errorOf(repeating.result)).toMatchObject({ reason: 'no more' })
    for (const run of [cancelled, timed, repeating]) {
      expect(story(run).filter((name) => /cancelled|terminated|finished|failed/.test(name))).toHaveLength(1)
    }
  })

  test('says its reason in error, event and record', async () => {
    const { supervisor, clock, of } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    supervisor.submit(task).cancel('by hand')
    supervisor.submit(task)
    const run = supervisor.submit(task, undefined, { queueTimeoutMs: 5 })
    await clock.advance(5)
    const error = await errorOf(run.result)
    expect(error).toMatchObject({ reason: 'queueTimeout', runId: run.id, taskName: task.name })
    expect(of('task.terminated')[0]).toMatchObject({ reason: 'queueTimeout' })
    expect(supervisor.records({ action: 'terminate' }).map((record) => record.error)).toEqual([
      expect.stringContaining('by hand'),
      error.message,
    ])
  })

  test('comes by a deadline also while the supervisor drains', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    const running = supervisor.submit(task, undefined, { runTimeoutMs: 100 })
    const queued = supervisor.submit(task, undefined, { queueTimeoutMs: 50 })
    await turns()
    const stopped = supervisor.stop({ wait: true })
    await clock.advance(100)
    await stopped
    expect(await errorOf(running.result)).toMatchObject({ reason: 'runTimeout' })
    expect(await errorOf(queued.result)).toMatchObject({ reason: 'queueTimeout' })
  })
})

test('the task log has six actions, and every record the same fields', async () => {
  const { supervisor } = await startedSupervisor()
  const held = heldTask()
  const runs = [
    supervisor.submit(taskOf(() => Promise.reject(new Error('no')))),
    supervisor.submit(taskOf<void, unknown>((_, ctx) => ctx.skip('nothing to do'))),
    supervisor.submit(held.task),
    supervisor.submit(exits, 3, { execution: 'process' }),
    supervisor.submit(dies, undefined, { execution: 'process' }),
    supervisor.submit(echoTask()),
  ]
  await turns()
  runs[2]?.cancel()
  await Promise.allSettled(runs.map(({ result }) => result))
  const actionsOf = ({ id }: Run) => supervisor.records({ runId: id }).map(({ action }) => action)
  expect(runs.map((run) => actionsOf(run).join(' '))).toEqual([
    'run fail',
    'run inaction',
    'run terminate',
    'run crash',
    'run crash',
    'run success',
  ])
  const fields: (keyof TaskRecord)[] = [
    'name',
    'runId',
    'action',
    'at',
    'startedAt',
    'endedAt',
    'runtimeMs',
    'error',
  ]
  for (const record of supervisor.records()) expect(Object.keys(record)).toEqual(fields)
  expect(supervisor.last(held.task.name).has('terminate')).toBe(true)
})
