/** Traces that go through a database, on SQLite; on PostgreSQL: queue-spans-postgres.test.ts. */
import { SpanKind } from '@opentelemetry/api'
import { describe, expect, test } from 'vitest'
import { createDaemon, openQueue } from '../../src/runtime/durable/index.ts'
import { all, chain } from '../../src/task.ts'
import { enqueue, next, openPlace, records, startedDaemon, storeRaw } from '../durable/daemon-kit.ts'
import { errorOf, taskOf } from '../support/harness.ts'
import { idOf, linksOf, parentOf, startTraces, statusOf, type Traces } from './tracing-kit.ts'

/** A queue, and a daemon that has it open as another program would. */
async function traced(tasks: readonly object[], { tracing }: Pick<Traces, 'tracing'>) {
  const place = await openPlace(undefined, { tracing })
  const rig = await startedDaemon(tasks, {
    place: await openPlace(place.file),
    supervisor: { tracing, id: 'worker' },
  })
  return { ...rig, queue: place.queue }
}

describe('a durable task', () => {
  test('belongs to the span that has enqueued it, whoever runs it', async () => {
    const traces = startTraces()
    const task = taskOf<string, string>((name) => `hello ${name}`, { name: 'greet' })
    const { queue } = await traced([task], traces)
    const { id } = await traces.inSpan('request', () => queue.enqueue(task, 'Ada', { priority: 'high' }))
    expect(await queue.wait(id)).toBe('hello Ada')
    const { one, of } = traces
    const [enqueue, run] = [one('enqueue greet'), one('run greet')]
    expect(parentOf(enqueue)).toBe(idOf(one('request')))
    expect([enqueue.kind, enqueue.attributes]).toEqual([
      SpanKind.PRODUCER,
      {
        'messaging.system': 'stateward',
        'messaging.operation.name': 'enqueue',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'greet',
        'messaging.message.id': id,
      },
    ])
    expect([parentOf(run), linksOf(run)]).toEqual([idOf(enqueue), [idOf(enqueue)]])
    expect(run.attributes).toMatchObject({
      'messaging.message.id': id,
      'stateward.supervisor': 'worker',
      'stateward.priority': 'high',
    })
    expect(parentOf(one('attempt greet'))).toBe(idOf(run))
    expect(of('submit greet')).toEqual([])
  })

  test('keeps its trace through attempts, each of which is a run of its own', async () => {
    const traces = startTraces()
    let calls = 0
    const task = taskOf(
      () => {
        calls += 1
        if (calls === 1) throw new Error('not yet')
        return 'now'
      },
      { name: 'flaky', retry: { attempts: 2, backoff: { initialMs: 1 } } },
    )
    const { queue } = await traced([task], traces)
    expect(await queue.wait(await queue.enqueue(task))).toBe('now')
    const { one, of } = traces
    const runs = of('run flaky')
    const made = idOf(one('enqueue flaky'))
    expect(runs.map(parentOf)).toEqual([made, made])
    expect(runs.map(linksOf)).toEqual([[made], [made, idOf(runs[0]!)]])
    expect(runs[1]!.links.map(({ attributes }) => attributes)).toEqual([
      undefined,
      { 'stateward.link': 'previous' },
    ])
    expect(runs.map(({ attributes }) => attributes['stateward.attempt'])).toEqual([1, 2])
    expect(
      runs.map(({ attributes }) => [attributes['stateward.handed_back'], attributes['stateward.outcome']]),
    ).toEqual([
      ['retry', undefined],
      [undefined, 'finished'],
    ])
    expect(of('attempt flaky').map(statusOf)).toEqual(['error: not yet', 'ok'])
    expect(runs.map(statusOf)).toEqual(['ok', 'ok'])
  })

  test('links the attempt that a person has asked for to the one that had failed for good', async () => {
    const traces = startTraces()
    let calls = 0
    const task = taskOf<void, number>(
      () => {
        calls += 1
        if (calls < 3) throw new Error(`no ${calls}`)
        return calls
      },
      { name: 'stubborn' },
    )
    const { queue, store } = await traced([task], traces)
    const { id } = await queue.enqueue(task)
    for (const failed of [1, 2]) {
      await expect(queue.wait(id)).rejects.toThrow(`no ${failed}`)
      await queue.retry(id)
    }
    expect(await queue.wait(id)).toBe(3)
    const [first, second, third] = traces.of('run stubborn')
    const made = idOf(traces.one('enqueue stubborn'))
    expect([first!, second!, third!].map(linksOf)).toEqual([
      [made],
      [made, idOf(first!)],
      [made, idOf(second!)],
    ])
    // Only the last one is kept: as much is stored after many attempts as after two.
    const [record] = await store.read((open) => open.get([id]))
    expect(JSON.parse(record?.options ?? '')).toEqual({
      trace: { traceparent: expect.stringMatching(/^00-/), previous: expect.stringMatching(/^00-/) },
    })
  })

  test('links what was snoozed or interrupted to what came before, and to nothing that had not begun', async () => {
    const traces = startTraces()
    let slept = false
    const nap = taskOf<void, string>(
      (_, ctx) => {
        if (slept) return 'rested'
        slept = true
        return ctx.snooze(1) as never
      },
      { name: 'nap' },
    )
    let begun = 0
    const task = taskOf<number>(
      (_, { signal }) => {
        begun += 1
        if (begun > 1) return
        return new Promise<void>((__, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        })
      },
      { name: 'long', multilaunch: false },
    )
    const { queue, store, daemon, supervisor } = await traced([nap, task], traces)
    expect(await queue.wait(await queue.enqueue(nap))).toBe('rested')
    const started = next(supervisor, 'task.started')
    const [interrupted, waiting] = (await enqueue(queue, task.call(1), task.call(2))) as [string, string]
    await started
    await records(store, [interrupted, waiting], ({ state }) => state === 'running')
    await daemon.stop({ wait: 0 })
    await records(store, [interrupted, waiting], ({ state }) => state === 'pending')
    await daemon.start()
    await Promise.all([queue.wait(interrupted), queue.wait(waiting)])
    const runsOf = (id: string) =>
      traces.of('run long').filter(({ attributes }) => attributes['messaging.message.id'] === id)
    const [asleep, awake] = traces.of('run nap')
    const [ended, second] = runsOf(interrupted)
    const [returned, only] = runsOf(waiting)
    expect(returned!.attributes['stateward.handed_back']).toBe('returned')
    const many = idOf(traces.one('enqueue long'))
    expect([awake!, second!, only!].map(linksOf)).toEqual([
      [idOf(traces.one('enqueue nap')), idOf(asleep!)],
      [many, idOf(ended!)],
      [many],
    ])
  })

  test('that a daemon has died with is linked to the last attempt before, and says how many were lost', async () => {
    const traces = startTraces()
    let calls = 0
    const task = taskOf<void, string>(
      () => {
        calls += 1
        if (calls === 1) throw new Error('not yet')
        return 'now'
      },
      { name: 'flaky', retry: { attempts: 3, backoff: { initialMs: 3_600_000 } } },
    )
    const { queue, store, daemon, supervisor } = await traced([task], traces)
    const { id } = await queue.enqueue(task)
    await records(store, [id], ({ phase }) => phase === 'retry')
    await daemon.stop()
    const room = { critical: 1, high: 1, normal: 1, low: 1 }
    const [at, leaseUntil] = [store.now() + 7_200_000, store.now() - 1]
    await store.do({ type: 'claim', at, holder: 'dead', leaseUntil, room, limit: 1, ids: [id] })
    const again = createDaemon({ queue, supervisor, tasks: [task], name: 'again' })
    await again.start()
    expect(await queue.wait(id)).toBe('now')
    const [first, third] = traces.of('run flaky')
    expect(linksOf(third!)).toEqual([idOf(traces.one('enqueue flaky')), idOf(first!)])
    expect(third!.attributes).toMatchObject({ 'stateward.attempt': 3, 'stateward.lost': 1 })
    expect(first!.attributes).not.toHaveProperty('stateward.lost')
  })

  test('keeps its trace through steps, each of which is linked to the one before', async () => {
    const traces = startTraces()
    const say = taskOf<string, string>((word) => word, { name: 'say' })
    const twice = taskOf<string>((word, ctx) => ctx.next(say.call(`${word} again`)), { name: 'twice' })
    const { queue } = await traced([say, twice], traces)
    const { id } = await queue.enqueue(chain([say.call('a'), twice.call('b'), say.call('c')]))
    expect(await queue.wait(id)).toBe('c')
    const { one, of } = traces
    const enqueue = idOf(one('enqueue say'))
    const [first, third, last] = of('run say')
    const second = one('run twice')
    const steps = [first, second, third, last].map((span) => span!)
    expect(steps.map(parentOf)).toEqual([enqueue, enqueue, enqueue, enqueue])
    expect(steps.map(linksOf)).toEqual([
      [enqueue],
      ...steps.slice(0, -1).map((span) => [enqueue, idOf(span)]),
    ])
    expect((await queue.get(id))?.input).toBe('c')
  })

  test('hands its trace to the tasks that it forks into, and to what joins them', async () => {
    const traces = startTraces()
    const part = taskOf<number, number>((n) => n, { name: 'part' })
    const sum = taskOf<number[], number>((parts) => parts.reduce((a, b) => a + b, 0), { name: 'sum' })
    const { queue } = await traced([part, sum], traces)
    expect(await queue.wait(await queue.enqueue(all([part.call(1), part.call(2)], sum)))).toBe(3)
    const { of, one } = traces
    const { traceId } = one('enqueue stateward.all').spanContext()
    const spans = [...of('run part'), one('run sum')]
    expect(spans.map((span) => span.spanContext().traceId)).toEqual([traceId, traceId, traceId])
  })

  test('that a handler enqueues belongs to its attempt; many of them share a span', async () => {
    const traces = startTraces()
    const small = taskOf<number>(() => {}, { name: 'small' })
    const other = taskOf<void>(() => {}, { name: 'other' })
    const outer = taskOf<void>(() => queue.enqueueMany([small.call(1), small.call(2)]).then(() => {}), {
      name: 'outer',
    })
    const rig = await traced([small, other, outer], traces)
    const { queue } = rig
    await queue.wait(await queue.enqueue(outer))
    const mixed = await queue.enqueueMany([small.call(3), other.call()])
    await records(
      rig.store,
      mixed.map(({ id }) => id),
    )
    const { one, of } = traces
    const many = one('enqueue small')
    expect(parentOf(many)).toBe(idOf(one('attempt outer')))
    expect(many.attributes['messaging.batch.message_count']).toBe(2)
    expect(parentOf(one('run other'))).toBe(idOf(one('enqueue tasks')))
    expect(of('run small').slice(0, 2).map(parentOf)).toEqual([idOf(many), idOf(many)])
  })

  test('of a schedule is the root of a trace, also in its next step', async () => {
    const traces = startTraces()
    const last = taskOf<void>(() => {}, { name: 'last' })
    const first = taskOf<void>((_, ctx) => ctx.next(last.call()), { name: 'first' })
    const { queue, store } = await traced([first, last], traces)
    // Its connections are there, so that the schedule is stored before it comes.
    await queue.list()
    const at = store.now() + 1_000
    await queue.schedule('once', first.call(), { everyMs: 1e9, startAt: at, endAt: at })
    const { tasks } = await (async () => {
      for (;;) {
        const page = await queue.list({ state: 'finished' })
        if (page.tasks.length > 0) return page
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const { one } = traces
    expect([tasks.length, parentOf(one('run first'))]).toEqual([1, undefined])
    expect(parentOf(one('run last'))).toBe(idOf(one('run first')))
    expect(linksOf(one('run last'))).toEqual([idOf(one('run first'))])
  })
})

describe('a trace', () => {
  test('is handed on by a daemon that does not trace', async () => {
    const traces = startTraces()
    const last = taskOf<void>(() => {}, { name: 'last' })
    const first = taskOf<void>((_, ctx) => ctx.next(last.call()), { name: 'first' })
    const place = await openPlace(undefined, { tracing: traces.tracing })
    const silent = await startedDaemon([first], {
      place: await openPlace(place.file),
      daemon: { unknownTasks: 'leave' },
    })
    const { id } = await place.queue.enqueue(first)
    await records(place.store, [id], ({ name, state }) => name === 'last' && state === 'pending')
    await silent.supervisor.stop()
    await startedDaemon([last], {
      place: await openPlace(place.file),
      supervisor: { tracing: traces.tracing },
    })
    await place.queue.wait(id)
    const { one, of } = traces
    expect(of('run first')).toEqual([])
    expect(linksOf(one('run last'))).toEqual([idOf(one('enqueue first'))])
  })

  test('that a hand has stored wrong changes nothing', async () => {
    const traces = startTraces()
    const task = taskOf<void, string>(() => 'ran', { name: 'odd' })
    const { queue, store } = await traced([task], traces)
    for (const options of [
      '{"trace":5}',
      '{"trace":{"traceparent":7}}',
      '{"trace":{"traceparent":"x"}}',
      '{"trace":null}',
    ])
      expect(await queue.wait(await storeRaw(store, { name: 'odd', options }))).toBe('ran')
    expect(traces.of('run odd').map(parentOf)).toEqual([undefined, undefined, undefined, undefined])
  })

  test('tells of an enqueue that is refused; without an SDK nothing of it is stored', async () => {
    const traces = startTraces()
    const task = taskOf<void>(() => {}, { name: 'taken' })
    const { queue, store } = await openPlace(undefined, { tracing: traces.tracing })
    const { id } = await queue.enqueue(task, undefined, { runId: 'mine' })
    const refused = await errorOf(queue.enqueue(task, undefined, { runId: 'mine' }))
    const [first, second] = traces.of('enqueue taken')
    expect([statusOf(first!), statusOf(second!)]).toEqual(['ok', `error: ${refused.message}`])
    expect(second!.attributes['error.type']).toBe('ERR_RUN_ID_TAKEN')
    const [record] = await store.read((open) => open.get([id]))
    expect(JSON.parse(record?.options ?? '')).toEqual({
      trace: { traceparent: expect.stringMatching(/^00-/) },
    })
  })

  test('is an option of openQueue, and refused when it is none', async () => {
    expect(await errorOf(openQueue({ url: 'sqlite::memory:', tracing: {} as never }))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
      message: expect.stringContaining('createTracing()'),
    })
  })
})
