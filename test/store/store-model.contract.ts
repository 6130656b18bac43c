/** Random operations on a real store, by two connections, and on the model: the same answers and the same tasks. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { StoreAnswer, StoreOperation, Verdict } from '../../src/actors/store/operations.ts'
import type { Store } from '../../src/actors/store/store.ts'
import type { Lease } from '../../src/actors/store/task-record.ts'
import { PRIORITIES } from '../../src/machines/model.ts'
import { NO_BOUNDS } from '../../src/machines/overdue.ts'
import { newTask, type StorePlace } from './store-kit.ts'
import { StoreModel, seenOf } from './store-model.ts'

const CALL = { name: 'b', version: 1, input: null, options: null, description: null, metadata: null }
const BOUNDED = { ...CALL, bounds: { ...NO_BOUNDS, queueTimeoutMs: 3 } }
/** Which lease of those given out so far, the last ones only; odd: an older one of the same task. */
type LeaseChoice = number
/** An operation as it is drawn: instants are distances from now, leases are choices. */
type Drawn = (
  now: number,
  leaseOf: (choice: LeaseChoice) => Lease,
  idOf: (id: string) => string,
) => StoreOperation

const id = fc.integer({ min: 0, max: 5 }).map((n) => `t${n}`)
/** Also children: the last ones made are called `^0`, `^1`. */
const ids = fc.array(
  fc.oneof(
    id,
    fc.nat({ max: 5 }).map((n) => `^${n}`),
  ),
  { minLength: 1, maxLength: 3 },
)
const soon = fc.integer({ min: -3, max: 6 })
const leaseChoices = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 3 })

const ms = fc.option(fc.nat({ max: 9 }), { freq: 2 })

const task = fc.record({
  id,
  runIn: soon,
  name: fc.constantFrom('a', 'b'),
  priority: fc.constantFrom(...PRIORITIES),
  key: fc.constantFrom(null, 'k', 'l'),
  onConflict: fc.constantFrom('keep' as const, 'reject' as const, 'replace' as const),
  waits: fc.record({ queueTimeoutMs: ms, deadlineMs: ms, expiresIn: ms }),
  after: fc.constantFrom([], ['"x"'], ['"x"', '"y"']),
})

/** Its children get their ids when it is told. */
const FORK = (runAt: number, size: number): Verdict => ({
  kind: 'fork',
  runAt,
  call: CALL,
  children: Array.from({ length: size }, () => newTask({ name: 'b' })),
  percent: { from: 0, to: 50 },
})

const verdict = (runAt: number): fc.Arbitrary<Verdict> =>
  fc.constantFrom<Verdict>(
    { kind: 'finished', result: '1', reason: null },
    { kind: 'failed', error: '"e"', reason: 'threw' },
    { kind: 'cancelled', error: null, reason: null },
    { kind: 'terminated', error: null, reason: 'stop' },
    { kind: 'retry', runAt, error: '"e"' },
    { kind: 'snooze', runAt },
    { kind: 'step', runAt, call: BOUNDED },
    { kind: 'step', runAt, call: CALL, isNext: true },
    { kind: 'step', runAt, call: { ...CALL, after: ['"v"', '"w"'] }, isNext: true },
    { kind: 'step', runAt, call: { ...CALL, after: ['"u"'] } },
    FORK(runAt, 0),
    FORK(runAt, 2),
    FORK(runAt, 3),
    { kind: 'returned' },
  )

function told(said: Verdict, at: number): Verdict {
  if (said.kind === 'fork') {
    const children = said.children.map((child) => newTask({ name: child.name, runAt: at }))
    return { ...said, runAt: at + said.runAt, children }
  }
  return 'runAt' in said ? { ...said, runAt: at + said.runAt } : said
}

const by = 'me'
const operation: fc.Arbitrary<Drawn> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(task, { minLength: 1, maxLength: 3 }).map(
      (tasks): Drawn =>
        (at) => ({
          type: 'enqueue',
          at,
          by,
          tasks: tasks.map(({ runIn, waits: { expiresIn, ...waits }, ...rest }) => {
            const expiresAt = expiresIn === null ? null : at + expiresIn
            return newTask({ ...rest, runAt: at + runIn, bounds: { ...waits, expiresAt } })
          }),
        }),
    ),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({
        limit: fc.integer({ min: 0, max: 4 }),
        room: fc.tuple(...PRIORITIES.map(() => fc.integer({ min: 0, max: 4 }))),
        names: fc.constantFrom(undefined, ['a'], ['b', 'c'], ['a', 'b']),
        some: fc.option(ids, { nil: undefined, freq: 3 }),
        holder: fc.constantFrom('d', 'e'),
        leaseMs: fc.integer({ min: 1, max: 8 }),
      })
      .map(
        ({ room: [critical = 0, high = 0, normal = 0, low = 0], names, some, leaseMs, ...rest }): Drawn =>
          (at) => ({
            type: 'claim',
            at,
            leaseUntil: at + leaseMs,
            room: { critical, high, normal, low },
            ...(names === undefined ? {} : { names }),
            ...(some === undefined ? {} : { ids: some }),
            ...rest,
          }),
      ),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        leaseChoices,
        soon.chain((runIn) => verdict(runIn)),
      )
      .map(
        ([choices, said]): Drawn =>
          (at, leaseOf) => ({
            type: 'settle',
            at,
            by,
            settlements: choices.map((choice) => ({
              ...leaseOf(choice),
              verdict: told(said, at),
            })),
          }),
      ),
  },
  leaseChoices.map(
    (choices): Drawn =>
      (at, leaseOf) => ({ type: 'renew', at, leaseUntil: at + 5, leases: choices.map(leaseOf) }),
  ),
  leaseChoices.map(
    (choices): Drawn =>
      (at, leaseOf) => ({
        type: 'progress',
        at,
        reports: choices.map((choice) => ({ ...leaseOf(choice), percent: 1, note: null })),
      }),
  ),
  ids.map(
    (some): Drawn =>
      (at, _, idOf) => ({ type: 'cancel', at, by, reason: 'r', ids: some.map(idOf) }),
  ),
  fc.tuple(ids, soon).map(
    ([some, runIn]): Drawn =>
      (at, _, idOf) => ({ type: 'retry', at, by, runAt: at + runIn, ids: some.map(idOf) }),
  ),
  fc.tuple(ids, soon).map(
    ([some, runIn]): Drawn =>
      (at, _, idOf) => ({ type: 'move', at, by, runAt: at + runIn, ids: some.map(idOf) }),
  ),
  ids.map(
    (some): Drawn =>
      (at, _, idOf) => ({ type: 'remove', at, ids: some.map(idOf) }),
  ),
  fc.integer({ min: 0, max: 2 }).map(
    (lostLimit): Drawn =>
      (at) => ({ type: 'reclaim', at, by, lostLimit, limit: 99 }),
  ),
  fc.constant((at: number): StoreOperation => ({ type: 'overdue', at, by, limit: 99 })),
)

const step = fc.record({
  passes: fc.integer({ min: 0, max: 3 }),
  connection: fc.boolean(),
  operations: fc.array(operation, { minLength: 1, maxLength: 4 }),
})

/** What the model says, of what the store has answered. */
function comparable(said: StoreAnswer | undefined): unknown {
  switch (said?.type) {
    case 'claim': {
      const { tasks, asked } = said.answer
      return {
        taken: tasks.map(({ id: of, fence, next }) => ({ id: of, fence, next })),
        asked: asked.map((one) => one.id).sort(),
      }
    }
    case 'renew':
      return {
        items: said.answer.items.map((item) =>
          item.kind === 'kept' ? { kind: item.kind, asked: item.request !== null } : item,
        ),
      }
    case 'reclaim':
      return said.answer.tasks.map((one) => `${one.id} ${one.state}`).sort()
    case 'overdue':
      return said.answer.tasks.map((one) => `${one.id} ${one.state} ${one.reason}`).sort()
    case 'settle':
      return { items: said.answer.items }
    case undefined:
    case 'failed':
      return said
    default:
      return said?.answer
  }
}

export function storeModelContract(
  engine: string,
  prepare: () => Promise<StorePlace & { remove(): Promise<void> }>,
  runs: number,
): void {
  it(`${engine}: answers and keeps what the model does, over random operations`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const place = await prepare()
        const stores: Store[] = [await place.open(), await place.open()]
        try {
          await compare(stores, steps)
        } finally {
          await Promise.all(stores.map((store) => store.close()))
          await place.remove()
        }
      }),
      { numRuns: runs },
    )
  }, 120_000)
}

async function compare(
  stores: readonly Store[],
  steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[],
) {
  const model = new StoreModel()
  const leases: Lease[] = []
  const leaseOf = (choice: LeaseChoice): Lease => {
    const { id: of, fence } = leases.at(-1 - (choice >> 1)) ?? { id: 't0', fence: 1 }
    // Every other one comes from a claim before.
    return { id: of, fence: fence - (choice & 1) }
  }
  const children: string[] = []
  const idOf = (given: string): string =>
    given.startsWith('^') ? (children.at(-1 - Number(given.slice(1))) ?? 't0') : given
  let now = 10
  for (const { passes, connection, operations } of steps) {
    now += passes
    const drawn = operations.map((draw) => draw(now, leaseOf, idOf))
    const answers = await (stores[connection ? 0 : 1] as Store).commit(drawn)
    for (const [index, one] of drawn.entries()) {
      expect(comparable(answers[index]), JSON.stringify(one)).toEqual(model.apply(one))
      const said = answers[index]
      if (said?.type === 'claim')
        leases.push(...said.answer.tasks.map(({ id: of, fence }) => ({ id: of, fence })))
    }
    const { items } = await (stores[0] as Store).list({}, { limit: 999, order: 'oldest' }, now)
    expect(items.map(seenOf)).toEqual(model.all())
    children.push(
      ...items.flatMap((item) => (item.parent !== null && !children.includes(item.id) ? [item.id] : [])),
    )
  }
  expect(await stores[0]?.check()).toMatchObject({ ok: true })
}
