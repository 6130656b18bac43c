/** Workers that are stopped while slots are given, are not, or are all taken: none waits for what will not come. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromCallback } from 'xstate'
import type { HandlerContext } from '../../src/actors/handler-context.ts'
import { createSupervisor } from '../../src/runtime/supervisor.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'
import { heldTask, memoryLogger, slots } from '../support/harness.ts'
import { puppet } from '../support/puppet.ts'
import { turns } from '../support/turns.ts'

const KINDS = ['interval', 'event', 'plain', 'cron', 'queue'] as const
const END = ['stop', 'remove', 'escalate', 'supervisor'] as const
const GRACE_MS = 100

const worker = fc.record({
  kind: fc.constantFrom(...KINDS),
  onStop: fc.constantFrom('drain', 'return' as const),
  /** Items of a queue, triggers of an event worker. */
  amount: fc.nat(3),
})
/** What is under way when they end. */
const scene = fc.record({
  /** The one slot is taken by somebody else's run. */
  busy: fc.boolean(),
  paused: fc.boolean(),
  end: fc.constantFrom(...END),
})

function makeSupervisor(clock: ManualClock) {
  return createSupervisor({
    clock,
    daemon: true,
    logger: memoryLogger([]),
    ...slots(1),
    supervision: { intensity: 0 },
    defaults: { graceMs: GRACE_MS },
  })
}

type Made = ReturnType<typeof makeSupervisor>

/** Makes the worker. @returns the number of its items, each with a promise of its end */
async function make(supervisor: Made, name: string, { kind, onStop, amount }: Shape, seen: string[]) {
  const { workers } = supervisor
  const handler = (item: unknown): void => void seen.push(`${name}:${item}`)
  if (kind === 'interval') workers.interval({ name, intervalMs: 60_000, handler })
  else if (kind === 'plain') workers.plain({ name, when: () => supervisor.state !== 'idle', handler })
  else if (kind === 'cron') workers.cron({ name, cron: '* * * * *', handler })
  else if (kind === 'event') {
    const event = workers.event({ name, handler, whileBusy: 'all' })
    if (event.state === 'idle') for (let i = 0; i < amount; i += 1) event.trigger()
  } else {
    const queue = workers.queue<string>({ name, onStop, handler })
    return Array.from({ length: amount }, (_, item) =>
      queue.run(`${item}`).then(
        () => 'run' as const,
        (error: { code: string }) => error.code,
      ),
    )
  }
  return []
}

type Shape = typeof worker extends fc.Arbitrary<infer Value> ? Value : never

test('what has no slot yet holds up no stop, and no item is lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(worker, { minLength: 1, maxLength: 4 }),
      scene,
      async (shapes, { busy, paused, end }) => {
        const clock = new ManualClock()
        const supervisor = makeSupervisor(clock)
        await supervisor.start()
        supervisor.closed.catch(() => {})
        const { task } = heldTask()
        if (busy) supervisor.submit(task)
        await turns()
        if (paused) supervisor.pause()
        const seen: string[] = []
        const items = await Promise.all(
          shapes.map((shape, index) => make(supervisor, `w${index}`, shape, seen)),
        )
        const fuse = supervisor.spawn(puppet().machine, { id: 'fuse' })
        const returned: unknown[] = []
        const workers = supervisor.workers.list()
        // A queue that drains waits for slots that are given; for those that are not it does not.
        const drains =
          busy && !paused && shapes.some(({ kind, onStop }) => kind === 'queue' && onStop === 'drain')
        let over = 0
        const ended = <Value>(promise: Promise<Value>): Promise<Value> =>
          promise.finally(() => {
            over += 1
          })
        if (end === 'stop') {
          for (const one of workers)
            void ended(one.stop()).then((exit) =>
              returned.push(...((exit as { returned?: [] }).returned ?? [])),
            )
        } else if (end === 'remove') {
          for (const { name } of workers)
            void ended(supervisor.workers.remove(name)).then((given) => returned.push(...given))
        } else if (end === 'escalate') {
          void ended(supervisor.closed).catch(() => {})
          fuse.actor?.send({ type: 'crash' })
          // Whoever has begun has its grace.
          await clock.advance(GRACE_MS)
        } else {
          void ended(supervisor.stop({ cancelTasks: 'queued', wait: busy ? GRACE_MS : true }))
          await clock.advance(GRACE_MS)
        }
        await turns(12)
        const expected = end === 'stop' || end === 'remove' ? workers.length : 1
        if (!drains || end === 'escalate' || end === 'supervisor')
          expect([end, over]).toEqual([end, expected])
        const report = await supervisor.stop({ wait: false })
        await turns(4)
        for (const some of Object.values(report.returned)) returned.push(...some)
        const fates = await Promise.all(items.flat())
        expect(fates.filter((fate) => fate === 'run').length).toBe(
          seen.filter((one) => !one.endsWith('undefined')).length,
        )
        expect(fates.filter((fate) => fate === 'ERR_ITEM_RETURNED').length).toBe(returned.length)
        expect(new Set(fates).size - Number(fates.includes('run'))).toBeLessThanOrEqual(1)
        expect(clock.pending).toBe(0)
      },
    ),
    { numRuns: 150 },
  )
})

test('a start that fails ends all that had come up, whatever they are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(worker, { maxLength: 4 }), fc.nat(4), async (shapes, at) => {
      const clock = new ManualClock()
      const supervisor = makeSupervisor(clock)
      const seen: string[] = []
      const items: Promise<string>[] = []
      const addBroken = (): void => {
        supervisor.spawn(
          fromCallback(() => {
            throw new Error('no')
          }),
          { id: 'broken' },
        )
      }
      for (const [index, shape] of shapes.entries()) {
        if (index === at) addBroken()
        items.push(...(await make(supervisor, `w${index}`, shape, seen)))
      }
      if (at >= shapes.length) addBroken()
      let code = 'under way'
      supervisor.start().catch((error) => {
        code = error.code
      })
      await turns(12)
      expect([code, supervisor.state, supervisor.count().active]).toEqual([
        'ERR_SUPERVISOR_START_FAILED',
        'failed',
        0,
      ])
      const { returned } = await supervisor.stop({ wait: false })
      expect(seen).toEqual([])
      const fates = await Promise.all(items)
      expect(fates.every((fate) => fate === 'ERR_ITEM_RETURNED')).toBe(true)
      expect(Object.values(returned).flat()).toHaveLength(fates.length)
      expect(clock.pending).toBe(0)
    }),
    { numRuns: 100 },
  )
})

test('a start that a child stops is over with it: nothing behind it lives', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(worker, { maxLength: 4 }),
      fc.nat(4),
      fc.boolean(),
      async (shapes, at, isGrouped) => {
        const clock = new ManualClock()
        const supervisor = makeSupervisor(clock)
        const story: string[] = []
        const addStopping = (): void => {
          const owner = isGrouped ? supervisor.group('g') : supervisor
          owner.spawn(
            fromCallback(() => void supervisor.stop({ wait: false })),
            { id: 'stops' },
          )
          if (isGrouped) owner.spawn(puppet({ name: 'behind', story }).machine, { id: 'behind' })
        }
        for (const [index, shape] of shapes.entries()) {
          if (index === at) addStopping()
          await make(supervisor, `w${index}`, shape, story)
        }
        if (at >= shapes.length) addStopping()
        let code = 'under way'
        supervisor.start().catch((error) => {
          code = error.code
        })
        await turns(12)
        expect([code, supervisor.state, supervisor.count().active]).toEqual([
          'ERR_SUPERVISOR_STOPPED',
          'stopped',
          0,
        ])
        const lives = supervisor.workers.list().map((one) => one.info().lives)
        expect(lives).toEqual(shapes.map((_, index) => Number(index < at)))
        expect([story, clock.pending]).toEqual([[], 0])
      },
    ),
    { numRuns: 100 },
  )
})

/** How long its handler takes to go when it is told to; infinite: it does not. */
const leaveMs = fc.constantFrom(0, 40, Number.POSITIVE_INFINITY)
const order = fc.oneof(
  fc.record({ do: fc.constant('stop' as const), wait: fc.constantFrom(true, false, 30, 60, 500) }),
  fc.record({ do: fc.constantFrom('start', 'restart' as const) }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.nat(80) }),
)

test('no handler is given up that was not told to end, and none before its bound', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(order, { maxLength: 14 }),
      leaveMs,
      fc.constantFrom(0, 60, 300),
      async (orders, leavesMs, shutdownMs) => {
        const clock = new ManualClock()
        const supervisor = makeSupervisor(clock)
        await supervisor.start()
        const seen = { live: 0, deaf: 0 }
        const untold: string[] = []
        const told = new Set<string>()
        supervisor.on('task.abandoned', ({ runId }) => {
          if (!told.has(runId)) untold.push(runId)
          seen.deaf += 1
        })
        const worker = supervisor.workers.interval({
          name: 'w',
          intervalMs: 60_000,
          shutdownMs,
          handler: (_: unknown, ctx: HandlerContext) => {
            seen.live += 1
            return new Promise<void>((resolve) => {
              const leave = (): void => {
                seen.live -= 1
                resolve()
              }
              ctx.signal.addEventListener('abort', () => {
                told.add(ctx.runId)
                if (leavesMs === 0) leave()
                else if (leavesMs < Number.POSITIVE_INFINITY) clock.setTimeout(leave, leavesMs)
              })
            })
          },
        })
        for (const next of orders) {
          if (next.do === 'advance') await clock.advance(next.ms)
          else if (next.do === 'stop') void worker.stop({ wait: next.wait })
          else worker[next.do]().catch(() => {})
          await turns(2)
          expect(untold).toEqual([])
          // Beside what was given up there is one copy at most.
          expect(seen.live - supervisor.info().abandoned).toBeLessThanOrEqual(1)
          // Whoever goes at once is never given up.
          if (leavesMs === 0) expect(seen.deaf).toBe(0)
        }
        void worker.stop({ wait: 50 })
        await clock.advance(50)
        await turns(2)
        expect(['stopped', 'failed']).toContain(worker.state)
        await supervisor.stop({ wait: false })
        await clock.advance(200)
      },
    ),
    { numRuns: 150 },
  )
})
