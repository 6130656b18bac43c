/**
 * A parent that awaits a child lends it its slot: no tree of tasks can deadlock, whatever the size of the
 * pools and wherever its tasks run. Threads and processes are pretended: their handlers run here and
 * speak through the same control calls.
 */
import fc from 'fast-check'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { AttemptHandle, AttemptListener, Executor, Job } from '../../src/actors/attempt.ts'
import type { HandlerContext } from '../../src/actors/handler-context.ts'
import { EXECUTIONS, type Execution, PRIORITIES, type Priority } from '../../src/machines/model.ts'
import { defineTask, type TaskDefinition } from '../../src/runtime/define-task.ts'
import { createSupervisor, type Supervisor } from '../../src/runtime/supervisor.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'

interface Tree {
  readonly execution: Execution
  readonly priority: Priority
  /** Awaited one after another, or all at once. */
  readonly together: boolean
  readonly children: readonly Tree[]
}

const tree: TaskDefinition<Tree, number> = defineTask<Tree, number>(
  { name: 'tree', module: 'test:tree' },
  (input, ctx: HandlerContext) =>
    grow(input, (child) => ctx.submit(tree, child, optionsOf(child)).result as Promise<number>),
)

const optionsOf = ({ execution, priority }: Tree) => ({ execution, priority })

/** @returns how many tasks the tree has */
async function grow({ children, together }: Tree, run: (child: Tree) => Promise<number>): Promise<number> {
  let sum = 1
  if (together) for (const size of await Promise.all(children.map(run))) sum += size
  else for (const child of children) sum += await run(child)
  return sum
}

/** A thread or process as far as its parent can tell: everything goes over the control calls. */
function pretended(): Executor {
  let ids = 0
  const start = (job: Job, listener: AttemptListener): AttemptHandle => {
    const submit = async (child: Tree): Promise<number> => {
      const id = `${job.runId}/${ids++}`
      const call = { name: 'tree', module: 'test:tree', input: child, options: optionsOf(child) }
      await listener.call('submit', { call, id, child: true })
      return (await listener.call('result', { id })) as number
    }
    queueMicrotask(() => {
      listener.started(0)
      grow(job.input as Tree, submit).then(
        (value) => listener.settled({ type: 'returned', value }),
        (error: unknown) => listener.settled({ type: 'threw', error }),
      )
    })
    return { signal: () => {}, terminate: () => {}, kill: () => {} }
  }
  return { live: 0, idle: 0, resize: () => {}, warm: async () => {}, close: async () => {}, start }
}

interface Sized {
  readonly size: number
  readonly maxThreads?: number
}

async function withSupervisor(sized: Sized, use: (supervisor: Supervisor) => Promise<void>): Promise<void> {
  const { size, maxThreads = 1 } = sized
  const clock = new ManualClock()
  const supervisor = createSupervisor({
    pool: { size, reserveNormal: 0, reserveHigh: 0, maxThreads, maxOverflowThreads: 0 },
    processes: { size, reserveNormal: 0, reserveHigh: 0, maxOverflowProcesses: 0 },
    clock,
    logger: pino({ level: 'silent' }),
    executors: { thread: pretended(), process: pretended() },
  })
  await supervisor.start()
  try {
    await use(supervisor)
  } finally {
    const stopped = supervisor.stop({ wait: false })
    await clock.advance(500)
    await stopped
  }
}

function sizeOf({ children }: Tree): number {
  return children.reduce((sum, child) => sum + sizeOf(child), 1)
}

const chain = (executions: readonly Execution[]): Tree =>
  executions.reduceRight<Tree | undefined>(
    (below, execution) => ({
      execution,
      priority: 'normal',
      together: false,
      children: below === undefined ? [] : [below],
    }),
    undefined,
  ) as Tree

/** Ends with the value, or with the word that nothing moves any more: no timer will ever come to help. */
async function resultOf(supervisor: Supervisor, input: Tree): Promise<unknown> {
  const run = supervisor.submit(tree, input, optionsOf(input))
  const stuck = new Promise<string>((resolve) => {
    let quiet = 0
    const look = (): void => {
      quiet += 1
      if (quiet > 400) resolve('stuck')
      else setImmediate(look)
    }
    supervisor.on('*', () => {
      quiet = 0
    })
    look()
  })
  const result = await Promise.race([run.result, stuck])
  if (result === 'stuck') for (const one of supervisor.list()) one.cancel()
  return result
}

const PATTERNS: readonly (readonly Execution[])[] = [
  ...EXECUTIONS.map((execution) => [execution]),
  ['async', 'process'],
  ['main', 'thread'],
  ['main', 'async', 'process'],
  ['thread', 'process', 'async', 'main'],
]

const DEEP = PATTERNS.map((parts) =>
  Array.from({ length: 5 }, (_, i) => parts[i % parts.length] as Execution),
)

test.each(DEEP)('pools of one slot, five tasks deep: %s → %s → %s → %s → %s', async (...executions) => {
  await withSupervisor({ size: 1 }, async (supervisor) => {
    expect(await resultOf(supervisor, chain(executions))).toBe(5)
    expect([supervisor.info().pool.active, supervisor.info().processes.active]).toEqual([0, 0])
  })
})

const { node } = fc.letrec<{ node: Tree }>((tie) => ({
  node: fc.record({
    execution: fc.constantFrom(...EXECUTIONS),
    priority: fc.constantFrom(...PRIORITIES),
    together: fc.boolean(),
    children: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constant([]),
      fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
    ),
  }),
}))

test('no forest of tasks that await each other deadlocks in any small pool', async () => {
  const sized = fc.record({
    size: fc.integer({ min: 1, max: 3 }),
    maxThreads: fc.integer({ min: 1, max: 2 }),
  })
  await fc.assert(
    fc.asyncProperty(sized, fc.array(node, { minLength: 1, maxLength: 4 }), async (given, trees) => {
      await withSupervisor(given, async (supervisor) => {
        const results = await Promise.all(trees.map((one) => resultOf(supervisor, one)))
        expect(results).toEqual(trees.map(sizeOf))
        expect([supervisor.info().pool.active, supervisor.info().processes.active]).toEqual([0, 0])
        expect(supervisor.info().pool.waiting).toEqual({ critical: 0, high: 0, normal: 0, low: 0 })
      })
    }),
    { numRuns: 100 },
  )
})

test('a lent slot is counted once, and a sibling that nobody awaits waits for its turn', async () => {
  const seen: [string, number][] = []
  const leaf = defineTask<string, string>({ name: 'leaf' }, (name) => {
    seen.push([name, supervisor.info().pool.active])
    return name
  })
  const parent = defineTask<void, string[]>({ name: 'parent' }, async (_, ctx) => {
    const first = ctx.submit(leaf, 'first')
    ctx.submit(leaf, 'unawaited', { detached: true })
    const second = ctx.submit(leaf, 'second')
    return [await second.result, await first.result]
  })
  const clock = new ManualClock()
  await using supervisor = createSupervisor({ pool: { size: 1, reserveNormal: 0, reserveHigh: 0 }, clock })
  await supervisor.start()
  const run = supervisor.submit(parent)
  expect(await run.result).toEqual(['second', 'first'])
  const unawaited = supervisor.list({ name: 'leaf' }).find(({ state }) => state !== 'finished')
  await unawaited?.result
  expect(seen).toEqual([
    ['second', 1],
    ['first', 1],
    ['unawaited', 1],
  ])
})

test('a child that goes on when its parent has ended keeps the slot until it ends', async () => {
  const gate = Promise.withResolvers<void>()
  const leaf = defineTask<void, void>({ name: 'slow leaf' }, () => gate.promise)
  const parent = defineTask<void, string>({ name: 'hasty parent' }, async (_, ctx) => {
    const child = ctx.submit(leaf, undefined, { detached: true })
    return Promise.race([child.result.then(() => 'waited'), began.then(() => 'left')])
  })
  const clock = new ManualClock()
  await using supervisor = createSupervisor({ pool: { size: 1, reserveNormal: 0, reserveHigh: 0 }, clock })
  const began = new Promise<void>((resolve) => {
    supervisor.on('task.started', ({ name }) => name === 'slow leaf' && resolve())
  })
  await supervisor.start()
  expect(await supervisor.submit(parent).result).toBe('left')
  expect(supervisor.info().pool.active).toBe(1)
  const next = supervisor.submit(leaf)
  expect(next.state).toBe('queued')
  gate.resolve()
  await next.result
  expect(supervisor.info().pool.active).toBe(0)
})
