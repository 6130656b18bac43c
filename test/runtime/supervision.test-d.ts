/** Supervised children, checked by the compiler only. */
import { expectTypeOf } from 'vitest'
import { type ActorRefFrom, fromPromise, fromTransition, setup } from 'xstate'
import {
  type ChildExit,
  createSupervisor,
  type StopReport,
  type Supervisor,
  supervisorLogic,
} from '../../src/index.ts'

const supervisor = createSupervisor()
const typed = setup({
  types: { input: {} as { n: number }, events: {} as { type: 'go' }, context: {} as { n: number } },
}).createMachine({ context: ({ input }) => input })
const plain = setup({ types: { events: {} as { type: 'go' } } }).createMachine({})

const child = supervisor.spawn(typed, { id: 'typed', input: { n: 1 }, restart: 'transient', shutdownMs: 10 })
expectTypeOf(child.actor).toEqualTypeOf<ActorRefFrom<typeof typed> | undefined>()
expectTypeOf(child.ended).toEqualTypeOf<Promise<ChildExit>>()
child.actor?.send({ type: 'go' })
expectTypeOf(child.actor?.getSnapshot().context.n).toEqualTypeOf<number | undefined>()
// @ts-expect-error no such event
child.actor?.send({ type: 'gone' })
// @ts-expect-error the logic needs an input
supervisor.spawn(typed, { id: 'typed' })
// @ts-expect-error not this one
supervisor.spawn(typed, { id: 'typed', input: { n: 'one' } })
// @ts-expect-error no such restart type
supervisor.spawn(plain, { id: 'plain', restart: 'always' })
// @ts-expect-error the id is missing
supervisor.spawn(plain, {})
supervisor.spawn(plain, { id: 'plain', systemId: 'plain', shutdownEvent: { type: 'close' } })
supervisor.spawn(
  fromPromise(async () => 1),
  { id: 'promise' },
)
supervisor.spawn(
  fromTransition((state: number) => state, 0),
  { id: 'transition' },
)
const reading = fromPromise<number, { file: string }>(async ({ input }) => input.file.length)
// @ts-expect-error the logic needs an input
supervisor.spawn(reading, { id: 'promise' })

const group = supervisor.group('g', { strategy: 'rest-for-one', intensity: 5, backoff: { kind: 'fixed' } })
group.group('inner').spawn(typed, { id: 'typed', input: { n: 1 } })
// @ts-expect-error no such strategy
supervisor.group('g', { strategy: 'one' })

const inner = supervisor.spawn(
  supervisorLogic((input: { id: string }) => createSupervisor({ id: input.id })),
  { id: 'inner', input: { id: 'inner' } },
)
expectTypeOf(inner.actor?.getSnapshot().supervisor).toEqualTypeOf<Supervisor | undefined>()
supervisor.spawn(
  supervisorLogic(() => createSupervisor()),
  { id: 'inner' },
)
expectTypeOf(supervisor.stop()).toEqualTypeOf<Promise<StopReport>>()
expectTypeOf(supervisor.closed).toEqualTypeOf<Promise<void>>()
