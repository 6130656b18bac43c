/** `lock(name)`: one at a time, in order, never silently skipped. */
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { TimerQueue } from '../../src/actors/timer-queue.ts'
import { LockTimeoutError, lock } from '../../src/index.ts'
import { type LockTimeout, NamedLock } from '../../src/runtime/named-lock.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import {
  deferred,
  errorOf,
  freshName,
  startedSupervisor,
  taskOf,
  thrownBy,
  turns,
} from '../support/harness.ts'

/** A lock on a manual clock. */
function manualLock(): { locked: NamedLock; clock: ManualClock; freed: number[] } {
  const clock = new ManualClock()
  const freed: number[] = []
  const locked = new NamedLock('db', () => freed.push(clock.monotonic()), clock, new TimerQueue(clock))
  return { locked, clock, freed }
}

describe('lock(name).run', () => {
  test('one body at a time, in the order of the calls, whichever object was made of the name', async () => {
    const name = freshName()
    const order: string[] = []
    const body = (who: string) => async () => {
      order.push(`${who} begins`)
      await turns(3)
      order.push(`${who} ends`)
      return who
    }
    const runs = ['a', 'b', 'c'].map((who) => lock(name).run(body(who)))
    expect([lock(name).state, lock(name).waiting]).toEqual(['held', 2])
    expect(await Promise.all(runs)).toEqual(['a', 'b', 'c'])
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
    expect([lock(name).state, lock(name).waiting, lock(name).holder]).toEqual(['free', 0, undefined])
  })

  test('other names are other locks', async () => {
    const [a, b] = [lock(freshName()), lock(freshName())]
    const inner = deferred()
    const outer = a.run(() => inner.promise)
    expect(await b.run(() => 'free')).toBe('free')
    inner.resolve()
    await outer
  })

  test('a body that throws, at once or later, releases it', async () => {
    const db = lock(freshName())
    const thrower = db.run(() => {
      throw new Error('at once')
    })
    const rejecter = db.run(() => Promise.reject(new Error('later')))
    expect(await errorOf(thrower)).toMatchObject({ message: 'at once' })
    expect(await errorOf(rejecter)).toMatchObject({ message: 'later' })
    expect(await db.run(() => 'next')).toBe('next')
  })

  test('what the body calls passes through, at any depth and in parallel', async () => {
    const db = lock(freshName())
    const found = await db.run(async () => {
      await turns(1)
      const inner = await db.run(async () => {
        using _ = await db.acquire()
        return db.run(() => 'innermost')
      })
      const both = await Promise.all([db.run(() => turns(2)), db.run(() => turns(1))])
      return [inner, both.length, db.state]
    })
    expect(found).toEqual(['innermost', 2, 'held'])
    expect(db.state).toBe('free')
  })

  test('stays held until what began inside of the body has released it as well', async () => {
    const db = lock(freshName())
    const left = deferred()
    await db.run(() => void db.run(() => left.promise))
    expect(db.state).toBe('held')
    left.resolve()
    await turns(2)
    expect(db.state).toBe('free')
  })

  test('what goes on after the end of the body is outside of it', async () => {
    const db = lock(freshName())
    const later = deferred()
    let late: Promise<string> | undefined
    await db.run(() => {
      late = later.promise.then(() => db.run(() => 'late'))
    })
    const holding = deferred()
    const other = db.run(() => holding.promise)
    later.resolve()
    await turns(3)
    expect(db.waiting).toBe(1)
    holding.resolve()
    await other
    expect(await late).toBe('late')
  })

  test('parallel calls of one run exclude each other', async () => {
    const { supervisor } = await startedSupervisor()
    const db = lock(freshName())
    let inside = 0
    let most = 0
    const body = async () => {
      inside += 1
      most = Math.max(most, inside)
      await turns(2)
      inside -= 1
    }
    const task = taskOf(() => Promise.all([db.run(body), db.run(body), db.run(body)]))
    await supervisor.submit(task).result
    expect(most).toBe(1)
  })
})

describe('lock(name).acquire', () => {
  test('`await using` releases it, also when the block throws', async () => {
    const db = lock(freshName())
    const failing = async () => {
      await using held = await db.acquire()
      throw new Error(`while ${held.lock === db.name ? 'held' : 'lost'}`)
    }
    expect(await errorOf(failing())).toMatchObject({ message: 'while held' })
    expect(db.state).toBe('free')
  })

  test('a second release of one hold releases nobody else', async () => {
    const db = lock(freshName())
    const first = await db.acquire()
    first.release()
    const second = await db.acquire()
    first.release()
    await first[Symbol.asyncDispose]()
    expect(db.state).toBe('held')
    second.release()
    expect(db.state).toBe('free')
  })

  test('belongs to the run: what the same run takes passes through, what others take waits', async () => {
    const { supervisor } = await startedSupervisor()
    const db = lock(freshName())
    const order: string[] = []
    const inner = async (who: string) => {
      await using _ = await db.acquire()
      await db.run(() => turns(1))
      order.push(`${who} inside`)
    }
    const task = taskOf(async (who: string) => {
      await using _ = await db.acquire()
      order.push(`${who} begins`)
      await inner(who)
      await turns(2)
      order.push(`${who} ends`)
    })
    const runs = [supervisor.submit(task, 'a'), supervisor.submit(task, 'b')]
    await turns(1)
    expect(db.holder?.run).toMatchObject({ runId: runs[0]?.id, name: task.name })
    await Promise.all(runs.map((run) => run.result))
    expect(order).toEqual(['a begins', 'a inside', 'a ends', 'b begins', 'b inside', 'b ends'])
    expect(db.state).toBe('free')
  })

  test('a child, and a run begun inside of a body, are other runs', async () => {
    const { supervisor } = await startedSupervisor()
    const db = lock(freshName())
    const order: string[] = []
    const other = taskOf((who: string) => db.run(() => order.push(who)))
    const outer = taskOf((_: undefined, ctx) =>
      db.run(async () => {
        ctx.submit(other, 'child', { detached: true })
        supervisor.submit(other, 'other')
        await turns(10)
        order.push('outer')
      }),
    )
    await supervisor.submit(outer).result
    await supervisor.idle()
    expect(order).toEqual(['outer', 'child', 'other'])
  })

  test.each([
    ['returns', () => 'done'],
    ['throws', () => Promise.reject(new Error('failed'))],
  ])('is released when the handler that holds it %s', async (_, end) => {
    const { supervisor } = await startedSupervisor()
    const db = lock(freshName())
    const task = taskOf(async () => {
      await db.acquire()
      await db.acquire()
      return end()
    })
    await supervisor.submit(task).result.catch(() => {})
    expect(db.state).toBe('free')
    expect(await db.run(() => 'next', { timeoutMs: 0 })).toBe('next')
  })

  test('is released between two attempts', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const retrying = new Promise((resolve) => supervisor.on('task.retrying', resolve))
    const db = lock(freshName())
    const task = taskOf(
      async (_: undefined, ctx) => {
        await db.acquire({ timeoutMs: 1_000 })
        if (ctx.attempt === 1) throw new Error('once')
        return ctx.attempt
      },
      { retry: { attempts: 2, backoff: { kind: 'fixed', initialMs: 0, jitter: 'none' } } },
    )
    const run = supervisor.submit(task)
    await retrying
    await clock.advance(0)
    expect(await run.result).toBe(2)
  })

  test('of a handler that was given up is released when that ends', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const db = lock(freshName())
    const end = deferred()
    onTestFinished(() => end.resolve())
    const task = taskOf(
      async () => {
        await db.acquire()
        await end.promise
      },
      { graceMs: 10 },
    )
    const run = supervisor.submit(task)
    await turns(1)
    run.cancel()
    await clock.advance(10)
    expect(await errorOf(run.result)).toMatchObject({ step: 'abandon' })
    expect(db.holder?.run?.runId).toBe(run.id)
    const next = db.run(() => 'next')
    end.resolve()
    expect(await next).toBe('next')
  })

  test('a run that ends while it waits leaves the line', async () => {
    const { supervisor } = await startedSupervisor()
    const db = lock(freshName())
    const held = await db.acquire()
    let waiting: Promise<unknown> | undefined
    const task = taskOf(() => {
      waiting = errorOf(db.acquire())
      // Nobody looks at this one: it must hurt nobody.
      void db.acquire()
    })
    const run = supervisor.submit(task)
    await run.result
    expect(db.waiting).toBe(0)
    expect(await waiting).toMatchObject({ name: 'OptionError', code: 'ERR_RUN_ENDED', runId: run.id })
    held.release()
    expect(db.state).toBe('free')
  })

  test('one that gets it with its end does not keep it', async () => {
    const { supervisor } = await startedSupervisor()
    const db = lock(freshName())
    const task = taskOf(() => void db.acquire())
    await supervisor.submit(task).result
    await turns(2)
    expect(db.state).toBe('free')
  })

  test('what a run left behind takes it outside of runs', async () => {
    const { supervisor } = await startedSupervisor()
    const db = lock(freshName())
    const later = deferred()
    let late: ReturnType<typeof db.acquire> | undefined
    const task = taskOf(() => {
      late = later.promise.then(() => db.acquire())
    })
    await supervisor.submit(task).result
    later.resolve()
    await turns(3)
    expect([db.state, db.holder?.run]).toEqual(['held', undefined])
    ;(await late)?.release()
  })

  test('outside of runs it is taken once', async () => {
    const { locked, clock } = manualLock()
    const held = await locked.acquire({})
    const second = errorOf(locked.acquire({ timeoutMs: 10 }))
    await clock.advance(10)
    expect(await second).toBeInstanceOf(LockTimeoutError)
    held.release()
  })
})

describe('a wait for a lock', () => {
  test('that is over calls the hook, then rejects; the body is never called', async () => {
    const { locked, clock, freed } = manualLock()
    const held = await locked.acquire({})
    const told: LockTimeout[] = []
    let called = 0
    const late = errorOf(
      locked.run(() => (called += 1), { timeoutMs: 100, onTimeout: (info) => told.push(info) }),
    )
    const patient = locked.run(() => 'patient', {})
    await clock.advance(99)
    expect(told).toEqual([])
    await clock.advance(1)
    expect(told).toEqual([
      { lock: 'db', timeoutMs: 100, holder: { run: undefined, heldMs: 100 }, waiting: 1 },
    ])
    expect(await late).toMatchObject({
      name: 'LockTimeoutError',
      code: 'ERR_LOCK_TIMED_OUT',
      lock: 'db',
      timeoutMs: 100,
      message: 'Lock "db" was not free within 100 ms: somebody outside of runs has held it for 100 ms',
    })
    held.release()
    expect(await patient).toBe('patient')
    expect([called, clock.pending, locked.state, freed.length]).toEqual([0, 0, 'free', 1])
  })

  test('a hook that throws is the cause, and changes nothing', async () => {
    const { locked, clock } = manualLock()
    const held = await locked.acquire({})
    const cause = new Error('hook')
    const onTimeout = () => {
      throw cause
    }
    const late = errorOf(locked.acquire({ timeoutMs: 0, onTimeout }))
    await clock.advance(0)
    expect(await late).toMatchObject({ code: 'ERR_LOCK_TIMED_OUT', cause })
    held.release()
    expect(locked.state).toBe('free')
  })

  test('a hook that rejects is the cause as well, and is not waited for', async () => {
    const { locked, clock } = manualLock()
    const held = await locked.acquire({})
    const hook = deferred()
    const late = errorOf(locked.acquire({ timeoutMs: 0, onTimeout: () => hook.promise }))
    await clock.advance(0)
    const error = await late
    expect([error.code, error.cause]).toEqual(['ERR_LOCK_TIMED_OUT', undefined])
    hook.reject(new Error('pager down'))
    await turns(1)
    expect(error.cause).toMatchObject({ message: 'pager down' })
    held.release()
  })

  test('names the run that holds it', async () => {
    const { supervisor } = await startedSupervisor()
    const db = lock(freshName())
    const end = deferred()
    const holder = supervisor.submit(taskOf(() => db.run(() => end.promise)))
    await turns(1)
    const error = await errorOf(db.acquire({ timeoutMs: 0 }))
    expect(error.message).toContain(`(run ${holder.id}) has held it for`)
    end.resolve()
    await holder.result
  })

  test('ends when its signal is aborted, with its reason', async () => {
    const { locked } = manualLock()
    const held = await locked.acquire({})
    const stop = new AbortController()
    const waiting = errorOf(locked.acquire({ signal: stop.signal, timeoutMs: 1_000 }))
    const reason = new Error('no more')
    stop.abort(reason)
    expect(await waiting).toBe(reason)
    expect(locked.waiting).toBe(0)
    held.release()
    expect(await errorOf(locked.acquire({ signal: stop.signal }))).toBe(reason)
    expect(locked.state).toBe('free')
  })

  test('a stopped run leaves the line by its own signal', async () => {
    const { supervisor } = await startedSupervisor()
    const db = lock(freshName())
    const held = await db.acquire()
    const run = supervisor.submit(
      taskOf((_: undefined, ctx) => db.run(() => 'never', { signal: ctx.signal })),
    )
    await turns(2)
    expect(db.waiting).toBe(1)
    run.cancel('enough')
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', step: 'signal' })
    expect(db.waiting).toBe(0)
    held.release()
  })

  test('a handler that was given up holds it until it releases it', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const db = lock(freshName())
    const end = deferred()
    onTestFinished(() => end.resolve())
    const run = supervisor.submit(taskOf(() => db.run(() => end.promise), { graceMs: 10 }))
    await turns(1)
    run.cancel()
    await clock.advance(10)
    expect(await errorOf(run.result)).toMatchObject({ step: 'abandon' })
    expect(db.holder?.run?.runId).toBe(run.id)
    const next = db.run(() => 'next')
    end.resolve()
    expect(await next).toBe('next')
  })

  test('without a bound, or with one beyond what timers hold, it lasts', async () => {
    const { locked, clock } = manualLock()
    const held = await locked.acquire({})
    const first = locked.acquire({ timeoutMs: Number.POSITIVE_INFINITY })
    const second = locked.acquire({ timeoutMs: 2 ** 40 })
    await clock.advance(2 ** 33)
    held.release()
    ;(await first).release()
    ;(await second).release()
    expect(clock.pending).toBe(0)
  })
})

test.each([
  ['an empty name', () => lock('')],
  ['a name that is no text', () => lock(1 as never)],
])('%s is refused', (_, call) => {
  expect(thrownBy(call)).toMatchObject({ code: 'ERR_OPTION_INVALID' })
})

test.each([
  ['a negative bound', { timeoutMs: -1 }, 'ERR_OPTION_INVALID'],
  ['a hook that is none', { onTimeout: 1 }, 'ERR_OPTION_INVALID'],
  ['a signal that is none', { signal: {} }, 'ERR_OPTION_INVALID'],
  ['an option that is none', { timeout: 1 }, 'ERR_OPTION_UNKNOWN'],
])('%s is refused, and nothing is held', async (_, options, code) => {
  const db = lock(freshName())
  expect(await errorOf(db.acquire(options as never))).toMatchObject({ code })
  expect(await errorOf(db.run(() => 1, options as never))).toMatchObject({ code })
  expect(await errorOf(db.run(1 as never))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  expect(db.state).toBe('free')
})

/** What happens to one caller, beside waiting for its turn. */
const callers = fc.array(
  fc.record({
    arrivesAt: fc.nat(20),
    holdsFor: fc.nat(6),
    timeoutMs: fc.option(fc.nat(15), { nil: undefined }),
    abortsAt: fc.option(fc.nat(25), { nil: undefined }),
    throws: fc.boolean(),
    nests: fc.boolean(),
    acquires: fc.boolean(),
  }),
  { maxLength: 12 },
)

test('whatever times out, is aborted, throws or nests: one at a time, in order, everybody is told', async () => {
  await fc.assert(
    fc.asyncProperty(callers, async (plans) => {
      const { locked, clock, freed } = manualLock()
      const line: number[] = []
      const told: string[] = []
      const hooked: number[] = []
      let inside = 0
      const wait = (ms: number): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, ms))
      const ended = plans.map(async (plan, who) => {
        const stop = new AbortController()
        if (plan.abortsAt !== undefined) clock.setTimeout(() => stop.abort('aborted'), plan.abortsAt)
        await wait(plan.arrivesAt)
        const { timeoutMs } = plan
        const options = {
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
          signal: stop.signal,
          onTimeout: () => hooked.push(who),
        }
        const body = async () => {
          inside += 1
          expect(inside).toBe(1)
          // Nobody who came earlier and still wants it has been passed over.
          expect(line[0]).toBe(who)
          line.shift()
          await wait(plan.holdsFor)
          if (plan.nests && !plan.acquires) await locked.run(() => wait(1), {})
          inside -= 1
          if (plan.throws) throw new Error('thrown')
          return 'done'
        }
        line.push(who)
        const attempt = plan.acquires
          ? locked.acquire(options).then(async (held) => {
              using _ = held
              return await body()
            })
          : locked.run(body, options)
        const leave = (): void => {
          if (line.includes(who)) line.splice(line.indexOf(who), 1)
        }
        try {
          told[who] = await attempt
        } catch (error) {
          leave()
          told[who] =
            error instanceof Error ? ((error as { code?: string }).code ?? error.message) : String(error)
        }
        expect(hooked.includes(who)).toBe(told[who] === 'ERR_LOCK_TIMED_OUT')
      })
      await clock.advance(1_000)
      await Promise.all(ended)
      // What a body expects in vain ends up here, too.
      expect(
        told.filter((one) => !['done', 'thrown', 'aborted', 'ERR_LOCK_TIMED_OUT'].includes(one)),
      ).toEqual([])
      expect(told.length).toBe(plans.length)
      expect([locked.state, locked.waiting, inside, clock.pending]).toEqual(['free', 0, 0, 0])
      expect(freed.length > 0).toBe(plans.length > 0)
    }),
    { numRuns: 300 },
  )
})
