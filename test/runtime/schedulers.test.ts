/** Schedulers of one's own: started, restarted, stopped and given up like every child. */
import { describe, expect, test } from 'vitest'
import { fromCallback } from 'xstate'
import type { Supervisor } from '../../src/index.ts'
import {
  deferred,
  echoTask,
  errorOf,
  startedSupervisor,
  testSupervisor,
  thrownBy,
  turns,
} from '../support/harness.ts'

/** Waits until the signal is aborted. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** A scheduler that notes what happens to it. */
function noted() {
  const notes: string[] = []
  return {
    notes,
    async loop(signal: AbortSignal) {
      notes.push('loop')
      await aborted(signal)
      notes.push('aborted')
    },
    stop() {
      notes.push('stop')
    },
  }
}

describe('registerSync() before the start', () => {
  test.each([
    ['stop()', {}],
    ['stop() with all its time', { wait: true }],
    ['stop() now', { wait: false }],
  ] as const)('%s of a supervisor that never started tells it, and waits for it', async (_, options) => {
    const { supervisor } = testSupervisor()
    const told = deferred<void>()
    const story: string[] = []
    const child = supervisor.registerSync(
      {
        async stop() {
          story.push('told')
          await told.promise
          story.push('gone')
        },
      },
      { name: 'mine' },
    )
    expect([child.state, supervisor.count()]).toMatchObject(['waiting', { active: 0, specs: 1 }])
    const stopped = supervisor.stop(options).then((report) => {
      story.push('stopped')
      return report
    })
    await turns()
    told.resolve()
    expect((await stopped).children).toMatchObject([{ id: 'mine', kind: 'scheduler' }])
    expect([child.state, supervisor.state]).toEqual(['stopped', 'stopped'])
    const bounded = 'wait' in options && options.wait === false
    if (bounded) expect(story[0]).toBe('told')
    else expect(story).toEqual(['told', 'gone', 'stopped'])
  })

  test('unregister() and remove() tell it, too; a scheduler with a loop has nothing to be told', async () => {
    const { supervisor } = testSupervisor()
    const story: string[] = []
    const sync = (name: string) => ({ stop: () => void story.push(name) })
    const first = sync('first')
    supervisor.registerSync(first)
    const second = supervisor.registerSync(sync('second'))
    const loop = supervisor.register({ loop: () => {}, stop: () => void story.push('loop') })
    await supervisor.unregister(first)
    await second.remove()
    await loop.remove()
    expect(story).toEqual(['first', 'second'])
    await supervisor.stop()
    expect(story).toEqual(['first', 'second'])
  })

  test('one that never hears the end of it is given up at its bound', async () => {
    const { supervisor, clock } = testSupervisor()
    const never = { stop: () => new Promise<void>(() => {}) }
    supervisor.registerSync(never, { name: 'mine', shutdownMs: 100 })
    const gone = supervisor.unregister(never)
    await clock.advance(100)
    await gone
    expect(supervisor.info().schedulers).toEqual({ registered: 0, abandoned: 1 })
  })

  test('a stop while the supervisor starts, and a start that fails before its turn, tell it', async () => {
    const loaded = deferred<never[]>()
    const { supervisor, stop } = testSupervisor({
      taskLog: { store: { load: () => loaded.promise, append() {} } },
    })
    const story: string[] = []
    supervisor.registerSync({ stop: () => void story.push('told') })
    const started = errorOf(supervisor.start())
    await turns()
    await stop({})
    expect([story, (await started).code]).toEqual([['told'], 'ERR_SUPERVISOR_STOPPED'])
    loaded.resolve([])

    const other = testSupervisor()
    other.supervisor.spawn(
      fromCallback(() => {
        throw new Error('no')
      }),
      { id: 'bad' },
    )
    other.supervisor.registerSync({ stop: () => void story.push('told, too') })
    await errorOf(other.supervisor.start())
    expect(story).toEqual(['told', 'told, too'])
  })

  test('and started: told once, at the end', async () => {
    const { supervisor } = testSupervisor()
    const story: string[] = []
    const child = supervisor.registerSync({ stop: () => void story.push('told') })
    await supervisor.start()
    expect([child.state, story]).toEqual(['running', []])
    await supervisor.stop()
    await supervisor.stop()
    expect(story).toEqual(['told'])
  })
})

describe('register()', () => {
  test('its loop runs while the supervisor does; the signal comes first, then stop()', async () => {
    const { supervisor } = await startedSupervisor()
    const scheduler = noted()
    const child = supervisor.register(scheduler, { name: 'mine' })
    expect([child.id, child.kind, child.state, child.restartType]).toEqual([
      'mine',
      'scheduler',
      'running',
      'transient',
    ])
    expect(supervisor.info().schedulers).toEqual({ registered: 1, abandoned: 0 })
    const report = await supervisor.stop()
    expect(scheduler.notes).toEqual(['loop', 'stop', 'aborted'])
    expect(report.children).toEqual([{ id: 'mine', kind: 'scheduler', step: 'none', ms: expect.any(Number) }])
  })

  test('before the start: kept, and started with the supervisor, every time', async () => {
    const { supervisor } = testSupervisor()
    const scheduler = noted()
    const child = supervisor.register(scheduler)
    await turns()
    expect([child.id, child.state, scheduler.notes]).toEqual(['scheduler-1', 'waiting', []])
    await supervisor.start()
    expect(scheduler.notes).toEqual(['loop'])
    await supervisor.stop()
    await supervisor.start()
    expect(scheduler.notes.filter((note) => note === 'loop')).toHaveLength(2)
  })

  test('it submits tasks as it sees fit', async () => {
    const { supervisor } = await startedSupervisor()
    const values: number[] = []
    const task = echoTask<number>()
    const child = supervisor.register({
      async loop(signal) {
        for (let i = 0; i < 3 && !signal.aborted; i += 1) values.push(await supervisor.submit(task, i).result)
      },
    })
    expect(await child.ended).toEqual({ kind: 'done', output: undefined })
    expect(values).toEqual([0, 1, 2])
  })

  test('further loops of one are registered each, end in reverse order, and do not hinder each other', async () => {
    const { supervisor } = await startedSupervisor()
    const ends: string[] = []
    const [reads, writes] = ['reads', 'writes'].map((name) => ({
      async loop(signal: AbortSignal) {
        await aborted(signal)
        ends.push(name)
      },
    }))
    supervisor.register(reads as never, { name: 'reads' })
    supervisor.register(writes as never, { name: 'writes' })
    await supervisor.stop()
    expect(ends).toEqual(['writes', 'reads'])
  })

  test('transient: one that throws is restarted, one that returns is not', async () => {
    const { supervisor, clock, of } = await startedSupervisor()
    let lives = 0
    const child = supervisor.register({
      async loop() {
        lives += 1
        if (lives < 3) throw new Error(`life ${lives}`)
      },
    })
    await turns()
    await clock.advance(5_000)
    expect([lives, child.state, child.restarts]).toEqual([3, 'done', 2])
    expect(of('child.failed').map(({ error }) => String(error))).toEqual(['Error: life 1', 'Error: life 2'])
  })

  test.each([
    ['permanent', 'running', 2],
    ['temporary', 'removed', 1],
  ] as const)('%s: after its end it is %s', async (restart, state, lives) => {
    const { supervisor, clock } = await startedSupervisor()
    let loops = 0
    const child = supervisor.register(
      {
        async loop(signal) {
          loops += 1
          if (loops > 1) await aborted(signal)
        },
      },
      { restart },
    )
    await turns()
    await clock.advance(1_000)
    expect([child.state, loops]).toEqual([state, lives])
    expect(supervisor.info().schedulers.registered).toBe(restart === 'permanent' ? 1 : 0)
  })

  test('one that fails again and again makes the supervisor give up', async () => {
    const { supervisor, clock } = await startedSupervisor()
    supervisor.register({
      loop() {
        throw new Error('never works')
      },
    })
    const closed = errorOf(supervisor.closed)
    await turns()
    await clock.advance(10_000)
    expect(await closed).toMatchObject({ code: 'ERR_RESTART_INTENSITY' })
    expect(supervisor.state).toBe('failed')
  })

  test('what it throws when it was told to go is logged, an AbortError is not', async () => {
    const { supervisor, lines } = await startedSupervisor()
    supervisor.register({
      async loop(signal) {
        await aborted(signal)
        throw new Error('on the way out')
      },
      async stop() {
        throw new Error('in stop')
      },
    })
    supervisor.register({
      async loop(signal) {
        await aborted(signal)
        signal.throwIfAborted()
      },
    })
    await supervisor.stop()
    const said = lines.filter(({ msg }) => msg === 'a scheduler threw')
    expect(said.map(({ err }) => (err as { message: string }).message).sort()).toEqual([
      'in stop',
      'on the way out',
    ])
  })
})

describe('one that does not end', () => {
  test('is given up after its shutdownMs, counted until it ends, and said in the report', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const end = deferred<void>()
    supervisor.register({ loop: () => end.promise }, { name: 'deaf', shutdownMs: 100 })
    const stopped = supervisor.stop()
    await clock.advance(99)
    expect(supervisor.info().schedulers.abandoned).toBe(0)
    await clock.advance(1)
    expect((await stopped).children).toEqual([{ id: 'deaf', kind: 'scheduler', step: 'kill', ms: 100 }])
    expect(supervisor.info().schedulers.abandoned).toBe(1)
    end.resolve()
    await turns()
    expect(supervisor.info().schedulers.abandoned).toBe(0)
  })

  test('does not hold up a supervisor that stops at once', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const end = deferred<void>()
    const notes: string[] = []
    supervisor.register({ loop: () => end.promise, stop: () => void notes.push('stop') })
    await stop({ wait: false })
    expect([supervisor.state, notes]).toEqual(['stopped', ['stop']])
    end.resolve()
  })
})

describe('registerSync()', () => {
  test('only its stop() is called, and awaited', async () => {
    const { supervisor } = await startedSupervisor()
    const end = deferred<void>()
    let calls = 0
    const child = supervisor.registerSync(
      {
        stop() {
          calls += 1
          return end.promise
        },
      },
      { name: 'timer' },
    )
    expect([child.state, child.kind]).toEqual(['running', 'scheduler'])
    const stopped = supervisor.stop()
    await turns()
    expect([calls, supervisor.state]).toEqual([1, 'draining'])
    end.resolve()
    await stopped
    expect(calls).toBe(1)
  })
})

describe('unregister()', () => {
  test.each(['name', 'scheduler'])('by its %s: ends it and forgets it', async (how) => {
    const { supervisor } = await startedSupervisor()
    const scheduler = noted()
    supervisor.register(scheduler, { name: 'mine' })
    await supervisor.unregister(how === 'name' ? 'mine' : scheduler)
    expect(scheduler.notes).toEqual(['loop', 'stop', 'aborted'])
    expect([supervisor.which(), supervisor.info().schedulers.registered]).toEqual([[], 0])
    // Name and object are free again.
    supervisor.register(scheduler, { name: 'mine' })
  })

  test('of one that is registered with registerSync', async () => {
    const { supervisor } = await startedSupervisor()
    const calls: string[] = []
    const scheduler = { stop: () => void calls.push('stop') }
    supervisor.registerSync(scheduler)
    await supervisor.unregister(scheduler)
    expect(calls).toEqual(['stop'])
  })

  test('unknown', async () => {
    const { supervisor } = await startedSupervisor()
    expect(await errorOf(supervisor.unregister('nobody'))).toMatchObject({
      code: 'ERR_SCHEDULER_UNKNOWN',
      message: 'Scheduler "nobody" is not registered.',
    })
    expect((await errorOf(supervisor.unregister(noted()))).code).toBe('ERR_SCHEDULER_UNKNOWN')
  })
})

describe('bad input', () => {
  const call = (supervisor: Supervisor, scheduler: unknown, options?: object) =>
    thrownBy(() => supervisor.register(scheduler as never, options))

  test('shapes and options', async () => {
    const { supervisor } = await startedSupervisor()
    expect(call(supervisor, {}).message).toContain('loop()')
    expect(call(supervisor, undefined).code).toBe('ERR_OPTION_INVALID')
    expect(call(supervisor, { loop() {}, stop: 7 }).message).toContain('stop')
    expect(call(supervisor, noted(), { restart: 'always' }).code).toBe('ERR_OPTION_INVALID')
    expect(call(supervisor, noted(), { shutdownMs: -1 }).code).toBe('ERR_OPTION_INVALID')
    expect(call(supervisor, noted(), { name: 'a/b' }).code).toBe('ERR_OPTION_INVALID')
    expect(call(supervisor, noted(), { nme: 'a' }).code).toBe('ERR_OPTION_UNKNOWN')
    expect(thrownBy(() => supervisor.registerSync({} as never)).message).toContain('stop()')
    expect(thrownBy(() => supervisor.registerSync(noted())).message).toContain('register()')
    expect(supervisor.which()).toEqual([])
  })

  test('taken names, the same one twice, a supervisor that has stopped', async () => {
    const { supervisor } = await startedSupervisor()
    const scheduler = noted()
    supervisor.register(scheduler, { name: 'mine' })
    expect(call(supervisor, noted(), { name: 'mine' }).code).toBe('ERR_CHILD_ID_TAKEN')
    expect(call(supervisor, scheduler, { name: 'other' }).code).toBe('ERR_SCHEDULER_REGISTERED')
    await supervisor.stop()
    expect(call(supervisor, noted()).code).toBe('ERR_SUPERVISOR_STOPPED')
  })
})

test('storm: registered and unregistered while the supervisor starts and stops, nothing is left', async () => {
  for (let round = 0; round < 50; round += 1) {
    const { supervisor } = testSupervisor()
    let live = 0
    const make = () => ({
      async loop(signal: AbortSignal) {
        live += 1
        await aborted(signal)
        live -= 1
      },
    })
    const sides = Array.from({ length: 10 }, async (_, side) => {
      try {
        const scheduler = make()
        supervisor.register(scheduler)
        await turns((side + round) % 4)
        if (side % 3 === 0) await supervisor.unregister(scheduler)
      } catch {
        // It is stopping.
      }
      if (side === round % 10) await supervisor.start().catch(() => {})
      if (side === (round + 3) % 10) await supervisor.stop({ wait: false })
    })
    await Promise.all(sides)
    await supervisor.stop({ wait: false })
    await turns()
    expect(live).toBe(0)
    expect(supervisor.info().schedulers.abandoned).toBe(0)
  }
})
