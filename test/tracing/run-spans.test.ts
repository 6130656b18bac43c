import { SpanKind, trace } from '@opentelemetry/api'
import { describe, expect, test } from 'vitest'
import { createSupervisor } from '../../src/index.ts'
import { createTracing } from '../../src/runtime/tracing/index.ts'
import { parentOfWhere, where } from '../fixtures/tracing/tasks.ts'
import { echoTask, heldTask, startedSupervisor, taskOf, thrownBy } from '../support/harness.ts'
import { eventsOf, idOf, linksOf, parentOf, startTraces, statusOf } from './tracing-kit.ts'

describe('a traced run', () => {
  test('has spans for its submission, itself and its attempt, in the span that has submitted it', async () => {
    const { tracing, one, inSpan } = startTraces()
    const { supervisor } = await startedSupervisor({ tracing })
    const task = taskOf<number, number>((n) => n * 2, { name: 'double', priority: 'high' })
    const run = inSpan('request', () => supervisor.submit(task, 4))
    await run.result
    const [request, submit, whole, attempt] = [
      'request',
      'submit double',
      'run double',
      'attempt double',
    ].map(one)
    expect([submit, whole, attempt].map((span) => parentOf(span!))).toEqual(
      [request, submit, whole].map((span) => idOf(span!)),
    )
    expect([submit, whole, attempt].map((span) => span!.kind)).toEqual([
      SpanKind.PRODUCER,
      SpanKind.CONSUMER,
      SpanKind.INTERNAL,
    ])
    expect(whole!.attributes).toEqual({
      'messaging.system': 'stateward',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'double',
      'messaging.message.id': run.id,
      'stateward.supervisor': 'test',
      'stateward.priority': 'high',
      'stateward.execution': 'async',
      'stateward.outcome': 'finished',
      'stateward.attempts': 1,
      'stateward.queue_ms': 0,
    })
    expect(submit!.attributes).toMatchObject({
      'messaging.operation.name': 'submit',
      'messaging.operation.type': 'send',
    })
    expect([eventsOf(whole!), statusOf(whole!)]).toEqual([['queued'], 'ok'])
    expect(attempt!.attributes).toEqual({
      'stateward.task': 'double',
      'stateward.attempt': 1,
      'stateward.execution': 'async',
    })
  })

  test('has its handler within the attempt, and what that submits', async () => {
    const { tracing, one, inSpan } = startTraces()
    const { supervisor } = await startedSupervisor({ tracing })
    const child = echoTask({ name: 'child' })
    const task = taskOf(
      async (_, ctx) => {
        await Promise.resolve()
        await inSpan('query', () => ctx.submit(child).result)
      },
      { name: 'parent' },
    )
    await supervisor.submit(task).result
    expect(parentOf(one('query'))).toBe(idOf(one('attempt parent')))
    expect(parentOf(one('submit child'))).toBe(idOf(one('query')))
    expect(parentOf(one('submit parent'))).toBeUndefined()
  })

  test('has a span for each attempt: errors are recorded where they were, and a run that ends well is well', async () => {
    const { tracing, one, of } = startTraces()
    const { supervisor, clock } = await startedSupervisor({ tracing })
    let calls = 0
    const retry = { attempts: 2, backoff: { initialMs: 5, jitter: 0 } }
    const task = taskOf(
      () => {
        calls += 1
        if (calls === 1) throw Object.assign(new TypeError('no'), { code: 'ERR_OWN' })
      },
      { name: 'flaky', retry },
    )
    const run = supervisor.submit(task)
    await clock.advance(10)
    await run.result
    const attempts = of('attempt flaky')
    expect(attempts.map(statusOf)).toEqual(['error: no', 'ok'])
    expect(attempts.map(({ attributes }) => attributes['stateward.attempt'])).toEqual([1, 2])
    expect(attempts.map(linksOf)).toEqual([[], [idOf(attempts[0]!)]])
    expect(attempts.map(parentOf)).toEqual([idOf(one('run flaky')), idOf(one('run flaky'))])
    expect(attempts[0]!.attributes['error.type']).toBe('ERR_OWN')
    expect(eventsOf(attempts[0]!)).toEqual(['started', 'exception'])
    expect([statusOf(one('run flaky')), eventsOf(one('run flaky'))]).toEqual([
      'ok',
      ['queued', 'retrying', 'queued'],
    ])
  })

  test.each([
    ['fails', (task) => task, 'error: glass', { outcome: 'failed', reason: 'threw' }],
    ['is terminated', (task) => task, 'error: runTimeout', { outcome: 'terminated', reason: 'runTimeout' }],
    ['is cancelled', (task) => task, 'ok', { outcome: 'cancelled' }],
    ['has nothing to do', (task) => task, 'ok', { outcome: 'skipped' }],
  ] as const satisfies readonly [string, (task: never) => never, string, object][])(
    'that %s says so',
    async (how, _, status, attributes) => {
      const { tracing, one } = startTraces()
      const { supervisor, clock } = await startedSupervisor({ tracing })
      const { task, calls } = heldTask<void>({ name: 'glass', runTimeoutMs: 50, graceMs: 0 })
      const skipping = taskOf((__, ctx) => ctx.skip('nothing'), { name: 'glass' })
      const run = supervisor.submit(how === 'has nothing to do' ? skipping : task)
      await clock.advance(1)
      if (how === 'fails') calls[0]!.reject(new Error('glass'))
      if (how === 'is cancelled') run.cancel('enough')
      await clock.advance(100)
      await run.result.catch(() => {})
      const span = one('run glass')
      const own = Object.entries(span.attributes).filter(([name]) => /outcome|reason/.test(name))
      expect(Object.fromEntries(own.map(([name, value]) => [name.replace('stateward.', ''), value]))).toEqual(
        attributes,
      )
      expect([statusOf(span), statusOf(one('attempt glass'))]).toEqual([status, status])
    },
  )

  test('that snoozes or goes on with another call has an attempt for each part', async () => {
    const { tracing, of, one } = startTraces()
    const { supervisor, clock } = await startedSupervisor({ tracing })
    let slept = false
    const last = echoTask<string>({ name: 'last' })
    const first = taskOf(
      (_, ctx) => {
        if (slept) return ctx.next(last.call('end'))
        slept = true
        return ctx.snooze(5)
      },
      { name: 'first' },
    )
    const run = supervisor.submit(first)
    await clock.advance(10)
    expect(await run.result).toBe('end')
    expect([of('attempt first').length, of('attempt last').length]).toEqual([2, 1])
    const [before, after] = of('attempt first')
    expect([after!, one('attempt last')].map(linksOf)).toEqual([[idOf(before!)], [idOf(after!)]])
    expect(parentOf(one('attempt last'))).toBe(idOf(one('run first')))
    expect(eventsOf(one('run first'))).toEqual(['queued', 'snoozed', 'queued', 'queued'])
  })

  test('of a worker is the root of a trace, whatever was active when the worker was made', async () => {
    const { tracing, of, inSpan } = startTraces()
    const { supervisor, clock } = await startedSupervisor({ tracing })
    inSpan('request', () => supervisor.workers.interval({ name: 'tick', handler: () => {}, intervalMs: 10 }))
    await clock.advance(15)
    expect(of('run tick').map(parentOf)).toEqual([undefined, undefined])
    expect(of('run tick')[0]!.attributes['stateward.worker']).toBe('tick')
    expect(of('submit tick')).toEqual([])
  })

  test.each(['async', 'thread', 'process'] as const)(
    'has its handler within the attempt: %s',
    async (execution) => {
      const { tracing, of } = startTraces()
      await using supervisor = createSupervisor({ tracing })
      await supervisor.start()
      // The first one loads the module, the second finds it there.
      const cold = await supervisor.submit(where, undefined, { execution }).result
      const warm = await supervisor.submit(where, undefined, { execution }).result
      expect([cold, warm]).toEqual(of('attempt where').map(idOf))
    },
  )

  test('in a thread, or on a loop, has its handler and its children there', async () => {
    const { tracing, one, of } = startTraces()
    await using supervisor = createSupervisor({ tracing })
    await supervisor.start()
    supervisor.createLoop('side')
    await supervisor.startLoop('side')
    const inLoop = await supervisor.submit(where, undefined, { loop: 'side' }).result
    expect(inLoop).toBe(idOf(one('attempt where')))
    const inThread = await supervisor.submit(parentOfWhere, 'thread', { execution: 'thread' }).result
    const attempt = of('attempt where')[1]!
    expect(inThread).toBe(idOf(attempt))
    expect(parentOf(of('submit where')[1]!)).toBe(idOf(one('attempt parentOfWhere')))
    expect(attempt.spanContext().traceId).toBe(one('submit parentOfWhere').spanContext().traceId)
  })
})

describe('tracing', () => {
  test('takes a provider of its own', async () => {
    const { tracing: _, of } = startTraces()
    const provider = { getTracer: () => trace.getTracer('mine') }
    const { supervisor } = await startedSupervisor({ tracing: createTracing({ tracerProvider: provider }) })
    await supervisor.submit(echoTask({ name: 'own' })).result
    expect(of('run own').map(({ instrumentationScope }) => instrumentationScope.name)).toEqual(['mine'])
  })

  test('without an SDK runs everything as without tracing', async () => {
    await using supervisor = createSupervisor({ tracing: createTracing() })
    await supervisor.start()
    for (const execution of ['async', 'thread'] as const)
      expect(await supervisor.submit(where, undefined, { execution }).result).toBe('none/none')
  })

  test('that throws hurts no run, and the log says so once', async () => {
    const broken = {
      getTracer: () => ({
        startSpan() {
          throw new Error('the exporter is full')
        },
      }),
    }
    const { supervisor, lines } = await startedSupervisor({
      tracing: createTracing({ tracerProvider: broken as never }),
    })
    for (const n of [1, 2]) expect(await supervisor.submit(echoTask<number>(), n).result).toBe(n)
    const told = lines.filter(({ err }) => (err as Error | undefined)?.message === 'the exporter is full')
    expect(told).toHaveLength(1)
  })

  test('is refused when it is none', async () => {
    const sentence = /tracing to be what createTracing\(\) of stateward\/tracing returns/
    expect(thrownBy(() => createSupervisor({ tracing: {} as never }))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
      message: expect.stringMatching(sentence),
    })
    expect(thrownBy(() => createTracing({ tracerProvider: {} as never })).message).toContain(
      'a TracerProvider',
    )
    expect(thrownBy(() => createTracing({ provider: 1 } as never))).toMatchObject({
      code: 'ERR_OPTION_UNKNOWN',
    })
  })
})
