/** The context of runs: in every execution, inherited, and never leaking. */
import { describe, expect, test } from 'vitest'
import { type Execution, runContext } from '../../src/index.ts'
import { context, fails, parent, steps, visits } from '../fixtures/helpers/context-tasks.ts'
import { errorOf, startedSupervisor, taskOf, thrownBy } from '../support/harness.ts'
import { turns } from '../support/turns.ts'

const EXECUTIONS: readonly Execution[] = ['main', 'async', 'thread', 'process']
const one = { size: 1, reserveNormal: 0, reserveHigh: 0 }
const narrow = { pool: one, processes: one }

describe.each(EXECUTIONS)('the context of a run: %s', (execution) => {
  test('begins with the values of submission over definition over supervisor', async () => {
    const { supervisor } = await startedSupervisor({
      defaults: { context: { tenant: 'supervisor', step: 7 } },
    })
    const run = supervisor.submit(visits, 'mine', { execution, context: { tenant: 'submission' } })
    const facts = { runId: run.id, attempt: 1, name: 'visits', supervisor: 'test' }
    expect(await run.result).toEqual({
      before: { tenant: 'submission', step: 7, ...facts },
      after: { tenant: 'submission', step: 7, own: 'mine', ...facts },
    })
  })

  test('never leaks to the next run of the same thread or process', async () => {
    const { supervisor } = await startedSupervisor(narrow)
    const runs = Array.from({ length: 6 }, (_, i) =>
      supervisor.submit(visits, `own ${i}`, { execution, ...(i % 2 === 0 ? { context: { step: i } } : {}) }),
    )
    for (const [i, run] of runs.entries()) {
      const { before, after } = (await run.result) as { before: object; after: object }
      expect(before).not.toHaveProperty('own')
      expect('step' in before).toBe(i % 2 === 0)
      expect(after).toMatchObject({ own: `own ${i}`, runId: run.id })
    }
  })

  test('begins anew with every attempt', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const retrying = new Promise((resolve) => supervisor.on('task.retrying', resolve))
    const run = supervisor.submit(fails, undefined, { execution, context: { step: 3 } })
    await retrying
    await clock.advance(60_000)
    const found = await run.result
    expect(found).toMatchObject({ step: 3, attempt: 2 })
    expect(found).not.toHaveProperty('own')
  })

  test.each(['async', 'thread', 'process'] as const)('is handed to a child as a copy: %s', async (childs) => {
    const { supervisor } = await startedSupervisor()
    const { child, after } = await supervisor.submit(parent, childs, {
      execution,
      context: { tenant: 'parent', own: 'parent' },
    }).result
    expect(child).toMatchObject({ before: { tenant: 'of the child', step: 1 }, after: { own: 'child' } })
    expect((child as { before: object }).before).not.toHaveProperty('own')
    expect(after).toMatchObject({ tenant: 'parent', step: 1 })
    expect(after).not.toHaveProperty('own')
  })

  test('is handed to the next step', async () => {
    const { supervisor } = await startedSupervisor()
    for (const next of ['async', 'thread'] as const) {
      const run = supervisor.submit(steps, next, { execution, context: { tenant: 'first' } })
      expect(await run.result).toMatchObject({ before: { tenant: 'first', step: 2, runId: run.id } })
    }
  })
})

describe('the context of runs', () => {
  test('tells many runs on one loop apart, across awaits and callbacks', async () => {
    const { supervisor } = await startedSupervisor({ pool: { ...one, size: 0 } })
    const values = runContext<{ n: number }>()
    const deep = async (): Promise<number | undefined> => {
      await turns(2)
      return new Promise((resolve) => setImmediate(() => resolve(values.get('n'))))
    }
    const task = taskOf(async (n: number) => {
      values.set('n', n)
      const found = [await deep(), await deep()]
      return found.every((one) => one === n)
    })
    const runs = Array.from({ length: 200 }, (_, n) => supervisor.submit(task, n))
    expect(await Promise.all(runs.map((run) => run.result))).toEqual(Array(200).fill(true))
  })

  test('a run that is submitted by a handler, but is no child, inherits nothing', async () => {
    const { supervisor } = await startedSupervisor()
    const inner = taskOf(() => context.has('tenant'))
    const outer = taskOf(() => supervisor.submit(inner).result)
    expect(await supervisor.submit(outer, undefined, { context: { tenant: 'outer' } }).result).toBe(false)
  })

  test.each([
    ['the supervisor', 'defaults'],
    ['the definition', 'definition'],
    ['the submission', 'submission'],
  ])('what a handler does to a value of %s is seen by that attempt alone', async (_, level) => {
    const seen = runContext<{ list: number[] }>()
    const options = { context: { list: [] as number[] } }
    const at = (one: string) => (level === one ? options : {})
    const { supervisor, clock } = await startedSupervisor({ defaults: at('defaults') })
    const task = taskOf(
      (_: undefined, ctx) => {
        const list = seen.get('list') ?? []
        list.push(ctx.attempt)
        if (ctx.attempt === 1) throw new Error('once')
        return list
      },
      {
        retry: { attempts: 2, backoff: { kind: 'fixed', initialMs: 0, jitter: 'none' } },
        ...at('definition'),
      },
    )
    for (let i = 0; i < 2; i += 1) {
      const retrying = new Promise((resolve) => supervisor.on('task.retrying', resolve))
      const run = supervisor.submit(task, undefined, at('submission'))
      await retrying
      await clock.advance(0)
      expect(await run.result).toEqual([2])
    }
    expect(options.context.list).toEqual([])
  })

  test('what is done to a value after the submission, by the caller or a parent, is not seen', async () => {
    const { supervisor } = await startedSupervisor()
    const values = runContext<{ list: string[] }>()
    const child = taskOf(() => {
      values.get('list')?.push('child')
      return values.get('list')
    })
    const task = taskOf(async (_: undefined, ctx) => {
      values.get('list')?.push('parent')
      const run = ctx.submit(child)
      values.get('list')?.push('later')
      return [await run.result, values.get('list')]
    })
    const list = ['caller']
    const run = supervisor.submit(task, undefined, { context: { list } })
    list.push('late')
    expect(await run.result).toEqual([
      ['caller', 'parent', 'child'],
      ['caller', 'parent', 'later'],
    ])
  })

  test('can be cleared', async () => {
    const { supervisor } = await startedSupervisor()
    const task = taskOf(() => {
      const deleted = [context.delete('tenant'), context.delete('tenant')]
      context.set('step', 1)
      context.clear()
      return [...deleted, context.has('step')]
    })
    const run = supervisor.submit(task, undefined, { context: { tenant: 'x' } })
    expect(await run.result).toEqual([true, false, false])
  })

  test('a child of a run whose values were cleared begins with none', async () => {
    const { supervisor } = await startedSupervisor()
    const task = taskOf((_: undefined, ctx) => {
      context.clear()
      return ctx.submit(visits, 'x').result
    })
    const { before } = await supervisor.submit(task, undefined, { context: { tenant: 'x' } }).result
    expect(before).not.toHaveProperty('tenant')
  })

  test('there is none outside of runs', () => {
    expect(context.run).toBeUndefined()
    expect(context.get('tenant')).toBeUndefined()
    expect(context.has('tenant')).toBe(false)
    expect(context.delete('tenant')).toBe(false)
    context.clear()
    const error = thrownBy(() => context.set('tenant', 'x'))
    expect(error).toMatchObject({ code: 'ERR_CONTEXT_NO_RUN', message: expect.stringContaining('"tenant"') })
  })

  test('a value that cannot be cloned fails a run in a thread, and only there', async () => {
    const { supervisor } = await startedSupervisor()
    const options = { context: { tenant: () => 'no data' } }
    expect(await supervisor.submit(visits, 'x', options).result).toBeDefined()
    const error = await errorOf(supervisor.submit(visits, 'x', { ...options, execution: 'thread' }).result)
    expect(error).toMatchObject({ code: 'ERR_TASK_UNSERIALIZABLE' })
  })

  test.each([
    ['text', 'x'],
    ['an array', []],
    ['null', null],
  ])('%s is no context', async (_, given) => {
    const { supervisor } = await startedSupervisor()
    const error = thrownBy(() => supervisor.submit(visits, 'x', { context: given as never }))
    expect(error).toMatchObject({ code: 'ERR_OPTION_INVALID', message: expect.stringContaining('context') })
  })
})
