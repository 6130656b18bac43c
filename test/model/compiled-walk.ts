/** Walks a machine and its compiled form hand in hand: every edge must look the same on both. */
import assert from 'node:assert/strict'
import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate'
import { compile } from '../../src/machines/compile.ts'
import { stateOf, type WalkOptions } from '../../src/runtime/testing/machine-walk.ts'

type Asked = readonly [type: string, params: unknown, context: unknown, event: unknown]
type Pair = readonly [interpreted: AnyMachineSnapshot, compiled: AnyMachineSnapshot]

const view = ({ status, value, context, output, error }: AnyMachineSnapshot): unknown => ({
  status,
  value,
  context,
  output,
  error,
})

/** @returns how many edges were compared */
export function compareOnEveryEdge<Event extends EventObject>(
  machine: AnyStateMachine,
  { input, events, project = () => '', limit = 100_000 }: WalkOptions<AnyMachineSnapshot, Event>,
): number {
  const logic = compile(machine)
  const interpreted: Asked[] = []
  const compiled: Asked[] = []
  const note = (...asked: Asked): void => void compiled.push(asked)
  const scope = {
    actionExecutor: ({ type, params, info }: { type: string; params: unknown; info: Asked[2] & object }) => {
      const { context, event } = info as { context: unknown; event: unknown }
      interpreted.push([type, params, context, event])
    },
    system: { _sendInspectionEvent: () => {} },
  } as unknown as AnyActorScope
  const demandSame = (pair: Pair, where: string): void => {
    assert.deepStrictEqual(view(pair[1]), view(pair[0]), where)
    assert.deepStrictEqual(compiled.splice(0), interpreted.splice(0), where)
  }
  const keyOf = (snapshot: AnyMachineSnapshot): string =>
    `${stateOf(snapshot)} ${project(snapshot.context as never)}`

  const first: Pair = [machine.getInitialSnapshot(scope, input), logic.initial(input, note as never)]
  demandSame(first, 'initial')
  const seen = new Set([keyOf(first[0])])
  const queue: Pair[] = [first]
  let edges = 0
  for (const [left, right] of queue) {
    if (left.status !== 'active') continue
    for (const event of events) {
      assert.ok(++edges < limit, 'The walk does not end')
      const pair: Pair = [
        machine.transition(left, event, scope),
        logic.step(right, event as never, note as never),
      ]
      demandSame(pair, `${stateOf(left)} ${JSON.stringify(event)}`)
      const key = keyOf(pair[0])
      if (seen.has(key)) continue
      seen.add(key)
      queue.push(pair)
    }
  }
  return edges
}
