/** Machines as JSON: what `createMachine` makes of it goes from state to state as the machine does. */
import { describe, expect, test } from 'vitest'
import { type AnyStateMachine, and, assign, createActor, createMachine, not, setup } from 'xstate'
import { ALL_MACHINES } from '../../src/machines/all-machines.ts'
import * as machines from '../../src/machines/index.ts'

const ours = Object.entries(machines).filter((entry): entry is [string, AnyStateMachine] =>
  /Machine$/.test(entry[0]),
)

describe('machineJson', () => {
  test('ALL_MACHINES has every exported machine, under ids of their own', () => {
    expect(new Set(ALL_MACHINES)).toEqual(new Set(ours.map(([, machine]) => machine)))
    expect(new Set(ALL_MACHINES.map(({ id }) => id)).size).toBe(ALL_MACHINES.length)
  })

  test.each(ours)('%s: is JSON, and comes back the same', (_, machine) => {
    const json = machines.machineJson(machine)
    expect(JSON.parse(JSON.stringify(json))).toEqual(json)
    expect(machines.machineJson(createMachine(json as never))).toEqual(json)
  })

  test.each(ours)('%s: has all its states, events, guards and actions', (_, machine) => {
    const again = createMachine(machines.machineJson(machine) as never) as AnyStateMachine
    expect(outline(again)).toEqual(outline(machine))
  })

  test('of a machine whose names have dots comes back the same', () => {
    const machine = createMachine({
      id: 'shop.order',
      initial: 'new',
      states: {
        new: { on: { pay: 'v1\\.paid', drop: { target: 'v1\\.paid', reenter: true } } },
        'v1.paid': { initial: 'a\\b', states: { 'a\\b': { on: { back: '#shop\\.order.new' } } } },
      },
    })
    const json = machines.machineJson(machine)
    const again = createMachine(json as never)
    expect(machines.machineJson(again)).toEqual(json)
    const actor = createActor(again).start()
    actor.send({ type: 'pay' })
    expect(actor.getSnapshot().value).toEqual({ 'v1.paid': 'a\\b' })
    actor.send({ type: 'back' })
    expect(actor.getSnapshot().value).toBe('new')
    actor.stop()
  })

  test.each([undefined, null, 1, 'task', {}, { root: {} }, () => {}])('%s is no machine', (given) => {
    expect(() => machines.machineJson(given as never)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_OPTION_INVALID' }),
    )
  })

  test('names guards of guards, inline functions and delays; keeps parameters that are values', () => {
    const machine = setup({
      guards: { isOn: () => true, isOff: () => false },
      actions: { tell: (_, _params: { what: string }) => {} },
      delays: { patience: 5 },
    }).createMachine({
      id: 'm',
      type: 'parallel',
      states: {
        one: {
          initial: 'a',
          states: {
            a: {
              after: { patience: 'b', 20: { target: 'c', description: 'late' } },
              on: { go: { guard: and(['isOn', not('isOff')]), target: 'b', actions: assign({}) } },
            },
            b: { always: { target: 'c', guard: () => false } },
            c: { type: 'final' },
          },
          onDone: { actions: { type: 'tell', params: { what: 'done' } } },
        },
        two: {
          initial: 'h',
          states: { h: { type: 'history', history: 'deep', target: 'x' }, x: { tags: ['t'] } },
        },
      },
    })
    expect(machines.machineJson(machine)).toEqual({
      id: 'm',
      type: 'parallel',
      states: {
        one: {
          initial: 'a',
          states: {
            a: {
              after: {
                patience: [{ target: '#m.one.b' }],
                20: [{ target: '#m.one.c', description: 'late' }],
              },
              on: {
                go: [
                  {
                    target: '#m.one.b',
                    guard: { type: 'and(isOn, not(isOff))' },
                    actions: [{ type: 'assign' }],
                  },
                ],
              },
            },
            b: { always: [{ target: '#m.one.c', guard: { type: 'guard' } }] },
            c: { type: 'final' },
          },
          onDone: [{ actions: [{ type: 'tell', params: { what: 'done' } }] }],
        },
        two: {
          initial: 'h',
          states: { h: { type: 'history', history: 'deep', target: 'x' }, x: { tags: ['t'] } },
        },
      },
    })
  })

  test('keeps invoked actors by name, with what they are heard for', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: { invoke: { id: 'job', src: 'work', onDone: 'b', onError: { target: 'b', actions: 'tell' } } },
        b: { type: 'final' },
      },
    })
    const json = machines.machineJson(machine)
    expect(json.states?.a).toEqual({
      invoke: [
        {
          id: 'job',
          src: 'work',
          onDone: [{ target: '#m.b' }],
          onError: [{ target: '#m.b', actions: [{ type: 'tell' }] }],
        },
      ],
    })
    expect(machines.machineJson(createMachine(json as never))).toEqual(json)
  })
})

/** What leads where, in words. */
function outline(machine: AnyStateMachine): string[] {
  const lines: string[] = []
  const visit = (node: AnyStateMachine['root']): void => {
    lines.push(`${node.path.join('.')} ${node.type} ${node.entry.map(word)} ${node.exit.map(word)}`)
    for (const [event, definitions] of node.transitions)
      for (const { target, guard, actions, reenter } of definitions)
        lines.push(
          [
            node.path.join('.'),
            event,
            guard && word(guard),
            actions.map(word),
            reenter,
            (target ?? []).map(({ path }) => path.join('.')),
          ].join(' '),
        )
    for (const child of Object.values(node.states)) visit(child)
  }
  visit(machine.root)
  return lines.sort()
}

function word(call: unknown): string {
  if (typeof call === 'string') return call
  const { type, params } = call as { type: string; params?: unknown }
  const values: string | undefined = JSON.stringify(params)
  return values === undefined ? type : `${type} ${values}`
}
