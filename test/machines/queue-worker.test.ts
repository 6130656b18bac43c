/** Every edge of the queue worker machine: with every policy, sizes that change, and a source. */
import assert from 'node:assert/strict'
import { describe, expect, test } from 'vitest'
import type { SnapshotFrom } from 'xstate'
import {
  queueWorkerMachine,
  WORKER_DEFAULTS,
  WORKER_STATES,
  type WorkerContext,
  type WorkerEvent,
  type WorkerSettings,
} from '../../src/machines/index.ts'
import { atomicStates, declaredTransitions } from '../../src/runtime/testing/machine-coverage.ts'
import { checkEdges } from '../../src/runtime/testing/machine-replay.ts'
import { count, type WalkEdge, walkMachine } from '../../src/runtime/testing/machine-walk.ts'
import { transitionTable } from '../../src/runtime/testing/transition-table.ts'
import { WORKER_INVARIANTS } from '../model/worker-invariants.ts'
import type { WorkerEdge } from '../model/worker-walk.ts'

type QueueEdge = WalkEdge<SnapshotFrom<typeof queueWorkerMachine>, WorkerEvent>

const EVENTS: readonly WorkerEvent[] = [
  { type: 'worker.ready' },
  { type: 'worker.startFailed', error: 'start' },
  { type: 'item.ready' },
  { type: 'item.gone' },
  { type: 'items.none' },
  { type: 'schedule.ended' },
  { type: 'source.failed', error: 'source' },
  { type: 'queue.resize', concurrency: 1 },
  { type: 'queue.resize', concurrency: 2 },
  { type: 'timer.backoff', passed: 0 },
  { type: 'worker.pause' },
  { type: 'worker.resume' },
  ...(['ok', 'last', 'failed', 'fatal', 'other'] as const).flatMap((end): WorkerEvent[] => [
    { type: 'run.ended', end, error: 'run', more: true },
    { type: 'run.ended', end, error: 'run', more: false },
  ]),
  { type: 'hook.done', slots: 'given' },
  { type: 'hook.done', slots: 'held' },
  { type: 'hook.done', slots: 'drained' },
  { type: 'worker.stop' },
  { type: 'worker.hurry' },
  { type: 'worker.kill' },
]
const TYPES = ['worker.start', ...new Set(EVENTS.map(({ type }) => type))]

const SETTINGS: readonly WorkerSettings[] = (['continue', 'backOff', 'fail'] as const).flatMap((onFailure) =>
  (['drain', 'return'] as const).flatMap((onStop) =>
    [2, Number.POSITIVE_INFINITY].map((times) => ({
      ...WORKER_DEFAULTS,
      onFailure,
      onStop,
      times,
      concurrency: 2,
    })),
  ),
)

const project = ({ live, left, exit, settings }: WorkerContext): string =>
  [live, left, exit.kind, settings.concurrency].join()

const edges = SETTINGS.flatMap((settings) =>
  walkMachine(queueWorkerMachine, {
    input: undefined,
    events: [{ type: 'worker.start', settings }, ...EVENTS],
    project,
    // Only what lives can end or find nothing.
    accepts: ({ context }: QueueEdge['from'], { type }: WorkerEvent) =>
      (type !== 'run.ended' && type !== 'item.gone') || context.live > 0,
    limit: 100_000,
  } as never),
) as QueueEdge[]

const top = (state: string): string => state.split('.', 1)[0] as string
const begun = (edge: QueueEdge): number => count(edge as never, 'startRun')
const isOver = (edge: QueueEdge): boolean =>
  edge.event.type === 'run.ended' && (edge.event.end === 'last' || edge.event.end === 'fatal')
const failsIt = ({ event, from }: QueueEdge): boolean =>
  event.type === 'run.ended' && event.end === 'failed' && from.context.settings.onFailure === 'fail'

/** What holds of queues beside what holds of all workers. */
const QUEUE_INVARIANTS: Readonly<Record<string, (edge: QueueEdge) => void>> = {
  'counts a run from its start to its own end'(edge) {
    const { from, to, event, taken } = edge
    if (event.type === 'worker.start' && taken.length > 0) return
    const ended = Number(event.type === 'run.ended')
    const gone = Number(event.type === 'item.gone')
    assert.equal(to.context.live, from.context.live + begun(edge) - ended - gone)
    assert.equal(to.context.runs, from.context.runs + ended)
    if (event.type !== 'schedule.ended') assert.equal(to.context.left, from.context.left - begun(edge) + gone)
  },
  'begins at most concurrency, at most times, and one per step'(edge) {
    if (begun(edge) === 0) return
    assert.equal(begun(edge), 1)
    assert.ok(edge.to.context.live <= edge.to.context.settings.concurrency)
    assert.ok(edge.to.context.left >= 0)
  },
  'begins an item only while it serves, or drains because it was asked to stop'(edge) {
    if (begun(edge) === 0) return
    if (top(edge.target) === 'active') return assert.ok(['idle', 'active'].includes(edge.source))
    assert.equal(edge.target, 'stopping.draining')
    assert.equal(edge.to.context.exit.kind, 'stopped')
    assert.equal(edge.to.context.settings.onStop, 'drain')
  },
  'drains only what can be run: else, and when it is not to drain, what has not begun is ended once'(edge) {
    const { event, source, target, from } = edge
    const { settings, exit } = from.context
    const drains =
      event.type === 'hook.done' &&
      settings.onStop === 'drain' &&
      exit.kind === 'stopped' &&
      event.slots !== 'held'
    const decides = event.type === 'hook.done' && source === 'stopping.calling'
    if (decides) assert.equal(target === 'stopping.draining', drains)
    const givesUp = source === 'stopping.draining' && (isOver(edge) || failsIt(edge))
    assert.equal(count(edge as never, 'endUnbegun'), Number((decides && !drains) || givesUp))
  },
  'begins the item that waits when there is a place for it'(edge) {
    const { event, source, from } = edge
    const { live, left, settings } = from.context
    if (left === 0) return assert.equal(begun(edge), 0)
    const serves = ['idle', 'active', 'stopping.draining'].includes(source)
    if (event.type === 'item.ready' && serves)
      return assert.equal(begun(edge), Number(live < settings.concurrency))
    if (
      event.type !== 'run.ended' ||
      event.more !== true ||
      (source !== 'active' && source !== 'stopping.draining')
    )
      return assert.equal(begun(edge), 0)
    const backsOff = source === 'active' && event.end === 'failed' && settings.onFailure === 'backOff'
    const may = !isOver(edge) && !failsIt(edge) && !backsOff && live <= settings.concurrency
    assert.equal(begun(edge), Number(may))
  },
  'asks for items wherever it goes on'(edge) {
    const comesUp = edge.source === 'starting' && edge.target === 'idle'
    const goesOn = ['timer.backoff', 'worker.resume'].includes(edge.event.type) && edge.taken.length > 0
    const drains = edge.source !== 'stopping.draining' && edge.target === 'stopping.draining'
    const resized = edge.event.type === 'queue.resize' && /^active$|draining$/.test(edge.source)
    assert.equal(count(edge as never, 'pullItems'), Number(comesUp || goesOn || drains || resized))
  },
  'opens its source once it is up, and closes it when it begins to stop'(edge) {
    assert.equal(
      count(edge as never, 'openSource'),
      Number(edge.source === 'starting' && edge.target === 'idle'),
    )
    const lived = ['starting', 'idle', 'active', 'paused', 'backingOff'].includes(edge.source)
    const ends = lived && ['stopping', 'stopped', 'failed'].includes(top(edge.target))
    const wasNeverUp = edge.event.type === 'worker.startFailed'
    assert.equal(count(edge as never, 'closeSource'), Number(ends && !wasNeverUp))
  },
  'leaves draining when nothing waits and nothing lives, or it is told to'(edge) {
    const { source, target, event, to, from } = edge
    if (source !== 'stopping.draining' || target === source) return
    if (target === 'stopping.finishing') return assert.ok(isOver(edge) || failsIt(edge))
    if (target !== 'stopping.closing') return assert.ok(['worker.hurry', 'worker.kill'].includes(event.type))
    assert.equal(to.context.live, 0)
    if (event.type === 'worker.hurry' || isOver(edge) || failsIt(edge)) return
    const nothing = event.type === 'items.none' || event.type === 'item.gone'
    const last = event.type === 'run.ended' && (event.more === false || from.context.left === 0)
    assert.ok(nothing || last || from.context.left === 0)
  },
  'takes other sizes in every state, and keeps the rest of its settings'(edge) {
    const { event, from, to } = edge
    if (event.type !== 'queue.resize') return
    const { concurrency } = event
    assert.deepEqual(to.context.settings, { ...from.context.settings, concurrency })
  },
}

/** Those of all workers that say nothing of how runs come about. */
const SHARED = [
  'asks only for effects that exist',
  'accepts stop, hurry and kill in every state',
  'reports the end of a life once, when nothing is live, as it was',
  'comes up once per life, and says so',
  'announces each turn once',
  'keeps how it ends, once it ends',
] as const

describe('the queue worker machine', () => {
  test.each(SHARED)('on every edge %s', (name) => {
    checkEdges(edges as unknown as WorkerEdge[], WORKER_INVARIANTS[name] as (edge: WorkerEdge) => void)
  })

  test.each(Object.entries(QUEUE_INVARIANTS))('on every edge %s', (_, check) => {
    checkEdges(edges, check)
  })

  test('is walked in every declared transition, with every branch of every guard', () => {
    const walked = new Set(edges.flatMap(({ taken }) => taken))
    const missing = [...declaredTransitions(queueWorkerMachine).values()].filter((name) => !walked.has(name))
    expect(missing).toEqual([])
  })

  test('is reached in every state and sent every event that it knows', () => {
    const reached = new Set(edges.flatMap(({ source, target }) => [source, target]))
    expect(atomicStates(queueWorkerMachine).filter((state) => !reached.has(state))).toEqual([])
    expect(queueWorkerMachine.events.filter((event) => !TYPES.includes(event))).toEqual([])
  })

  test('answers every event in every state as the table says', async () => {
    const table = transitionTable(queueWorkerMachine, edges as never, TYPES)
    await expect(table).toMatchFileSnapshot('../model/__snapshots__/queue-worker.table.txt')
  })

  test('has no state that workers do not have', () => {
    const states = Object.keys(queueWorkerMachine.states)
    expect(states.filter((state) => !WORKER_STATES.includes(state as never))).toEqual([])
  })
})
