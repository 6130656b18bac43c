import { describe, expect, test } from 'vitest'
import { lastResult } from '../../src/index.ts'
import { parameters } from '../fixtures/parity/tasks.ts'
import { echoTask, errorOf, startedSupervisor, taskOf, thrownBy } from '../support/harness.ts'

const given = taskOf((_: undefined, ctx) => ctx.parameters)

describe('ctx.parameters', () => {
  test('is empty and frozen when nobody says anything', async () => {
    const { supervisor } = await startedSupervisor()
    const value = await supervisor.submit(given).result
    expect(value).toEqual({})
    expect(Object.isFrozen(value)).toBe(true)
  })

  test('is put together key by key: run over definition over group over supervisor', async () => {
    const { supervisor } = await startedSupervisor({
      defaults: { parameters: { a: 'supervisor', b: 'supervisor', c: 'supervisor', d: 'supervisor' } },
    })
    const group = { prefix: 'g.', parameters: { b: 'group', c: 'group', d: 'group' } }
    const task = taskOf((_: undefined, ctx) => ctx.parameters, {
      group,
      parameters: { c: 'definition', d: 'definition' },
    })
    const run = supervisor.submit(task, undefined, { parameters: { d: 'run', e: 'run' } })
    await expect(run.result).resolves.toEqual({
      a: 'supervisor',
      b: 'group',
      c: 'definition',
      d: 'run',
      e: 'run',
    })
  })

  test.each(['main', 'async', 'thread', 'process'] as const)(
    'reaches handlers in %s, also again',
    async (execution) => {
      const { supervisor } = await startedSupervisor({ defaults: { parameters: { all: ['x'] } } })
      // The first is told to load its module, the second is not.
      for (const when of [1, 2]) {
        const run = supervisor.submit(parameters, undefined, { execution, parameters: { made: () => when } })
        await expect(run.result).resolves.toEqual({ all: ['x'], own: 1, made: when, frozen: true })
      }
    },
  )

  test('reaches handlers on loops', async () => {
    const { supervisor } = await startedSupervisor()
    supervisor.createLoop('side')
    const run = supervisor.submit(parameters, undefined, { loop: 'side', parameters: { made: () => 'here' } })
    await expect(run.result).resolves.toEqual({ own: 1, made: 'here', frozen: true })
  })

  test('is made anew at each attempt, in the supervisor, with the facts of the run', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const seen: unknown[] = []
    const task = taskOf(
      (_: number, ctx) => {
        seen.push(ctx.parameters)
        if (ctx.attempt === 1) throw new Error('again')
      },
      {
        name: 'facts',
        retry: { attempts: 2, backoff: { initialMs: 10 } },
        parameters: { facts: (facts: unknown) => facts, environment: () => process.env.PARAMETER },
      },
    )
    process.env.PARAMETER = 'first'
    const run = supervisor.submit(task, 7)
    await clock.advance(0)
    process.env.PARAMETER = 'second'
    await clock.advance(10)
    await run.result
    delete process.env.PARAMETER
    expect(seen).toEqual([
      { facts: { name: 'facts', input: 7, attempt: 1 }, environment: 'first' },
      { facts: { name: 'facts', input: 7, attempt: 2 }, environment: 'second' },
    ])
  })

  test('of a continuation are those of the step', async () => {
    const { supervisor } = await startedSupervisor()
    const first = taskOf((_: undefined, ctx) => ctx.next(given.call(undefined)), { parameters: { step: 1 } })
    await expect(supervisor.submit(first).result).resolves.toEqual({})
  })
})

describe('a parameter', () => {
  test.each([
    [
      'whose function throws',
      () => {
        throw new Error('no such file')
      },
      /Parameter "p" of task "param".*no such file/,
    ],
    ['whose function returns a promise', () => Promise.reject(new Error('late')), /promise/],
    [
      'that has no last result and no default',
      lastResult(echoTask({ name: 'never-ran' })),
      /"never-ran" has no result/,
    ],
  ])('%s fails the attempt, which may be tried again', async (_title, p, message) => {
    const { supervisor, clock, story } = await startedSupervisor()
    let begun = 0
    const task = taskOf(() => ++begun, {
      name: 'param',
      parameters: { p },
      retry: { attempts: 2, backoff: { initialMs: 10 } },
    })
    const run = supervisor.submit(task)
    await clock.advance(10)
    const error = await errorOf(run.result)
    expect(error).toMatchObject({ code: 'ERR_TASK_THREW', attempts: 2 })
    expect((error.cause as Error).message).toMatch(message)
    expect(begun).toBe(0)
    expect(story(run)).toEqual(['created', 'queued', 'admitted', 'retrying', 'queued', 'admitted', 'failed'])
    expect(supervisor.info().pool.active).toBe(0)
  })

  test('that fails in a stop ends as the stop says', async () => {
    const { supervisor } = await startedSupervisor()
    const task = taskOf(() => 1, {
      parameters: {
        p: () => {
          throw new Error('x')
        },
      },
    })
    const run = supervisor.submit(task)
    run.cancel('now')
    await expect(run.result).rejects.toMatchObject({ code: 'ERR_TASK_CANCELLED' })
  })

  test('that cannot be cloned fails a thread task as unserializable', async () => {
    const { supervisor } = await startedSupervisor()
    for (const execution of ['thread', 'process'] as const) {
      const run = supervisor.submit(parameters, undefined, { execution, parameters: { p: { f: () => 1 } } })
      await expect(run.result).rejects.toMatchObject({ kind: 'unserializable' })
    }
    await expect(
      supervisor.submit(parameters, undefined, { execution: 'thread' }).result,
    ).resolves.toMatchObject({
      own: 1,
    })
  })

  test.each([[[]], ['text'], [3], [null]])('option that is %j is refused', async (value) => {
    expect(thrownBy(() => echoTask({ parameters: value as never })).message).toMatch(
      /an object of parameters/,
    )
  })
})

describe('lastResult', () => {
  test('is what the task returned last, a default before, and never a failure or nothing', async () => {
    const { supervisor } = await startedSupervisor()
    let next: () => unknown = () => 'one'
    const source = taskOf((_: undefined, ctx) => (next() === 'skip' ? ctx.skip('nothing new') : next()))
    const reader = taskOf((_: undefined, ctx) => ctx.parameters.last, {
      parameters: { last: lastResult(source, 'none yet') },
    })
    const read = () => supervisor.submit(reader).result
    await expect(read()).resolves.toBe('none yet')
    await supervisor.submit(source).result
    await expect(read()).resolves.toBe('one')
    next = () => {
      throw new Error('x')
    }
    await errorOf(supervisor.submit(source).result)
    next = () => 'skip'
    await supervisor.submit(source).result
    await expect(read()).resolves.toBe('one')
    next = () => undefined
    await supervisor.submit(source).result
    await expect(read()).resolves.toBeUndefined()
  })

  test('knows what ran before anybody asked, also from a thread', async () => {
    const { supervisor } = await startedSupervisor()
    await supervisor.submit(parameters, undefined, { execution: 'thread' }).result
    const reader = taskOf((_: undefined, ctx) => ctx.parameters.last, {
      parameters: { last: lastResult(parameters) },
    })
    await expect(supervisor.submit(reader).result).resolves.toEqual({ own: 1, frozen: true })
  })

  test('is refused for what is no definition', () => {
    expect(thrownBy(() => lastResult('x' as never)).message).toMatch(/lastResult\(\).*defineTask/)
  })
})
