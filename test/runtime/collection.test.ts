import { describe, expect, test } from 'vitest'
import { collection } from '../../src/index.ts'
import {
  echoTask,
  errorOf,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  thrownBy,
  turns,
} from '../support/harness.ts'

const boom = () => taskOf(() => Promise.reject(new Error('boom')))

describe('a collection', () => {
  test('together: submits all at once, lets admission decide, and gives results in the order of the items', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const order: string[] = []
    const note = taskOf<string, string>((input) => {
      order.push(input)
      return input
    })
    const all = collection([
      note.call('low', { priority: 'low' }),
      note.call('normal'),
      note.call('critical', { priority: 'critical' }),
      note.call('high', { priority: 'high' }),
    ])
    supervisor.pause()
    const done = all.run(supervisor)
    expect(supervisor.info().runs.queued).toBe(4)
    supervisor.resume()
    const { ok, results, errors, runs } = await done
    expect([ok, results, errors.size, runs.length]).toEqual([
      true,
      ['low', 'normal', 'critical', 'high'],
      0,
      4,
    ])
    expect(order).toEqual(['critical', 'high', 'normal', 'low'])
  })

  test('inOrder: runs one after the other by priority, stable, although slots are free', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<string>()
    const urgent = heldTask<string>({ priority: 'critical' })
    const done = collection([task.call('a'), task.call('b'), urgent.task.call('c')], { mode: 'inOrder' }).run(
      supervisor,
    )
    await turns()
    expect([inputs(), urgent.inputs()]).toEqual([[], ['c']])
    urgent.calls[0]!.resolve(3)
    await turns()
    expect(inputs()).toEqual(['a'])
    calls[0]!.resolve(1)
    await turns()
    calls[1]!.resolve(2)
    expect((await done).results).toEqual([1, 2, 3])
  })

  test.each(['together', 'inOrder'] as const)(
    'collects errors by position and goes on (%s)',
    async (mode) => {
      const { supervisor } = await startedSupervisor(slots(2))
      const bad = boom()
      const { ok, results, errors, runs } = await collection(
        [echoTask<number>().call(1), bad, echoTask<number>().call(3)],
        {
          mode,
        },
      ).run(supervisor)
      expect([ok, results, [...errors.keys()]]).toEqual([false, [1, undefined, 3], [1]])
      expect(errors.get(1)).toMatchObject({ code: 'ERR_TASK_THREW' })
      expect(runs.map(({ state }) => state)).toEqual(['finished', 'failed', 'finished'])
    },
  )

  test('throw: rejects with the error and cancels the rest', async () => {
    const { supervisor } = await startedSupervisor(slots(2))
    const { task } = heldTask()
    const never = echoTask()
    const error = await errorOf(collection([task, boom(), never], { onError: 'throw' }).run(supervisor))
    expect(error).toMatchObject({ code: 'ERR_TASK_THREW' })
    await turns(2)
    expect(supervisor.list({ name: task.name })[0]?.state).toBe('cancelled')
    expect(supervisor.list().filter(({ state }) => state === 'running' || state === 'queued')).toEqual([])
  })

  test('throw, inOrder: submits nothing after the error', async () => {
    const { supervisor } = await startedSupervisor()
    const never = echoTask()
    await errorOf(collection([boom(), never], { mode: 'inOrder', onError: 'throw' }).run(supervisor))
    expect(supervisor.list({ name: never.name })).toEqual([])
  })

  test('a function is told of each error and collects', async () => {
    const { supervisor } = await startedSupervisor()
    const told: unknown[] = []
    const all = collection([boom(), echoTask<number>().call(2)], {
      onError: (error, run) => told.push([error, run?.state]),
    })
    const { errors, results } = await all.run(supervisor)
    expect(told).toEqual([[errors.get(0), 'failed']])
    expect(results).toEqual([undefined, 2])
  })

  test('an item that cannot even be submitted is an error of that item', async () => {
    const { supervisor } = await startedSupervisor()
    const strict = echoTask<number>({
      schema: {
        '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'never' }] }) },
      },
    })
    const { ok, results, errors } = await collection([strict.call(1), echoTask<number>().call(2)]).run(
      supervisor,
    )
    expect([ok, results]).toEqual([false, [undefined, 2]])
    expect(errors.get(0)).toMatchObject({ code: 'ERR_INPUT_INVALID' })
    const { task } = heldTask()
    const error = await errorOf(
      collection([task, strict.call(1), task], { onError: 'throw' }).run(supervisor),
    )
    expect(error).toMatchObject({ code: 'ERR_INPUT_INVALID' })
    await turns(2)
    expect(supervisor.list({ name: task.name }).every(({ state }) => state === 'cancelled')).toBe(true)
  })

  test('passes options for all, which an item overrides', async () => {
    const { supervisor } = await startedSupervisor()
    const { task } = heldTask()
    supervisor.pause()
    const done = collection([task, task.call(undefined, { priority: 'low' })]).run(supervisor, {
      priority: 'high',
    })
    expect(supervisor.list({ name: task.name }).map(({ priority }) => priority)).toEqual(['high', 'low'])
    for (const run of supervisor.list()) run.cancel()
    expect((await done).errors.size).toBe(2)
  })

  test('may be empty, and may be run again while it runs', async () => {
    const { supervisor } = await startedSupervisor()
    expect(await collection([]).run(supervisor)).toMatchObject({ ok: true, results: [] })
    const all = collection([echoTask<number>().call(1)])
    const [one, two] = await Promise.all([all.run(supervisor), all.run(supervisor)])
    expect([one?.results, two?.results, one?.runs[0] === two?.runs[0]]).toEqual([[1], [1], false])
  })

  test.each([
    [[7], undefined],
    [[undefined], undefined],
    ['text', undefined],
    [[], { mode: 'parallel' }],
    [[], { onError: 'ignore' }],
    [[], { mod: 'inOrder' }],
  ])('refuses %j with %j', (items, options) => {
    expect(thrownBy(() => collection(items as never, options as never)).name).toBe('OptionError')
  })
})
