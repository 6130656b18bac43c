/** `chain`, `all`, `next` and `runOnce` on a supervisor. */

import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { chain, defineTask, next, type TaskDefinition } from '../../src/index.ts'
import { all, runOnce } from '../../src/task.ts'
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

const double = defineTask({ name: 'double' }, (n: number) => n * 2)
const failing = defineTask({ name: 'failing' }, () => {
  throw new Error('no')
})

describe('chain', () => {
  test('makes its calls one after the other, in one slot, and puts out what the last one does', async () => {
    const { supervisor, of } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask<string>()
    const run = supervisor.submit(
      chain([task.call('a'), double.call(4), task.call('b'), echoTask<number>().call(9)]),
    )
    await turns()
    expect(calls.map(({ input }) => input)).toEqual(['a'])
    calls[0]!.resolve('dropped')
    await turns()
    expect(calls.map(({ input }) => input)).toEqual(['a', 'b'])
    calls[1]!.resolve('dropped')
    expect(await run.result).toBe(9)
    expect(of('task.progress').map(({ percent }) => percent)).toEqual([25, 50, 75, 100])
  })

  test('takes definitions without input, chains and steps that go on', async () => {
    const { supervisor } = await startedSupervisor()
    const nothing = defineTask({ name: 'nothing' }, () => 'nothing')
    const onward: TaskDefinition<number, string> = defineTask({ name: 'onward' }, (n: number) =>
      n === 0 ? 'end' : next(onward.call(n - 1)),
    )
    const run = supervisor.submit(chain([double.call(1), chain([nothing, chain([onward.call(3)])])]))
    expect(await run.result).toBe('end')
  })

  test('is ended by the call that fails, which it names', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask()
    const error = await errorOf(supervisor.submit(chain([double.call(1), failing, task])).result)
    expect(error).toMatchObject({
      code: 'ERR_TASK_THREW',
      message: expect.stringMatching(/"failing".*threw no/),
    })
    expect(calls).toEqual([])
  })

  test('of nothing, or of what is no call, is refused', () => {
    expect(thrownBy(() => chain([])).message).toMatch(/chain\(\).*not empty/)
    expect(thrownBy(() => chain([double.call(1), (() => 1) as never])).message).toMatch(/chain\(\)\[1\]/)
    expect(thrownBy(() => chain(double as never))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })
})

describe('all', () => {
  test('makes its calls side by side and puts out all values in order', async () => {
    const { supervisor } = await startedSupervisor(slots(3))
    const { task, calls } = heldTask<number>()
    const run = supervisor.submit(all([task.call(1), task.call(2), double.call(3)]))
    await turns()
    expect(calls.map(({ input }) => input)).toEqual([1, 2])
    calls[1]!.resolve('two')
    calls[0]!.resolve('one')
    expect(await run.result).toEqual(['one', 'two', 6])
  })

  test('goes on as its join, under the same run', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const ids: string[] = []
    const sum = defineTask({ name: 'sum' }, (numbers: readonly number[], ctx) => {
      ids.push(ctx.runId)
      return numbers.reduce((one, other) => one + other)
    })
    const run = supervisor.submit(all([double.call(1), double.call(2)], sum))
    expect([await run.result, ids]).toEqual([6, [run.id]])
  })

  test('waits for all of them, and fails with what has failed', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(all([failing, task, failing]))
    await turns()
    expect(run.state).toBe('running')
    calls[0]!.resolve(1)
    const error = await errorOf(run.result)
    expect(error.message).toMatch(/2 of 3 calls failed; the first: .*failing/)
    expect((error.cause as AggregateError).errors).toHaveLength(2)
  })

  test('refuses what is no call and no join', () => {
    expect(thrownBy(() => all([])).message).toMatch(/all\(\).*not empty/)
    expect(thrownBy(() => all([double.call(1)], 5 as never)).message).toMatch(/second argument of all\(\)/)
  })
})

describe('runOnce', () => {
  test('calls a handler inside of another one: value, word and error come back', async () => {
    const { supervisor } = await startedSupervisor()
    const strict = defineTask(
      { name: 'strict', schema: v.pipe(v.string(), v.transform(Number)) },
      (n) => n + 1,
    )
    const word = defineTask({ name: 'word' }, (_: undefined, ctx) => ctx.skip('nothing to do'))
    const seen: unknown[] = []
    const outer = taskOf<void, unknown>(async (_, ctx) => {
      seen.push(await runOnce(double.call(2), ctx), await runOnce(strict.call('4'), ctx))
      seen.push(await errorOf(runOnce(failing.call(), ctx)).then(({ message }) => message))
      seen.push(await errorOf(runOnce(strict.call(4 as never), ctx)).then(({ code }) => code))
      seen.push(await errorOf(runOnce({} as never, ctx)).then(({ code }) => code))
      return runOnce(word.call(undefined), ctx)
    })
    const run = supervisor.submit(outer)
    await run.result
    expect(seen).toEqual([4, 5, 'no', 'ERR_INPUT_INVALID', 'ERR_OPTION_INVALID'])
    expect(run.outcome).toMatchObject({ kind: 'finished', skipped: 'nothing to do' })
    expect(supervisor.list()).toHaveLength(1)
  })
})

test('a call is submitted with options of its own, which those given with it go before', async () => {
  const { supervisor, clock } = await startedSupervisor()
  const { task } = heldTask()
  const seen = taskOf<void, unknown>((_, ctx) => ctx.deadlineAt)
  const call = { ...seen.call(undefined), options: { deadlineMs: 1_000, priority: 'low' } } as const
  const now = clock.now()
  const run = supervisor.submit(call, { deadlineMs: 500, priority: undefined as never })
  expect([await run.result, run.priority]).toEqual([now + 500, 'low'])
  const ends = [chain([task, task]), all([task, task])].map((whole) =>
    errorOf(supervisor.submit(whole, { deadlineMs: 500 }).result),
  )
  await clock.advance(499)
  expect(supervisor.info().runs.terminated).toBe(0)
  await clock.advance(1)
  for (const end of ends) expect(await end).toMatchObject({ code: 'ERR_TASK_DEADLINE_PASSED' })
  const later = supervisor.submit({ ...call, options: { runAt: now + 5_000 } }, { delayMs: 600 })
  await clock.advance(600)
  expect(await later.result).toBeUndefined()
  const wrong = (...rest: unknown[]) =>
    thrownBy(() => (supervisor.submit as (...given: unknown[]) => unknown).call(supervisor, call, ...rest))
  expect(wrong({ nonsense: 1 })).toMatchObject({ code: 'ERR_OPTION_UNKNOWN' })
  expect(wrong('text')).toMatchObject({ name: 'OptionError' })
  expect(wrong(undefined, { deadlineMs: 5 })).toMatchObject({ code: 'ERR_OPTION_INVALID' })
})

test('next refuses what is no call, in a sentence, and takes a definition for a call without input', async () => {
  const { supervisor } = await startedSupervisor()
  const end = taskOf<void, unknown>(() => 'end')
  const going = (to: unknown) =>
    supervisor.submit(taskOf<void, unknown>((_, ctx) => ctx.next(to as never))).result
  expect(await going(end)).toBe('end')
  expect(String(await errorOf(going('junk')))).toContain(
    'Expected next(call) to be given a call of a task, as task.call(input) makes it, got "junk"',
  )
  for (const wrong of [undefined, null, 5, {}, Object.create(null), Symbol('s')])
    expect(await errorOf(going(wrong))).toMatchObject({ kind: 'threw', cause: { name: 'TypeError' } })
})
