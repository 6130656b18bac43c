import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { KeptRun } from '../../src/actors/kept-run.ts'
import { defineTask, EVENT_NAMES, type RecordedEvent } from '../../src/index.ts'
import type { LiveSupervisor } from '../../src/runtime/live-supervisor.ts'
import { recordChannels } from '../support/channels.ts'
import {
  echoTask,
  heldTask,
  startedSupervisor,
  taskOf,
  testSupervisor,
  thrownBy,
  turns,
} from '../support/harness.ts'
import { puppet } from '../support/puppet.ts'

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
/** First cells of the table rows that begin with code. */
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell]) => cell as string)

describe('events', () => {
  test('of a run carry its facts in order, instants in epoch ms', async () => {
    const { supervisor, clock, recorder } = await startedSupervisor()
    const { task, calls } = heldTask({ priority: 'high' })
    const run = supervisor.submit(task, undefined, { delayMs: 10 })
    await clock.advance(10)
    calls[0]!.ctx.progress(5, 'five')
    await clock.advance(20)
    calls[0]!.resolve('v')
    await run.result
    const base = (at: number, state: string, attempt: number) => ({
      supervisor: 'test',
      at: clock.now() - 30 + at,
      runId: run.id,
      name: task.name,
      state,
      priority: 'high',
      execution: 'async',
      attempt,
    })
    const used = { name: task.name, module: undefined, priority: 'high', execution: 'async' }
    expect(recorder.events.slice(1)).toEqual([
      { type: 'definition.used', payload: { supervisor: 'test', at: clock.now() - 30, ...used } },
      { type: 'task.created', payload: base(0, 'created', 0) },
      { type: 'task.scheduled', payload: { ...base(0, 'scheduled', 0), delayMs: 10 } },
      { type: 'task.queued', payload: base(10, 'queued', 0) },
      { type: 'task.admitted', payload: { ...base(10, 'running', 1), queueMs: 0 } },
      { type: 'task.started', payload: base(10, 'running', 1) },
      { type: 'task.progress', payload: { ...base(10, 'running', 1), percent: 5, note: 'five' } },
      { type: 'task.finished', payload: { ...base(30, 'finished', 1), queueMs: 0, runMs: 20, value: 'v' } },
    ])
  })

  test('of the supervisor carry its id, and listeners see the state they tell of', async () => {
    const seen: [string, string][] = []
    const { supervisor, stop } = testSupervisor()
    supervisor.on('*', (type, payload) => {
      expect(payload.supervisor).toBe('test')
      seen.push([type.replace('supervisor.', ''), supervisor.state])
    })
    await supervisor.start()
    supervisor.pause()
    supervisor.resume()
    await stop({ wait: true })
    expect(seen).toEqual([
      ['started', 'running'],
      ['paused', 'paused'],
      ['resumed', 'running'],
      ['stopping', 'draining'],
      ['stopped', 'stopped'],
    ])
  })

  test('reach single listeners, wildcards and hooks, until they are taken away', async () => {
    const hooked: string[] = []
    const { supervisor } = await startedSupervisor({
      hooks: { 'supervisor.started': () => hooked.push('started') },
    })
    const heard: string[] = []
    const offOne = supervisor.on('task.finished', () => heard.push('one'))
    const offAll = supervisor.on('*', (...[type]) => void heard.push(type))
    await supervisor.submit(echoTask()).result
    offOne()
    offOne()
    offAll()
    await supervisor.submit(echoTask()).result
    expect(hooked).toEqual(['started'])
    expect(heard).toEqual([
      'definition.used',
      'task.created',
      'task.queued',
      'task.admitted',
      'task.started',
      'one',
      'task.finished',
    ])
  })

  test("tell once of every definition that is used, before its first run: submitted, awaited or a worker's", async () => {
    const seen: string[] = []
    const { supervisor, clock } = await startedSupervisor({
      hooks: {
        'definition.used': ({ name }) => seen.push(`used ${name}`),
        'task.created': ({ name }) => seen.push(`created ${name}`),
      },
    })
    const child = defineTask({ name: 'child' }, () => 1)
    const parent = defineTask<void, number>(
      { name: 'parent' },
      (_, ctx) => ctx.submit(child, undefined).result,
    )
    const ticked = defineTask({ name: 'ticked' }, () => {})
    expect(seen).toEqual([])
    await supervisor.submit(parent).result
    await supervisor.submit(parent).result
    supervisor.workers.interval({ name: 'w', task: ticked, intervalMs: 10 })
    supervisor.workers.interval({ name: 'own', handler: () => {}, intervalMs: 1_000 })
    await clock.advance(15)
    expect(seen).toEqual([
      ...['used parent', 'created parent', 'used child', 'created child'],
      ...['created parent', 'created child'],
      ...['used ticked', 'created ticked', 'created own', 'created ticked'],
    ])
    const refused = thrownBy(() => supervisor.submit(child, undefined, { delayMs: -1 }))
    expect([refused.code, seen.length]).toEqual(['ERR_OPTION_INVALID', 10])
  })

  test('a listener that throws or rejects hurts nobody and is logged', async () => {
    const { supervisor, lines } = await startedSupervisor()
    const heard: string[] = []
    supervisor.on('task.started', () => {
      throw new Error('listener')
    })
    supervisor.on('task.finished', (async () => {
      throw new Error('async listener')
    }) as never)
    supervisor.on('*', (...[type]) => {
      heard.push(type)
      throw new Error('wildcard')
    })
    await expect(supervisor.submit(echoTask<number>(), 1).result).resolves.toBe(1)
    await turns(2)
    expect(heard.at(-1)).toBe('task.finished')
    const errors = lines
      .filter(({ msg }) => /listener threw/.test(msg))
      .map(({ err }) => (err as Error).message)
    expect(errors).toContain('listener')
    expect(errors).toContain('async listener')
  })

  test('as an async iterator: bounded, counts what it lost, and leaves when the loop is left', async () => {
    const { supervisor } = await startedSupervisor()
    const stream = supervisor.events({ buffer: 2 })
    for (let i = 0; i < 3; i += 1) {
      supervisor.pause()
      supervisor.resume()
    }
    expect(stream.dropped).toBe(4)
    const types: string[] = []
    for await (const { type } of stream) {
      types.push(type)
      if (types.length === 2) break
    }
    expect(types).toEqual(['supervisor.paused', 'supervisor.resumed'])
    supervisor.pause()
    expect(await stream.next()).toEqual({ value: undefined, done: true })
  })

  test('as an async iterator end after supervisor.stopped: no reader waits for ever', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const types: string[] = []
    let done = false
    const reading = (async () => {
      for await (const { type } of supervisor.events()) types.push(type)
      done = true
    })()
    await turns()
    await stop()
    await turns(2)
    expect([types, done]).toEqual([['supervisor.stopping', 'supervisor.stopped'], true])
    await reading
  })

  test.each([[0], [-1], [1.5], ['10']])('events({ buffer: %j }) is refused', (buffer) => {
    const { supervisor } = testSupervisor()
    expect(thrownBy(() => supervisor.events({ buffer: buffer as number })).code).toBe('ERR_OPTION_INVALID')
  })

  test('are published on diagnostics channels, one per name, also without listeners', async () => {
    const { supervisor } = await startedSupervisor()
    const heard: unknown[] = []
    const listener = (message: unknown): void => void heard.push(message)
    subscribe('stateward:task.finished', listener)
    const run = supervisor.submit(echoTask<number>(), 3)
    await run.result
    unsubscribe('stateward:task.finished', listener)
    await supervisor.submit(echoTask()).result
    expect(heard).toMatchObject([{ runId: run.id, value: 3, supervisor: 'test' }])
  })

  test('stand all in docs/events.md, and nothing else does', () => {
    expect(firstCells(read('docs/events.md'))).toEqual([...EVENT_NAMES])
  })

  test('have in docs/events.md exactly the fields that are emitted', async () => {
    const channels = recordChannels()
    const { supervisor, clock, recorder, stop } = await startedSupervisor({
      pool: { size: 3, reserveNormal: 0, reserveHigh: 0 },
      starvedAfterMs: 12_000,
    })
    const retry = { attempts: 2, backoff: { initialMs: 1 } }
    supervisor.submit(taskOf(() => Promise.reject(new Error('x')), { retry }))
    let slept = false
    supervisor.submit(
      taskOf<void, unknown>((_, ctx) => {
        if (slept) return ctx.skip('no')
        slept = true
        ctx.progress(1)
        return ctx.snooze(1)
      }),
    )
    await clock.advance(200)
    const fail = (): never => {
      throw new Error('x')
    }
    const worker = supervisor.workers.interval({ name: 'w', handler: () => {}, intervalMs: 10 })
    worker.trigger({ skip: true })
    await clock.advance(10)
    worker.pause()
    worker.resume()
    await worker.restart()
    await worker.stop()
    supervisor.workers.event({ name: 'e', handler: fail, onFailure: 'fail', restart: 'temporary' }).trigger()
    await clock.advance(0)
    const { task } = heldTask({ deaf: true, graceMs: 0 })
    const [first] = [0, 1, 2, 3].map(() => supervisor.submit(task))
    supervisor.submit(task, undefined, { delayMs: 1 })
    await clock.advance(13_000)
    first!.cancel()
    await clock.advance(1)
    await supervisor.submit(echoTask(), undefined, { priority: 'critical' }).result
    ;(supervisor as LiveSupervisor).submitKept(
      taskOf<void, unknown>((_, ctx) => ctx.snooze(1), { priority: 'critical' }).call(),
      {
        id: 'kept',
        attempt: 0,
        priority: 'critical',
        ageMs: 0,
        waitedMs: 0,
        expiresInMs: Number.POSITIVE_INFINITY,
        run: new KeptRun(),
      },
    )
    await turns()
    supervisor.shutdownWhen(() => Promise.reject(new Error('x')) as never)
    supervisor.resize({})
    supervisor.pause()
    supervisor.resume()
    const child = supervisor.group('g', { intensity: 1 }).spawn(puppet().machine, { id: 'c' })
    child.actor!.send({ type: 'crash' })
    await clock.advance(200)
    child.actor!.send({ type: 'crash' })
    supervisor.spawn(puppet().machine, { id: 'd', restart: 'temporary' }).actor!.send({ type: 'end' })
    await stop()
    expect(channels).toEqual(recorder.events)
    const documented = new Map(
      [...read('docs/events.md').matchAll(/^\| `([^`]+)` \| ([^|]*) \|/gm)].map(([, name, fields]) => [
        name as string,
        [...(fields as string).matchAll(/`(\w+)`/g)].map(([, field]) => field as string),
      ]),
    )
    const TASK = ['runId', 'name', 'state', 'priority', 'execution', 'attempt']
    const CHILD = ['child', 'kind']
    const WORKER = ['worker', 'kind']
    const seen = new Set<string>()
    for (const { type, payload } of recorder.events as RecordedEvent[]) {
      seen.add(type)
      const fields = Object.keys(payload).filter((key) => key !== 'supervisor' && key !== 'at')
      const bases = { task: [...TASK, 'worker'], child: CHILD, worker: WORKER } as Record<string, string[]>
      const base = bases[type.split('.')[0] as string] ?? []
      const own = fields.filter((key) => !base.includes(key))
      expect([type, own.sort()]).toEqual([type, [...(documented.get(type) ?? [])].sort()])
    }
    // Loops are real threads: test/runtime/loop-events.test.ts. Daemons have a database: test/durable/daemon-events.test.ts.
    const elsewhere = (name: string): boolean => /^(loop|daemon|schedule)\./.test(name)
    const unseen = EVENT_NAMES.filter((name) => !seen.has(name) && !elsewhere(name))
    expect(unseen).toEqual(['supervisor.failed'])
  })
})

describe('errors', () => {
  test('stand all in docs/errors.md, with their class, and nothing else does', () => {
    const source = read('src/runtime/errors.ts') + read('src/runtime/outcome-error.ts')
    const codes = new Set([...source.matchAll(/ERR_[A-Z_]+/g)].map(([code]) => code))
    expect(new Set(firstCells(read('docs/errors.md')))).toEqual(codes)
  })
})

describe('log lines', () => {
  test('have stable fields: supervisor, task, runId, attempt, err; never a value or an input', async () => {
    const { supervisor, lines } = await startedSupervisor()
    const run = supervisor.submit(
      taskOf<string, string>((secret, ctx) => {
        ctx.log.info({ own: 1 }, 'from the handler')
        return secret
      }),
      'secret input',
    )
    await run.result
    const failed = supervisor.submit(taskOf(() => Promise.reject(new Error('x'))))
    await turns(2)
    const of = (msg: string, id: string) => lines.find((line) => line.msg === msg && line.runId === id)
    expect(of('from the handler', run.id)).toMatchObject({
      level: 30,
      supervisor: 'test',
      task: run.name,
      attempt: 1,
      own: 1,
    })
    expect(of('task.finished', run.id)).toMatchObject({
      level: 20,
      supervisor: 'test',
      task: run.name,
      attempt: 1,
      state: 'finished',
    })
    expect(of('task.failed', failed.id)).toMatchObject({
      level: 50,
      task: failed.name,
      err: { code: 'ERR_TASK_THREW' },
    })
    expect(lines.find(({ msg }) => msg === 'supervisor.started')).toMatchObject({
      level: 30,
      supervisor: 'test',
    })
    expect(JSON.stringify(lines)).not.toContain('secret input')
  })

  test('that cannot be written hurt no run', async () => {
    const broken = { level: 'debug', isLevelEnabled: () => true, child: () => broken } as Record<
      string,
      unknown
    >
    for (const level of ['debug', 'info', 'warn', 'error']) {
      broken[level] = () => {
        throw new Error('the log is full')
      }
    }
    const { supervisor } = await startedSupervisor({ logger: broken as never })
    await expect(supervisor.submit(echoTask<number>(), 1).result).resolves.toBe(1)
  })
})
