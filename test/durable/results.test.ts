/** What may be a result, or the input of a next step: the same in every execution, and for inputs. */
import { describe, expect, test } from 'vitest'
import type { Execution, TaskCall } from '../../src/index.ts'
import * as tasks from '../fixtures/durable/result-tasks.ts'
import {
  goesOn,
  plain,
  returns,
  returnsLater,
  VALUES,
  type ValueName,
} from '../fixtures/durable/result-tasks.ts'
import { errorOf } from '../support/harness.ts'
import { startedDaemon } from './daemon-kit.ts'

const EXECUTIONS: readonly Execution[] = ['main', 'async', 'thread', 'process']

const shown = (input: unknown) => ({ task: plain.name, input })

/** What is read of it, or where it is refused. */
const EXPECTED: Readonly<Record<ValueName, { readonly value: unknown } | { readonly refused: string }>> = {
  nothing: { value: undefined },
  null: { value: null },
  text: { value: 'a "text"' },
  minusZero: { value: 0 },
  nested: { value: { a: [1, { b: null }], d: true } },
  bare: { value: { a: 1 } },
  call: { value: shown({ deep: [shown(1)] }) },
  callInside: { value: { list: [shown('x')] } },
  chain: {
    value: {
      task: 'stateward.chain',
      input: { calls: [shown(1), { task: 'stateward.all', input: { calls: [shown(2)], join: null } }] },
    },
  },
  instance: { refused: 'an object of class Point at $.at[0]. ' },
  toJson: { refused: 'an object of class Dated at $. ' },
  ownToJson: { refused: 'function at $.toJSON. ' },
  map: { refused: 'an object of class Map at $.m. ' },
  set: { refused: 'an object of class Set at $. ' },
  date: { refused: 'an object of class Date at $.when. ' },
  bytes: { refused: 'an object of class Buffer at $. ' },
  error: { refused: 'an object of class Error at $. ' },
  hole: { refused: 'undefined at $[1]. ' },
  notANumber: { refused: 'NaN at $[0]. ' },
  bigint: { refused: 'bigint at $. ' },
  fn: { refused: 'function at $.f. ' },
  symbol: { refused: 'the key Symbol(s) at $. ' },
  cycle: { refused: 'a cycle at $.me. ' },
}
const NAMES = Object.keys(VALUES) as ValueName[]

interface Said {
  readonly value?: unknown
  readonly refused?: string
}

/** From an error with the path to what it says of it. */
function refusalOf(error: unknown): Said {
  const { code, message } = error as { code?: unknown; message?: string }
  expect(code).toBe('ERR_VALUE_NOT_STORABLE')
  return { refused: /to be JSON, got (.* at \$.*?\. )/.exec(message ?? '')?.[1] ?? message ?? '' }
}

const table = (said: Iterable<readonly [ValueName, Said]>): unknown => Object.fromEntries(said)

describe.each(EXECUTIONS)('executed as %s', (execution) => {
  test.each([
    ['a result', returns, 'the result of task "results.returns"'],
    ['a result that was awaited', returnsLater, 'the result of task "results.returnsLater"'],
    ['an input of a next step', goesOn, 'input of task "results.plain"'],
  ])(
    '%s is JSON with calls of tasks, or refused with the path',
    async (_, task, where) => {
      const { queue } = await startedDaemon([tasks])
      const ask = async (name: ValueName): Promise<readonly [ValueName, Said]> => {
        const { id } = await queue.enqueue(task as never, name as never, { execution })
        const error = await queue.wait(id).then(
          () => undefined,
          (thrown: { kind: string; cause: Error }) => thrown,
        )
        const stored = await queue.get(id)
        if (error === undefined) return [name, { value: stored?.result }]
        expect(error).toMatchObject({ kind: 'unserializable', code: 'ERR_TASK_UNSERIALIZABLE' })
        expect(stored?.error).toMatchObject({ name: 'OptionError', message: expect.stringContaining(where) })
        return [name, refusalOf(error.cause)]
      }
      expect(table(await Promise.all(NAMES.map(ask)))).toEqual(EXPECTED)
    },
    60_000,
  )
})

test('a call in a result keeps the version of its definition, wherever it was made', async () => {
  const { queue, store } = await startedDaemon([tasks])
  for (const execution of EXECUTIONS) {
    const { id } = await queue.enqueue(returns, 'call', { execution })
    await queue.wait(id)
    const [record] = await store.read((open) => open.get([id]))
    expect(JSON.parse(record?.result as string)).toEqual({
      '$stateward.call': {
        name: plain.name,
        version: 3,
        input: { deep: [{ '$stateward.call': { name: plain.name, version: 3, input: 1 } }] },
        options: { priority: 'high' },
      },
    })
  }
})

test('what is refused as a result is refused as an input, and the other way round', async () => {
  const { queue } = await startedDaemon([tasks])
  const ask = async (name: ValueName): Promise<readonly [ValueName, Said]> => {
    const call = plain.call(VALUES[name]()) as TaskCall
    try {
      const { id } = await queue.enqueue(call)
      return [name, { value: (await queue.get(id))?.input }]
    } catch (error) {
      return [name, refusalOf(error)]
    }
  }
  expect(table(await Promise.all(NAMES.map(ask)))).toEqual(EXPECTED)
  expect((await errorOf(queue.enqueue(plain.call(new Map())))).name).toBe('OptionError')
})
