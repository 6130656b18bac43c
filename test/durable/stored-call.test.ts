import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { defineTask } from '../../src/index.ts'
import { CallRefusal, fromStoredCall, toStoredCall } from '../../src/runtime/durable/stored-call.ts'
import { optionsFromJson, optionsToJson } from '../../src/runtime/durable/stored-options.ts'
import { thrownBy } from '../support/harness.ts'

const LIMIT = 10_000
interface Mail {
  to: string
  copies?: number
}
const mail = defineTask(
  {
    name: 'mail',
    version: 3,
    upgrade: (input, from) => {
      if (from === 1) throw new Error('too old')
      return { to: (input as { address: string }).address }
    },
    description: ({ to }: Mail) => `mail to ${to}`,
    metadata: ({ to }) => ({ to }),
  },
  (input: Mail) => input,
)
const known = (name: string) => (name === 'mail' ? mail : undefined)

test('a call comes back with its options, Infinity included', () => {
  const options = {
    execution: 'thread',
    runTimeoutMs: Number.POSITIVE_INFINITY,
    deadlineMs: 0,
    retry: { attempts: Number.POSITIVE_INFINITY, backoff: { initialMs: 5 } },
    context: { user: 'Infinity and more' },
  } as const
  const stored = toStoredCall({ ...mail.call({ to: 'a' }), options }, LIMIT)
  expect(stored).toMatchObject({ name: 'mail', version: 3, input: '{"to":"a"}' })
  expect([stored.description, stored.metadata]).toEqual(['mail to a', '{"to":"a"}'])
  expect(JSON.parse(stored.options as string)).toMatchObject({ runTimeoutMs: 'Infinity' })
  expect(fromStoredCall(stored, known)).toEqual({ definition: mail, input: { to: 'a' }, options })
})

test('without input and options there is nothing to store', () => {
  const bare = defineTask({ name: 'bare' }, () => 1)
  const stored = toStoredCall(bare.call(), LIMIT)
  expect(stored).toEqual({
    name: 'bare',
    version: 1,
    input: null,
    options: null,
    description: 'bare',
    metadata: null,
  })
  expect(fromStoredCall(stored, () => bare)).toEqual({
    definition: bare,
    input: undefined,
    options: undefined,
  })
})

test('what is said of all steps stands in the row; in one of an older version, in its options', () => {
  const chain = { levels: [], stepAgeMs: 0, description: 'mine', metadata: '{"of":1}' }
  const text = optionsToJson(undefined, chain)
  expect(text).not.toContain('mine')
  expect(optionsFromJson(text, { description: 'mine', metadata: '{"of":1}' }).chain).toEqual(chain)
  expect(optionsFromJson(JSON.stringify({ chain }), { description: 'x', metadata: null }).chain).toEqual(
    chain,
  )
})

describe('an older input', () => {
  test('is upgraded, in nested calls too', () => {
    const stored = { name: 'mail', version: 2, input: '{"address":"b"}', options: null }
    expect(fromStoredCall(stored, known).input).toEqual({ to: 'b' })
    const outer = defineTask({ name: 'outer' }, (input: unknown) => input)
    const nested = { name: 'outer', version: 1, options: null }
    const call = (version: number) =>
      `[{"$stateward.call":{"name":"mail","version":${version},"input":{"address":"c"}}}]`
    const find = (name: string) => (name === 'outer' ? outer : known(name))
    expect(fromStoredCall({ ...nested, input: call(2) }, find).input).toEqual([
      { definition: mail, input: { to: 'c' }, options: undefined },
    ])
    expect(thrownBy(() => fromStoredCall({ ...nested, input: call(1) }, find))).toMatchObject({
      kind: 'invalidInput',
      cause: { message: 'too old' },
    })
  })

  test('is taken as it is without an upgrade', () => {
    const plain = defineTask({ name: 'plain', version: 2 }, (input: unknown) => input)
    const stored = { name: 'plain', version: 1, input: '1', options: null }
    expect(fromStoredCall(stored, () => plain).input).toBe(1)
  })
})

test.each([
  ['an unknown name', { name: 'gone', version: 1, input: null }, 'unknownTask', /No task called "gone"/],
  [
    'an unknown name inside',
    { name: 'mail', version: 3, input: '{"to":{"$stateward.call":{"name":"lost","version":1}}}' },
    'unknownTask',
    /"lost"/,
  ],
  ['a newer version', { name: 'mail', version: 4, input: '{}' }, 'invalidInput', /version 4.*knows 3/],
  ['an upgrade that throws', { name: 'mail', version: 1, input: '{}' }, 'invalidInput', /upgrade\(\).*threw/],
  ['a text that is no JSON', { name: 'mail', version: 3, input: '{' }, 'invalidInput', /no JSON/],
])('%s is refused', (_, stored, kind, message) => {
  const error = thrownBy(() => fromStoredCall({ ...stored, options: null }, known))
  expect(error).toBeInstanceOf(CallRefusal)
  expect(error).toMatchObject({ kind, message: expect.stringMatching(message) })
})

test('what is wrong with a call is said before anything is stored', () => {
  const strict = defineTask({ name: 'strict', schema: v.object({ n: v.number() }) }, ({ n }) => n)
  const throwing = defineTask(
    {
      name: 'throwing',
      description: () => {
        throw new Error('no words')
      },
      metadata: () => ({ at: new Date(0) }),
    },
    () => 1,
  )
  const store = (call: object) => () => toStoredCall(call as never, LIMIT)
  expect(thrownBy(store(strict.call({ n: 'x' } as never)))).toMatchObject({ code: 'ERR_INPUT_INVALID' })
  expect(thrownBy(store(mail.call({ to: 1n } as never)))).toMatchObject({ code: 'ERR_VALUE_NOT_STORABLE' })
  expect(thrownBy(store(mail.call({ to: 'x'.repeat(LIMIT) })))).toMatchObject({ code: 'ERR_VALUE_TOO_LARGE' })
  expect(thrownBy(store({ definition: {}, input: 1 }))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  const picky = defineTask({ name: 'picky', metadata: ({ to }: { to: string }) => ({ to }) }, () => 1)
  expect(thrownBy(store(picky.call(undefined as never)))).toMatchObject({
    code: 'ERR_INPUT_INVALID',
    message: expect.stringMatching(/task "picky".*metadata\(\) threw Cannot destructure/),
    cause: expect.any(TypeError),
  })
  expect(thrownBy(store(throwing.call())).message).toMatch(/metadata of task "throwing".*\$\.at/)
  const withOptions = (options: object) => thrownBy(store({ ...mail.call({ to: 'a' }), options }))
  expect(withOptions({ priorty: 'high' })).toMatchObject({ code: 'ERR_OPTION_UNKNOWN' })
  expect(withOptions({ retry: { attempts: 2, retryIf: () => true } }).message).toMatch(
    /retryIf.*cannot be stored/,
  )
  expect(withOptions({ context: { f: () => 1 } })).toMatchObject({ code: 'ERR_VALUE_NOT_STORABLE' })
  expect(withOptions({ execution: 'thread', loop: 'io' })).toMatchObject({ code: 'ERR_OPTION_INVALID' })
})

test('a description that throws is the name', () => {
  const task = defineTask(
    {
      name: 'silent',
      description: () => {
        throw new Error('no words')
      },
    },
    () => 1,
  )
  expect(toStoredCall(task.call(), LIMIT).description).toBe('silent')
})
