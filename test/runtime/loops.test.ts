/** Loops in real threads: what runs on them, how it ends, and what they do to each other. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  createSupervisor,
  type Group,
  type Loop,
  type Run,
  type SupervisionOptions,
} from '../../src/index.ts'
import {
  asks,
  blocks,
  continues,
  crowd,
  deaf,
  echo,
  endless,
  escapes,
  exhausts,
  exits,
  facts,
  parent,
  pauses,
  recovers,
  tenantOf,
  throws,
  uncloneable,
  waits,
  where,
} from '../fixtures/loops/tasks.ts'
import {
  errorOf,
  memoryLogger,
  startedSupervisor,
  type TestSupervisor,
  taskOf,
  testSupervisor,
  thrownBy,
} from '../support/harness.ts'

/** Resolves when the handlers of `runs` have begun: they report progress then. */
async function begun({ recorder }: TestSupervisor, ...runs: readonly Run[]): Promise<void> {
  const ids = runs.map(({ id }) => id)
  for (const id of ids) {
    await recorder.until(({ type, payload }) => type === 'task.progress' && payload.runId === id)
  }
}

/** A supervisor by real time with a loop `io`. */
async function withLoop(options: Parameters<TestSupervisor['supervisor']['createLoop']>[1] = {}) {
  const started = await startedSupervisor({ pool: { size: 200 } })
  const loop = started.supervisor.createLoop('io', options)
  if (options.start !== false) await loop.start()
  return { ...started, loop }
}

describe('a loop', () => {
  test('is a thread with a name, and runs what names it', async () => {
    const { supervisor, loop } = await withLoop()
    expect(loop.thread?.threadName).toBe('test:loop:io')
    const place = await supervisor.submit(where, undefined, { loop: 'io' }).result
    expect(place).toEqual({ threadId: loop.threadId, threadName: 'test:loop:io', isMainThread: false })
    expect(await loop.run(where)).toEqual(place)
    expect(await loop.spawn(echo, { deep: [1] }).result).toEqual({ deep: [1] })
    expect((await supervisor.submit(where).result).isMainThread).toBe(true)
  })

  test('gives handlers the same ctx as any place does', async () => {
    const { supervisor, loop, lines } = await withLoop()
    const run = loop.spawn(facts)
    expect(await run.result).toEqual({ runId: run.id, name: facts.name, attempt: 1, supervisor: 'test' })
    expect(await loop.run(parent, 21)).toBe(42)
    expect(await loop.run(continues, 4)).toBe(8)
    expect(await loop.run(asks)).toMatchObject([{ name: 'io', state: 'running', live: 1, default: false }])
    const waiting = loop.spawn(waits)
    waiting.cancel('enough')
    await errorOf(waiting.result)
    await supervisor.idle()
    expect(lines.find(({ msg }) => msg === 'told to stop')).toMatchObject({
      code: 'ERR_TASK_CANCELLED',
      runId: waiting.id,
    })
  })

  test('keeps the context of each run apart, many at once', async () => {
    const { loop } = await withLoop()
    const tenants = Array.from({ length: 20 }, (_, number) => `tenant ${number}`)
    const runs = tenants.map((tenant) => loop.spawn(tenantOf, undefined, { context: { tenant } }))
    expect(await Promise.all(runs.map(({ result }) => result))).toEqual(tenants)
  })

  test('carries errors and refuses what cannot be cloned, and goes on', async () => {
    const { loop } = await withLoop()
    const thrown = await errorOf(loop.run(throws))
    expect(thrown).toMatchObject({ code: 'ERR_TASK_THREW', cause: { code: 'ERR_ORDER' } })
    expect(await errorOf(loop.run(uncloneable))).toMatchObject({ code: 'ERR_TASK_UNSERIALIZABLE' })
    const runs = [loop.spawn(echo, 1), loop.spawn(echo, () => 1), loop.spawn(echo, 2)]
    expect(await errorOf((runs[1] as Run).result)).toMatchObject({ code: 'ERR_TASK_UNSERIALIZABLE' })
    expect([await runs[0]?.result, await runs[2]?.result]).toEqual([1, 2])
    expect(loop.live).toBe(0)
  })

  test('runs many tasks at once', async () => {
    const { loop } = await withLoop()
    const runs = Array.from({ length: 100 }, () => loop.spawn(crowd, 100))
    expect(loop.live).toBe(100)
    expect(await Promise.all(runs.map(({ result }) => result))).toEqual(
      Array.from({ length: 100 }, () => 100),
    )
    expect(loop.live).toBe(0)
  })
})

describe('the stop ladder on a loop', () => {
  test('ends a handler that listens with the signal', async () => {
    const started = await withLoop()
    const run = started.loop.spawn(waits)
    await begun(started, run)
    run.cancel('enough')
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', step: 'signal' })
    expect(started.loop.state).toBe('running')
  })

  test('gives up one that does not listen while the loop turns, and hurts no neighbour', async () => {
    const started = await withLoop()
    const { loop, clock, supervisor } = started
    const { threadId } = loop
    const run = loop.spawn(deaf, 300, { graceMs: 100 })
    const neighbour = loop.spawn(waits)
    await begun(started, run, neighbour)
    run.cancel()
    await clock.advance(100)
    expect(await errorOf(run.result)).toMatchObject({ step: 'abandon' })
    expect(supervisor.info()).toMatchObject({ abandoned: 1, pool: { active: 1 } })
    expect([loop.live, loop.threadId]).toEqual([2, threadId])
    expect(neighbour.state).toBe('running')
    await expect.poll(() => supervisor.info().abandoned).toBe(0)
    neighbour.cancel()
    await errorOf(neighbour.result)
    expect(loop.live).toBe(0)
  })

  test('ends an endless loop within the grace and 250 ms, by real time', async () => {
    const supervisor = createSupervisor({ daemon: true, logger: memoryLogger([]) })
    await supervisor.start()
    const loop = supervisor.createLoop('io')
    const run = loop.spawn(endless, undefined, { graceMs: 100 })
    for await (const _ of run.progress()) break
    const from = performance.now()
    run.cancel()
    expect(await errorOf(run.result)).toMatchObject({ step: 'kill' })
    // 100 ms more for a machine that has other things to do.
    expect(performance.now() - from).toBeLessThan(100 + 250 + 100)
    await supervisor.stop()
  })

  test('ends the thread of one that is blocked: neighbours crash, and the loop comes up again', async () => {
    const started = await withLoop()
    const { loop, clock, supervisor, recorder } = started
    const neighbour = loop.spawn(waits)
    await begun(started, neighbour)
    const run = loop.spawn(endless, undefined, { graceMs: 100 })
    await begun(started, run)
    run.cancel()
    await clock.advance(100)
    await clock.advance(150)
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', step: 'kill' })
    expect(await errorOf(neighbour.result)).toMatchObject({
      code: 'ERR_TASK_CRASHED',
      cause: { code: 'ERR_LOOP_BLOCKED' },
    })
    expect(supervisor.info().loops[0]).toMatchObject({ state: 'starting', live: 0 })
    await recorder.until(({ type }) => type === 'loop.restarted')
    expect(await loop.run(echo, 'again')).toBe('again')
  })
})

describe('a crash', () => {
  test.each([
    ['exit', exits, 7, 'it exited with code 7'],
    ['escaped error', escapes, undefined, 'escaped'],
  ] as const)('by %s fails its runs and starts the loop again', async (_, task, input, text) => {
    const started = await withLoop()
    const { loop, clock, recorder } = started
    const neighbour = loop.spawn(waits)
    await begun(started, neighbour)
    const run = loop.spawn(task as typeof exits, input as number)
    const error = await errorOf(run.result)
    expect(error).toMatchObject({ code: 'ERR_TASK_CRASHED', cause: { code: 'ERR_LOOP_EXITED' } })
    expect(error.message).toContain(text)
    expect(await errorOf(neighbour.result)).toMatchObject({ code: 'ERR_TASK_CRASHED' })
    const next = loop.spawn(echo, 'waits for the thread')
    await clock.advance(1_000)
    expect(await next.result).toBe('waits for the thread')
    expect(recorder.events.some(({ type }) => type === 'loop.restarted')).toBe(true)
  })

  test('by exhaustion of its heap is bounded by resourceLimits', async () => {
    const { loop } = await withLoop({ resourceLimits: { maxOldGenerationSizeMb: 16 }, restart: 'temporary' })
    expect(await errorOf(loop.run(exhausts))).toMatchObject({ code: 'ERR_TASK_CRASHED' })
    expect(loop.state).toBe('failed')
    expect(thrownBy(() => loop.spawn(echo))).toMatchObject({ code: 'ERR_LOOP_UNKNOWN' })
  })

  test('is retried on the new thread when the run is retried', async () => {
    const { loop, clock } = await withLoop()
    const run = loop.spawn(recovers, undefined, { retry: { attempts: 2, backoff: { initialMs: 10 } } })
    await expect.poll(() => run.state).toBe('retrying')
    await clock.advance(1_000)
    expect(await run.result).toBe(2)
  })

  test('by kill() fails its runs, starts it again at once, and counts towards no intensity', async () => {
    const started = await withLoop()
    const { loop, supervisor, of } = started
    for (let round = 1; round <= 5; round += 1) {
      const run = loop.spawn(waits)
      await begun(started, run)
      loop.kill()
      loop.kill()
      expect(await errorOf(run.result)).toMatchObject({ cause: { code: 'ERR_LOOP_KILLED' } })
      expect(await loop.run(echo, round)).toBe(round)
    }
    expect(of('loop.failed')).toHaveLength(5)
    expect(supervisor.state).toBe('running')
  })

  /** Lets the loop crash so often; the next thread waits for its backoff. */
  async function crash({ clock }: TestSupervisor, loop: Loop, times: number): Promise<void> {
    for (let round = 0; round < times; round += 1) {
      const run = loop.spawn(exits, round + 1)
      await clock.advance(1_000)
      expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CRASHED' })
    }
  }

  test('that comes too often keeps this loop down, and hurts nobody else', async () => {
    const started = await withLoop()
    const { supervisor, loop, of } = started
    const other = supervisor.createLoop('other')
    await crash(started, loop, 4)
    expect([loop.state, loop.threadId, supervisor.state]).toEqual(['failed', undefined, 'running'])
    const error = { code: 'ERR_RESTART_INTENSITY', child: 'io', cause: { code: 'ERR_LOOP_EXITED' } }
    expect(of('loop.gaveUp')).toMatchObject([{ loop: 'io', error }])
    expect(thrownBy(() => loop.spawn(echo))).toMatchObject({
      code: 'ERR_LOOP_STOPPED',
      message: 'Loop "io" is failed: it takes no run. startLoop("io") starts it.',
    })
    expect(await other.run(echo, 'lives')).toBe('lives')

    await supervisor.startLoop('io')
    // What was before counts no longer.
    await crash(started, loop, 3)
    await started.clock.advance(1_000)
    expect(await loop.run(echo, 'again')).toBe('again')
  })

  test('of each of many loops is none too many', async () => {
    const started = await startedSupervisor()
    const loops = Array.from({ length: 5 }, (_, i) => started.supervisor.createLoop(`l${i}`))
    for (const loop of loops) await crash(started, loop, 1)
    await started.clock.advance(1_000)
    for (const loop of loops) expect(await loop.run(echo, loop.name)).toBe(loop.name)
  })

  describe('caused by each attempt of a task', () => {
    const AT_ONCE = { kind: 'fixed', initialMs: 0 } as const
    const poison = async (supervision: SupervisionOptions, initialMs: number) => {
      const started = await startedSupervisor({ supervision: { ...supervision, backoff: AT_ONCE } })
      const { supervisor, clock, recorder, of } = started
      const loop = supervisor.createLoop('io')
      await loop.start()
      const retry = { attempts: 6, backoff: { kind: 'fixed', initialMs } } as const
      const run = loop.spawn(exits, 1, { retry })
      const ended = errorOf(run.result)
      // Each thread crashes by real time, what follows waits for the clock.
      const crashes = async (count: number): Promise<void> => {
        for (let crash = 1; crash <= count; crash += 1) {
          await recorder.until(() => of('loop.failed').length >= crash)
          if (crash < count) await clock.advance(initialMs)
        }
      }
      return { ...started, loop, run, ended, crashes }
    }

    test('fails that task, and the loop, when the retries are quick', async () => {
      const { supervisor, loop, clock, ended, crashes, of } = await poison({}, 150)
      const later = loop.spawn(echo, 1, { delayMs: 4_000 })
      await crashes(4)
      await clock.advance(4_000)
      expect(await ended).toMatchObject({ code: 'ERR_TASK_CRASHED', attempts: 6 })
      expect(await errorOf(later.result)).toMatchObject({ cause: { code: 'ERR_RESTART_INTENSITY' } })
      expect([of('loop.failed').length, of('loop.gaveUp').length, loop.state]).toEqual([4, 1, 'failed'])
      expect(supervisor.state).toBe('running')
    })

    test.each([
      ['a retry backoff above periodMs / intensity', {}, 1_700],
      ['a higher intensity', { intensity: 6 }, 150],
      ['no limit', { intensity: Number.POSITIVE_INFINITY }, 150],
    ])('fails that run alone with %s', async (_, supervision, initialMs) => {
      const { supervisor, loop, clock, ended, crashes } = await poison(supervision, initialMs)
      await crashes(6)
      expect(await ended).toMatchObject({ code: 'ERR_TASK_CRASHED' })
      await clock.advance(10_000)
      expect(await loop.run(echo, 'lives')).toBe('lives')
      expect(supervisor.state).toBe('running')
    })
  })

  test.each([
    ['the supervisor says', { intensity: 0 }, {}, 1],
    ['the loop says', { intensity: 100 }, { intensity: 1, periodMs: 60_000 }, 2],
  ])('is allowed as often as %s', async (_, supervision, options, crashes) => {
    const started = await startedSupervisor({ supervision })
    const loop = started.supervisor.createLoop('io', options)
    await crash(started, loop, crashes)
    expect([loop.state, started.of('loop.failed').length]).toEqual(['failed', crashes])
    expect(started.of('loop.gaveUp')).toHaveLength(1)
  })

  test('of a loop that cannot start is told to whoever starts it, and hurts nobody else', async () => {
    const { supervisor, clock, of } = await startedSupervisor()
    // Too little for what a thread needs to come up.
    const resourceLimits = { maxOldGenerationSizeMb: 4, maxYoungGenerationSizeMb: 1 }
    const loop = supervisor.createLoop('io', { resourceLimits })
    const run = loop.spawn(echo)
    expect(await errorOf(loop.start())).toMatchObject({ code: 'ERR_CHILD_START_FAILED', child: 'io' })
    expect(await errorOf(run.result)).toMatchObject({
      code: 'ERR_TASK_CRASHED',
      cause: { code: 'ERR_CHILD_START_FAILED' },
    })
    await clock.advance(60_000)
    expect([of('loop.failed').length, of('loop.gaveUp').length]).toEqual([1, 1])
    expect([loop.state, supervisor.state]).toEqual(['failed', 'running'])
    expect(await errorOf(supervisor.startLoop('io'))).toMatchObject({ code: 'ERR_CHILD_START_FAILED' })
    await clock.advance(60_000)
    expect([of('loop.failed').length, supervisor.state]).toEqual([2, 'running'])
  })

  test('is forgotten with the next start of the supervisor', async () => {
    const started = await startedSupervisor({ supervision: { intensity: 0 } })
    const { supervisor } = started
    const loop = supervisor.createLoop('io')
    await crash(started, loop, 1)
    await started.stop()
    await supervisor.start()
    expect(await loop.run(echo, 1)).toBe(1)
  })

  test('of one that is temporary is its end: it is forgotten, and its name is free', async () => {
    const { loop, supervisor } = await withLoop({ restart: 'temporary', default: true })
    await errorOf(loop.run(exits, 1))
    expect([loop.state, supervisor.info().loops]).toEqual(['failed', []])
    for (const call of [() => loop.spawn(echo), () => supervisor.getLoop(), () => supervisor.getLoop('io')])
      expect(thrownBy(call)).toMatchObject({ code: 'ERR_LOOP_UNKNOWN' })
    expect(await errorOf(loop.start())).toMatchObject({ code: 'ERR_LOOP_UNKNOWN' })
    const next = supervisor.createLoop('io', { restart: 'temporary' })
    expect(await next.run(echo, 1)).toBe(1)
    next.kill()
    await expect.poll(() => supervisor.info().loops).toEqual([])
    const last = supervisor.createLoop('io', { restart: 'temporary' })
    await last.stop()
    expect([last.state, supervisor.info().loops]).toEqual(['stopped', []])
  })
})

describe('a blocked loop', () => {
  test('is reported, and hurts neither the supervisor nor other loops', async () => {
    const started = await withLoop({ onBlocked: 'kill', killAfterMs: 2_000 })
    const { supervisor, loop, clock, recorder, of } = started
    const other = supervisor.createLoop('other')
    await other.start()
    const run = loop.spawn(endless)
    await begun(started, run)
    await clock.advance(250)
    await clock.advance(500)
    expect(of('loop.blocked')).toMatchObject([{ loop: 'io', blockedMs: 500, runs: [run.id] }])
    expect(supervisor.info().loops).toMatchObject([
      { name: 'io', state: 'blocked', blocked: true, live: 1 },
      { name: 'other', state: 'running', blocked: false, live: 0 },
    ])
    expect(await other.run(echo, 1)).toBe(1)
    expect(await supervisor.submit(echo, 2).result).toBe(2)
    await clock.advance(1_500)
    expect(await errorOf(run.result)).toMatchObject({
      code: 'ERR_TASK_CRASHED',
      cause: { code: 'ERR_LOOP_BLOCKED' },
    })
    await clock.advance(1_000)
    await recorder.until(({ type }) => type === 'loop.restarted')
  })

  test('is told when it turns again', async () => {
    const started = await withLoop()
    const run = started.loop.spawn(blocks, 60_000)
    await begun(started, run)
    await started.clock.advance(250)
    await started.clock.advance(500)
    expect(started.loop.state).toBe('blocked')
    // A handler that asks ctx.aborted in its synchronous loop hears of it although its loop is blocked.
    run.cancel()
    expect(await errorOf(run.result)).toMatchObject({ step: 'signal' })
    await started.recorder.until(({ type }) => type === 'loop.unblocked')
    expect(started.loop.state).toBe('running')
  })

  test('is not looked for while no attempt is in it', async () => {
    const { clock, loop } = await withLoop()
    expect(clock.pending).toBe(0)
    expect(await loop.run(echo, 1)).toBe(1)
    expect(clock.pending).toBe(0)
  })
})

describe('as a child', () => {
  test('a loop is listed first, counted, and found', async () => {
    const { supervisor } = testSupervisor()
    supervisor.group('g')
    const loop = supervisor.createLoop('io')
    const child = supervisor.child('io')
    expect(child).toBe(supervisor.child('io'))
    expect([child?.kind, child?.path, child?.state]).toEqual(['loop', 'io', 'waiting'])
    await supervisor.start()
    const rows = supervisor.which().map(({ path, kind, state }) => [path, kind, state])
    expect(rows).toEqual([
      ['io', 'loop', 'running'],
      ['g', 'group', 'running'],
    ])
    expect(supervisor.count()).toEqual({ specs: 2, active: 2, kinds: { loop: 1, group: 1 } })
    expect(child?.actor).toBe(loop.actor)
    expect(supervisor.child('g')).toMatchObject({ kind: 'group' })
    expect(supervisor.child('io/none')).toBe(undefined)
  })

  test('it is stopped with its runs, started, restarted and removed', async () => {
    const started = await withLoop({ shutdownMs: 1_000 })
    const { supervisor, loop, clock } = started
    const child = supervisor.child('io')!
    const run = loop.spawn(waits)
    await begun(started, run)
    const stopped = child.stop()
    expect([loop.state, supervisor.info().loops[0]?.state]).toEqual(['stopping', 'stopping'])
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_TERMINATED', step: 'signal' })
    expect(await stopped).toEqual({ kind: 'stopped' })
    expect([loop.state, child.state]).toEqual(['stopped', 'stopped'])
    expect(thrownBy(() => loop.spawn(echo))).toMatchObject({ code: 'ERR_LOOP_STOPPED' })
    await child.start()
    const { threadId } = loop
    expect(await loop.run(echo, 1)).toBe(1)
    await child.restart()
    expect(loop.threadId).not.toBe(threadId)
    expect(await loop.run(echo, 2)).toBe(2)
    await child.remove()
    expect([supervisor.child('io'), supervisor.info().loops, clock.pending]).toEqual([undefined, [], 0])
  })

  test('its name is the id of no other child', async () => {
    const { supervisor } = await startedSupervisor()
    supervisor.createLoop('io')
    supervisor.group('g')
    const taken = { code: 'ERR_CHILD_ID_TAKEN', message: expect.stringContaining('"io"') }
    expect(thrownBy(() => supervisor.group('io'))).toMatchObject(taken)
    const worker = { name: 'io', intervalMs: 1_000, handler: () => {} }
    expect(thrownBy(() => supervisor.workers.interval(worker))).toMatchObject(taken)
    expect(thrownBy(() => supervisor.createLoop('g'))).toMatchObject({ code: 'ERR_CHILD_ID_TAKEN' })
    expect(thrownBy(() => supervisor.createLoop('a/b'))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
    expect(supervisor.info().loops.map(({ name }) => name)).toEqual(['io'])
    await supervisor.removeLoop('io')
    expect(supervisor.group('io').path).toBe('io')
    // In a group of its own it is another path.
    expect(supervisor.createLoop('fast').name).toBe('fast')
    expect((supervisor.child('g') as Group).group('fast').path).toBe('g/fast')
  })
})

describe('names', () => {
  test('are taken once, and must be known', async () => {
    const { supervisor } = testSupervisor()
    supervisor.createLoop('io')
    for (const name of ['io', 'default', 'supervisor']) {
      expect(thrownBy(() => supervisor.createLoop(name))).toMatchObject({ code: 'ERR_LOOP_NAME_TAKEN' })
    }
    for (const call of [
      () => supervisor.getLoop('no'),
      () => supervisor.getLoop(),
      () => supervisor.setDefaultLoop('no'),
      () => supervisor.submit(echo, 1, { loop: 'no' }),
      () => supervisor.submit(echo, 1, { loop: 'default' }),
    ]) {
      expect(thrownBy(call)).toMatchObject({ code: 'ERR_LOOP_UNKNOWN' })
    }
    expect(await errorOf(supervisor.startLoop('no'))).toMatchObject({ code: 'ERR_LOOP_UNKNOWN' })
    expect(await errorOf(supervisor.stopLoop('no'))).toMatchObject({ code: 'ERR_LOOP_UNKNOWN' })
    expect(supervisor.list()).toEqual([])
  })

  test('need a module, and no other execution', () => {
    const { supervisor } = testSupervisor()
    supervisor.createLoop('io')
    const here = taskOf(() => 1)
    expect(thrownBy(() => supervisor.submit(here, undefined, { loop: 'io' }))).toMatchObject({
      code: 'ERR_TASK_MODULE_MISSING',
    })
    expect(thrownBy(() => supervisor.submit(echo, 1, { loop: 'io', execution: 'thread' }))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
    expect(thrownBy(() => taskOf(() => 1, { loop: 'io', execution: 'main' }))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
  })

  test('default names the default loop, which is only used where it is named', async () => {
    const { supervisor } = await startedSupervisor({ defaults: { loop: 'default' } })
    supervisor.createLoop('one', { default: true })
    const two = supervisor.createLoop('two')
    expect(supervisor.getLoop().name).toBe('one')
    expect((await supervisor.submit(where).result).threadName).toBe('test:loop:one')
    supervisor.setDefaultLoop('two')
    expect(supervisor.getLoop()).toBe(two)
    expect((await supervisor.submit(where).result).threadName).toBe('test:loop:two')
    expect((await supervisor.submit(where, undefined, { loop: 'supervisor' }).result).isMainThread).toBe(true)
    expect((await supervisor.submit(where, undefined, { execution: 'main' }).result).isMainThread).toBe(true)
  })
})

describe('start and stop', () => {
  test('a loop that was made before the supervisor started starts with it', async () => {
    const { supervisor } = testSupervisor()
    const loop = supervisor.createLoop('io')
    const run = loop.spawn(where)
    expect([loop.state, loop.threadId, run.state]).toEqual(['waiting', undefined, 'queued'])
    await supervisor.start()
    expect(loop.state).toBe('running')
    expect((await run.result).threadId).toBe(loop.threadId)
  })

  test('one that is not to start takes nothing until it is started', async () => {
    const { supervisor } = await startedSupervisor()
    const loop = supervisor.createLoop('io', { start: false })
    expect(loop.state).toBe('stopped')
    expect(thrownBy(() => loop.spawn(echo))).toMatchObject({ code: 'ERR_LOOP_STOPPED' })
    expect(await errorOf(loop.run(echo))).toMatchObject({ code: 'ERR_LOOP_STOPPED' })
    await supervisor.startLoop('io')
    expect(await loop.run(echo, 1)).toBe(1)
  })

  test('stopLoop lets runs end, and takes no more', async () => {
    const started = await withLoop()
    const { supervisor, loop } = started
    const run = loop.spawn(pauses, 50)
    const stopped = supervisor.stopLoop('io', { wait: true })
    expect(loop.state).toBe('stopping')
    expect(thrownBy(() => loop.spawn(echo, 2))).toMatchObject({ code: 'ERR_LOOP_STOPPED' })
    expect(await run.result).toBe(50)
    await stopped
    expect([loop.state, loop.threadId]).toEqual(['stopped', undefined])
    await loop.start()
    expect(await loop.run(echo, 1)).toBe(1)
  })

  test('stopLoop with cancelTasks ends them now, with a cause', async () => {
    const started = await withLoop()
    const { supervisor, loop } = started
    const later = loop.spawn(waits, undefined, { delayMs: 1_000 })
    const run = loop.spawn(waits)
    await begun(started, run)
    await supervisor.stopLoop('io', { cancelTasks: true })
    expect(await errorOf(run.result)).toMatchObject({
      code: 'ERR_TASK_TERMINATED',
      step: 'signal',
      cause: { code: 'ERR_LOOP_STOPPED' },
    })
    expect(later.state).toBe('terminated')
    expect(supervisor.state).toBe('running')
  })

  test('stopLoop ends an endless loop by its bound', async () => {
    const started = await withLoop()
    const { supervisor, loop, clock } = started
    const run = loop.spawn(endless)
    await begun(started, run)
    const stopped = supervisor.stopLoop('io', { wait: 1_000, graceMs: 500 })
    await clock.advance(500)
    await clock.advance(500)
    await clock.advance(150)
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_TERMINATED', step: 'kill' })
    await stopped
    expect(loop.state).toBe('stopped')
  })

  test('a loop holds no process open: that is the supervisor’s business', async () => {
    const program = new URL('../fixtures/loops/daemon.ts', import.meta.url).pathname
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 15_000 })
    expect(stdout).toBe('running 1\n')
  })

  test('a second stop with a sooner bound escalates the first', async () => {
    const started = await withLoop()
    const run = started.loop.spawn(waits)
    await begun(started, run)
    const stops = [started.loop.stop({ wait: true }), started.loop.stop({ cancelTasks: true })]
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_TERMINATED' })
    await Promise.all(stops)
    expect(started.loop.state).toBe('stopped')
  })

  test('removeLoop gives the name back', async () => {
    const { supervisor, loop } = await withLoop({ default: true })
    await supervisor.removeLoop('io')
    expect(supervisor.info().loops).toEqual([])
    for (const name of ['io', undefined]) {
      expect(thrownBy(() => supervisor.getLoop(name))).toMatchObject({ code: 'ERR_LOOP_UNKNOWN' })
    }
    expect(thrownBy(() => loop.spawn(echo))).toMatchObject({ code: 'ERR_LOOP_UNKNOWN' })
    const next = supervisor.createLoop('io')
    expect(await next.run(echo, 1)).toBe(1)
  })

  test('one that waits for its next thread can be stopped', async () => {
    const { supervisor, loop } = await withLoop()
    await errorOf(loop.run(exits, 1))
    const waiting = loop.spawn(echo, 1)
    expect([loop.state, waiting.state]).toEqual(['failed', 'running'])
    await supervisor.stopLoop('io', { cancelTasks: true })
    expect([loop.state, waiting.state]).toEqual(['stopped', 'terminated'])
  })

  test('its actor is a child of the supervisor’s actor tree and shows its statechart', async () => {
    const { supervisor, loop, lines } = await withLoop()
    supervisor.debug(true)
    const { actor } = loop
    expect(actor.getSnapshot().value).toEqual({ running: 'idle' })
    expect(loop.actor).toBe(actor)
    await supervisor.stopLoop('io')
    expect(actor.getSnapshot().value).toBe('stopped')
    expect(lines.filter(({ msg, machine }) => msg === 'step' && machine === 'loop').at(-1)).toMatchObject({
      id: 'io',
      from: 'stopping',
      to: 'stopped',
    })
  })

  test('a start by hand is no restart, whatever was before', async () => {
    const { loop, clock, recorder } = await withLoop()
    await errorOf(loop.run(exits, 1))
    await clock.advance(1_000)
    await recorder.until(({ type }) => type === 'loop.restarted')
    await loop.stop()
    await loop.start()
    loop.kill()
    expect(await loop.run(echo, 1)).toBe(1)
    const told = recorder.events.filter(({ type }) => /^loop\.(re)?started$/.test(type))
    expect(told.map(({ type, payload }) => [type, 'restarts' in payload ? payload.restarts : 0])).toEqual([
      ['loop.started', 0],
      ['loop.restarted', 1],
      ['loop.started', 0],
      ['loop.restarted', 2],
    ])
  })

  test('a storm of starts and stops from ten sides leaves nothing', async () => {
    const supervisor = createSupervisor({ daemon: true, logger: memoryLogger([]) })
    await supervisor.start()
    const loop = supervisor.createLoop('io')
    let chance = 7
    const random = (): number => {
      chance = (chance * 48_271) % 2_147_483_647
      return chance
    }
    const side = async (): Promise<void> => {
      for (let round = 0; round < 50; round += 1) {
        const act = random() % 5
        try {
          if (act === 0) await loop.start()
          else if (act === 1) await loop.stop({ wait: false })
          else if (act === 2) loop.kill()
          else await loop.run(echo, round)
        } catch (error) {
          // Whatever was overtaken says so by a code.
          expect((error as { code?: string }).code).toMatch(
            /^ERR_(LOOP_STOPPED|TASK_CRASHED|TASK_TERMINATED|CHILD_START_FAILED)$/,
          )
        }
      }
    }
    await Promise.all(Array.from({ length: 10 }, side))
    await loop.start()
    expect(await loop.run(echo, 'still')).toBe('still')
    expect(supervisor.list({ state: 'running' })).toEqual([])
    await supervisor.stop({ wait: 1_000 })
    expect([loop.threadId, loop.live, supervisor.info().pool.active]).toEqual([undefined, 0, 0])
  })

  test('the supervisor stops its loops, and starts them again with itself', async () => {
    const { supervisor, loop, stop, of } = await withLoop()
    await loop.run(echo)
    await stop({ wait: 1_000 })
    // On a clock that is moved by hand the bound of the stop may be over before a thread has left.
    await expect.poll(() => loop.state).toBe('waiting')
    expect([loop.threadId, of('loop.stopped').length]).toEqual([undefined, 1])
    await supervisor.start()
    expect(await loop.run(echo, 1)).toBe(1)
  })
})
