/** What holds on every edge of every worker machine. */
import assert from 'node:assert/strict'
import type { WorkerEffect } from '../../src/machines/worker-model.ts'
import { count, type WalkEffect } from '../../src/runtime/testing/machine-walk.ts'
import type { WorkerEdge } from './worker-walk.ts'

const EFFECTS: Readonly<Record<WorkerEffect, true>> = {
  callBeforeStart: true,
  reportReady: true,
  callBeforeStop: true,
  callAfterStop: true,
  reportExit: true,
  armTick: true,
  armBackoff: true,
  disarm: true,
  startRun: true,
  openSource: true,
  closeSource: true,
  pullItems: true,
  endUnbegun: true,
  cancelRuns: true,
  terminateRuns: true,
  signalRuns: true,
  killRuns: true,
  skip: true,
  announce: true,
}
const ENDED = ['stopped', 'failed']
const SERVING = ['idle', 'waiting', 'active', 'paused', 'backingOff']

const top = (state: string): string => state.split('.', 1)[0] as string
const isEnded = (state: string): boolean => ENDED.includes(state)
const types = ({ effects }: WorkerEdge): string[] => effects.map(({ type }) => type)
const paramsOf = <Params>({ effects }: WorkerEdge, type: string): Params[] =>
  effects.filter((effect: WalkEffect) => effect.type === type).map(({ params }) => params as Params)
const facts = (edge: WorkerEdge): string[] =>
  paramsOf<{ fact: string }>(edge, 'announce').map(({ fact }) => fact)
const skipped = (edge: WorkerEdge): number =>
  paramsOf<{ count: number }>(edge, 'skip').reduce((sum, { count: one }) => sum + one, 0)

export const WORKER_INVARIANTS: Readonly<Record<string, (edge: WorkerEdge) => void>> = {
  'asks only for effects that exist'({ effects }) {
    for (const { type } of effects) assert.ok(Object.hasOwn(EFFECTS, type), type)
  },
  'counts a run from its start to its own end'(edge) {
    const { from, to, event, taken } = edge
    const isStart = event.type === 'worker.start' && taken.length > 0
    if (isStart) return assert.equal(from.context.live + to.context.live, 0)
    if (event.type === 'run.ended') assert.ok(taken.length > 0)
    const ends = Number(event.type === 'run.ended')
    assert.equal(to.context.live, from.context.live + count(edge, 'startRun') - ends)
    assert.equal(to.context.runs, from.context.runs + ends)
  },
  'never overlaps itself unless told so'(edge) {
    if (count(edge, 'startRun') === 0) return
    assert.ok(edge.to.context.live === 1 || edge.to.context.settings.overlap === 'allow')
  },
  'begins never more runs than it may'(edge) {
    const { from, to, event, taken } = edge
    if (event.type === 'worker.start' && taken.length > 0)
      return assert.equal(to.context.left, event.settings.times)
    assert.ok(to.context.left >= 0)
    if (event.type === 'schedule.ended') return assert.ok(to.context.left <= from.context.left)
    assert.equal(to.context.left, from.context.left - count(edge, 'startRun'))
  },
  'begins runs only while it serves'(edge) {
    if (count(edge, 'startRun') === 0) return
    assert.equal(top(edge.target), 'active')
    assert.ok(SERVING.includes(top(edge.source)))
  },
  'lets no occurrence get lost: it runs, waits, or is skipped'(edge) {
    const { event, from, to, taken } = edge
    if (event.type !== 'timer.tick' || taken.length === 0) return
    if (from.context.left === 0) return assert.equal(edge.effects.length, 0)
    const waits = Number(to.context.next !== undefined && from.context.next === undefined)
    // A plain worker has no occurrences: it waits until its condition holds.
    if (edge.target === 'idle') return
    assert.equal(count(edge, 'startRun') + waits + skipped(edge), 1)
  },
  'lets no missed occurrence get lost: it is owed, or skipped'(edge) {
    const { event, from, to, taken } = edge
    if (event.type !== 'timer.missed' || taken.length === 0) return
    if (from.context.left === 0) return assert.equal(edge.effects.length, 0)
    const made = count(edge, 'startRun')
    const took = from.context.next !== undefined && made > 0 ? 0 : made
    assert.equal(to.context.owed - from.context.owed + took + skipped(edge), event.count)
    if (from.context.settings.missed === 'once') assert.ok(to.context.owed <= 1)
  },
  'lets no trigger get lost: it runs, waits, or is skipped'(edge) {
    const { event, from, to, source } = edge
    if (event.type !== 'worker.trigger' || !SERVING.includes(top(source)) || edge.taken.length === 0) return
    const waits =
      Number(to.context.next !== undefined && from.context.next === undefined) +
      (to.context.owed - from.context.owed)
    assert.equal(count(edge, 'startRun') + waits + skipped(edge), 1)
  },
  'accepts stop, hurry and kill in every state'(edge) {
    const { event, source, target, taken } = edge
    if (!['worker.stop', 'worker.hurry', 'worker.kill'].includes(event.type)) return
    assert.ok(taken.length > 0)
    if (isEnded(source)) return assert.deepEqual([target, edge.effects], [source, []])
    assert.ok(top(target) === 'stopping' || isEnded(target), target)
    if (event.type !== 'worker.kill') return
    assert.ok(target === 'stopping.killing' || edge.to.context.live === 0)
    if (source !== 'stopping.killing') assert.equal(count(edge, 'killRuns'), 1)
  },
  'reports the end of a life once, when nothing is live, as it was'(edge) {
    const { source, target, to } = edge
    const ends = isEnded(target) && !isEnded(source)
    assert.equal(count(edge, 'reportExit'), Number(ends))
    if (!ends) return
    assert.equal(to.context.live, 0)
    assert.equal(target === 'failed', to.context.exit.kind === 'failed')
    assert.equal(types(edge).at(-1), 'reportExit')
  },
  'comes up once per life, and says so'(edge) {
    const comesUp = edge.source === 'starting' && SERVING.includes(top(edge.target))
    assert.equal(count(edge, 'reportReady'), Number(comesUp))
    assert.equal(facts(edge).includes('started'), comesUp)
    assert.equal(count(edge, 'callBeforeStart'), Number(edge.target === 'starting' && isEnded(edge.source)))
  },
  'announces each turn once'(edge) {
    const [from, to] = [top(edge.source), top(edge.target)]
    const said = facts(edge).filter((fact) => fact !== 'started')
    const expected: string[] = []
    if (to === 'paused' && from !== 'paused') expected.push('paused')
    if (from === 'paused' && edge.event.type === 'worker.resume') expected.push('resumed')
    if (isEnded(to) && !isEnded(from)) expected.push(to)
    assert.deepEqual(said, expected)
  },
  'leaves no timer behind where none may fire'(edge) {
    const [from, to] = [top(edge.source), top(edge.target)]
    if (!SERVING.includes(from) || from === to) return
    const asked = types(edge)
    const last = Math.max(asked.lastIndexOf('armTick'), asked.lastIndexOf('armBackoff'))
    // An event worker that serves arms nothing.
    const arms = edge.taken.some((name) => name.startsWith('eventWorker'))
    if (to === 'stopping' || isEnded(to)) assert.ok(asked.lastIndexOf('disarm') > last)
    if (to === 'paused' && !arms) assert.ok(asked.includes('disarm') || from === 'active' || from === 'idle')
    if (from === 'backingOff') assert.ok(asked.includes('disarm'))
    assert.equal(count(edge, 'armBackoff'), Number(to === 'backingOff' && from !== 'backingOff'))
  },
  'goes on ticking: whoever waits for an occurrence has armed it'(edge) {
    const { source, target, event, effects } = edge
    const consumed = event.type === 'timer.tick' || event.type === 'timer.missed'
    if (target === 'waiting' && (source !== 'waiting' || (consumed && effects.length > 0))) {
      assert.ok(count(edge, 'armTick') > 0)
    }
  },
  'ends when nothing more can begin'(edge) {
    if (!SERVING.includes(top(edge.target)) || edge.taken.length === 0) return
    if (edge.to.context.left === 0) assert.ok(edge.to.context.live > 0)
  },
  'ends in order: hooks, then what is live, then hooks, then nothing'(edge) {
    const path = [
      'stopping.calling',
      'stopping.draining',
      'stopping.finishing',
      'stopping.ending',
      'stopping.closing',
    ]
    const { source, target } = edge
    if (!source.startsWith('stopping')) return
    if (isEnded(target)) return assert.ok(source === 'stopping.closing' || edge.from.context.live <= 1)
    if (target === 'stopping.killing') return
    assert.ok(path.indexOf(target) >= path.indexOf(source), target)
  },
  'ends what has not begun, unless the queue is drained'(edge) {
    const { event, source, target, from } = edge
    const finishes = event.type === 'hook.done' && source === 'stopping.calling'
    const ends = finishes && event.slots !== 'drained'
    assert.equal(count(edge, 'endUnbegun'), Number(ends))
    if (finishes && from.context.live > 0)
      assert.equal(target, ends ? 'stopping.finishing' : 'stopping.draining')
  },
  'keeps how it ends, once it ends'({ source, target, from, to, event }) {
    if (!source.startsWith('stopping')) return
    assert.equal(to.context.exit, from.context.exit)
    assert.ok(event.type === 'worker.start' ? target === source : true)
  },
}
