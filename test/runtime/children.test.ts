import { describe, expect, test } from 'vitest'
import type { ChildRun, HandlerContext } from '../../src/index.ts'
import { echoTask, errorOf, heldTask, slots, startedSupervisor, taskOf, turns } from '../support/harness.ts'

describe('a child', () => {
  test('is cancelled when its parent ends, unless it is detached', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask<string>()
    const parent = taskOf(async (_, ctx) => {
      ctx.submit(task, 'bound')
      ctx.submit(task, 'detached', { detached: true })
      await turns()
    })
    await supervisor.submit(parent).result
    await turns()
    expect(supervisor.list({ name: task.name }).map(({ state }) => state)).toEqual(['cancelled', 'running'])
    expect(calls[0]!.ctx.signal.reason).toMatchObject({ code: 'ERR_TASK_CANCELLED' })
  })

  test('is cancelled with its parent, which awaits it and so ends by itself', async () => {
    const { supervisor } = await startedSupervisor()
    const { task } = heldTask()
    const parent = supervisor.submit(taskOf<void, unknown>((_, ctx) => ctx.submit(task).result))
    await turns()
    parent.cancel('enough')
    await turns(2)
    expect(supervisor.list({ name: task.name })[0]?.state).toBe('cancelled')
    expect([parent.state, parent.step]).toEqual(['cancelled', 'signal'])
  })

  test('inherits what is left of the deadline, also over generations, unless it is detached', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const at = clock.now()
    const seen: Record<string, number | undefined> = {}
    const leaf = taskOf<string, void>((name, ctx) => {
      seen[name] = ctx.deadlineAt
    })
    const middle = taskOf<void, unknown>(
      (_, ctx) => ctx.submit(leaf, 'grandchild', { deadlineMs: 9_000 }).result,
    )
    const root = taskOf<void, void>(async (_, ctx) => {
      await ctx.submit(leaf, 'shorter', { deadlineMs: 100 }).result
      await ctx.submit(leaf, 'detached', { detached: true }).result
      await ctx.submit(middle).result
    })
    await supervisor.submit(root, undefined, { deadlineMs: 5_000 }).result
    expect(seen).toEqual({ grandchild: at + 5_000, shorter: at + 100, detached: undefined })
  })

  test('whose deadline passes rejects in the parent with the typed error', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task } = heldTask()
    const parent = taskOf<void, unknown>(async (_, ctx) => {
      try {
        return await ctx.submit(task, undefined, { deadlineMs: 10 }).result
      } catch (error) {
        return (error as { code: string }).code
      }
    })
    const run = supervisor.submit(parent)
    await turns()
    await clock.advance(10)
    await expect(run.result).resolves.toBe('ERR_TASK_DEADLINE_PASSED')
  })

  test('can be cancelled by its parent, which hears of it', async () => {
    const { supervisor } = await startedSupervisor()
    const { task } = heldTask()
    const parent = taskOf<void, unknown>(async (_, ctx) => {
      const child = ctx.submit(task)
      child.cancel('changed my mind')
      return errorOf(child.result)
    })
    await expect(supervisor.submit(parent).result).resolves.toMatchObject({ reason: 'changed my mind' })
  })

  test('that fails and that nobody awaits is no unhandled rejection', async () => {
    const { supervisor } = await startedSupervisor()
    const failing = taskOf(() => Promise.reject(new Error('alone')))
    const parent = taskOf<void, void>((_, ctx) => {
      void ctx.submit(failing, undefined, { detached: true })
    })
    await supervisor.submit(parent).result
    await turns(3)
    expect(supervisor.list({ name: failing.name })[0]?.state).toBe('failed')
  })

  test('with a bad input or option is refused in the handler, before anything exists', async () => {
    const { supervisor } = await startedSupervisor()
    const child = echoTask()
    const parent = taskOf<void, unknown>((_, ctx) => ctx.submit(child, undefined, { priorty: 'low' }).result)
    const error = await errorOf(supervisor.submit(parent).result)
    expect(error.cause).toMatchObject({ code: 'ERR_OPTION_UNKNOWN' })
    expect(supervisor.list({ name: child.name })).toEqual([])
  })
})

describe('a slot', () => {
  test('is lent to an awaited child, however deep, with a single slot', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const down = taskOf<number, unknown>(async (depth, ctx): Promise<unknown> => {
      return depth === 0 ? 'bottom' : ctx.submit(down, depth - 1).result
    })
    const run = supervisor.submit(down, 50)
    await expect(run.result).resolves.toBe('bottom')
    expect(supervisor.info().pool.active).toBe(0)
  })

  test('carries one awaited child after the other, in any band, and nobody else', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { task, calls, inputs } = heldTask<string>()
    const parent = taskOf<void, unknown>((_, ctx) =>
      Promise.all(['a', 'b'].map((input) => ctx.submit(task, input, { priority: 'low' }).result)),
    )
    const run = supervisor.submit(parent)
    await turns()
    supervisor.submit(task, 'stranger', { priority: 'high' })
    expect(supervisor.info().pool.active).toBe(1)
    calls[0]!.resolve(1)
    await turns()
    calls[1]!.resolve(2)
    await expect(run.result).resolves.toEqual([1, 2])
    await turns()
    expect(inputs()).toEqual(['a', 'b', 'stranger'])
  })

  test('is not lent for a child that nobody awaits', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask<string>()
    let child: ChildRun | undefined
    const parent = heldTask()
    const wrapper = taskOf<void, unknown>((_, ctx) => {
      child = ctx.submit(task, 'child')
      return parent.task.handler(undefined, ctx)
    })
    supervisor.submit(wrapper)
    await turns(2)
    expect(calls).toEqual([])
    void child?.result
    await turns()
    expect(calls).toHaveLength(1)
  })

  test('of a main task is lent to a child of another execution', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const main = taskOf<void, unknown>((_, ctx) => ctx.submit(echoTask<string>(), 'x').result, {
      execution: 'main',
    })
    await expect(supervisor.submit(main).result).resolves.toBe('x')
    const nested = taskOf<void, unknown>((_, ctx) => ctx.submit(main).result, { execution: 'main' })
    await expect(supervisor.submit(nested).result).resolves.toBe('x')
  })

  test('comes back when the parent ends before the child, and when both are cancelled', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task } = heldTask({ deaf: true, graceMs: 10 })
    const parent = taskOf<void, unknown>((_, ctx) =>
      Promise.race([ctx.submit(task).result, Promise.resolve(1)]),
    )
    await expect(supervisor.submit(parent).result).resolves.toBe(1)
    await clock.advance(10)
    expect(supervisor.info().pool.active).toBe(0)
    await expect(supervisor.submit(echoTask<number>(), 2).result).resolves.toBe(2)
  })

  test('is lent also when the child waits for another run of its definition that waits for that very slot', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const single = echoTask<string>({ multilaunch: false })
    const parent = taskOf<void, unknown>(async (_, ctx) => {
      supervisor.submit(single, 'stranger')
      return ctx.submit(single, 'child').result
    })
    const run = supervisor.submit(parent)
    await turns(5)
    expect(run.state).toBe('finished')
  })

  test('is lent also to a live run that stands for the child (onConflict skip)', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const single = echoTask<string>({ multilaunch: false, onConflict: 'skip' })
    const parent = taskOf<void, unknown>(async (_, ctx) => {
      supervisor.submit(single, 'stranger')
      return ctx.submit(single, 'child').result
    })
    const run = supervisor.submit(parent)
    await turns(5)
    expect(run.state).toBe('finished')
  })
})

describe('ctx.supervisor', () => {
  test('is the supervisor: submit, cancel, resize, info', async () => {
    const { supervisor } = await startedSupervisor()
    const { task } = heldTask()
    const other = supervisor.submit(task)
    const control = taskOf<void, unknown>(async (_, ctx) => {
      const run = await ctx.supervisor.submit(echoTask<number>().call(7))
      await ctx.supervisor.resize({ pool: { size: 33 } })
      const info = (await ctx.supervisor.info()) as { pool: { size: number } }
      return [
        ctx.supervisor.id,
        await run.result,
        info.pool.size,
        await ctx.supervisor.cancel(other.id, 'why'),
        await ctx.supervisor.cancel('nobody'),
      ]
    })
    await expect(supervisor.submit(control).result).resolves.toEqual(['test', 7, 33, true, false])
    expect(await errorOf(other.result)).toMatchObject({ reason: 'why' })
  })
})

describe('ctx.next', () => {
  test('goes on as another call under the same id, through the tail of its band', async () => {
    const { supervisor, story } = await startedSupervisor(slots(1))
    const order: string[] = []
    const second = taskOf<string, string>((input, ctx) => {
      order.push(input)
      return `${input} by ${ctx.name} in ${ctx.runId.length} attempt ${ctx.attempt}`
    })
    const first = taskOf<void, unknown>((_, ctx) => {
      order.push('first')
      return ctx.next(second.call('second'))
    })
    const run = supervisor.submit(first, undefined, { runId: 'walk' })
    const neighbour = supervisor.submit(taskOf(() => void order.push('neighbour')))
    await expect(run.result).resolves.toBe(`second by ${second.name} in 4 attempt 1`)
    await neighbour.result
    expect(order).toEqual(['first', 'neighbour', 'second'])
    expect(story(run).filter((name) => name === 'finished')).toHaveLength(1)
    expect(run.name).toBe(second.name)
  })

  test('takes ten thousand steps on a constant stack and leaves one terminal record', async () => {
    const { supervisor } = await startedSupervisor({ ...slots(1), taskLog: { keep: 50_000 } })
    const depths = new Set<number>()
    const step = taskOf<number, unknown>((left, ctx): unknown => {
      if (left % 500 === 0) depths.add(new Error('here').stack?.split('\n').length ?? 0)
      return left === 0 ? 'arrived' : ctx.next(step.call(left - 1))
    })
    const run = supervisor.submit(step, 10_000)
    await expect(run.result).resolves.toBe('arrived')
    expect(depths.size).toBeLessThanOrEqual(2)
    const actions = supervisor.records({ runId: run.id }).map(({ action }) => action)
    expect(actions.filter((action) => action !== 'run')).toEqual(['success'])
    expect(supervisor.info().pool.active).toBe(0)
  })

  test('takes over plan, execution and attempts of the next definition', async () => {
    const { supervisor, clock } = await startedSupervisor()
    let tries = 0
    const flaky = taskOf<void, unknown>(
      () => {
        tries += 1
        if (tries < 3) throw new Error('again')
        return 'third time'
      },
      {
        execution: 'main',
        retry: { attempts: 3, backoff: { kind: 'fixed', initialMs: 10, jitter: 'none' } },
      },
    )
    const run = supervisor.submit(taskOf<void, unknown>((_, ctx) => ctx.next(flaky.call())))
    await clock.advance(20)
    await expect(run.result).resolves.toBe('third time')
    expect(run.execution).toBe('main')
    expect(await supervisor.submit(echoTask<number>(), 1).result).toBe(1)
  })

  test('can be cancelled between two steps, and keeps its deadline', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const loop = taskOf<void, unknown>((_, ctx): unknown => ctx.next(wait.call()), { graceMs: 0 })
    const pause = async (_: unknown, ctx: HandlerContext): Promise<unknown> => {
      await new Promise((resolve) => clock.setTimeout(() => resolve(1), 10))
      return ctx.next(loop.call())
    }
    const wait = taskOf<void, unknown>(pause, { graceMs: 0 })
    const run = supervisor.submit(loop, undefined, { deadlineMs: 105 })
    const other = supervisor.submit(loop)
    await clock.advance(55)
    other.cancel()
    await clock.advance(50)
    expect([run.state, other.state]).toEqual(['terminated', 'cancelled'])
    await clock.advance(10)
  })

  test('of an input that the schema refuses fails as invalidInput', async () => {
    const { supervisor } = await startedSupervisor()
    const strict = echoTask<number>({
      schema: {
        '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'no number' }] }) },
      },
    })
    const run = supervisor.submit(taskOf<void, unknown>((_, ctx) => ctx.next(strict.call(1))))
    expect(await errorOf(run.result)).toMatchObject({ kind: 'invalidInput' })
  })

  test('of something that is no call fails the run', async () => {
    const { supervisor } = await startedSupervisor()
    for (const call of [undefined, {}, 7]) {
      const run = supervisor.submit(taskOf<void, unknown>((_, ctx) => ctx.next(call as never)))
      expect(await errorOf(run.result)).toMatchObject({ name: 'TaskFailedError' })
    }
  })
})
