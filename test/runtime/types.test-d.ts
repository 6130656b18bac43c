/** Checked by the compiler only. */
import type { Worker } from 'node:worker_threads'
import * as v from 'valibot'
import { expectTypeOf } from 'vitest'
import type { PromiseActorLogic } from 'xstate'
import {
  type ChildRun,
  type CommandResult,
  type ControlValue,
  chain,
  createSupervisor,
  defineCommand,
  defineTask,
  fromTask,
  type IntervalWorker,
  type Loop,
  lock,
  next,
  type Run,
  runContext,
  type TaskCall,
  type TaskDefinition,
  type TaskProgressEvent,
  type WorkerExit,
} from '../../src/index.ts'
import { all, runOnce } from '../../src/task.ts'

const supervisor = createSupervisor()

const resize = defineTask(
  { name: 'resize' },
  async (input: { file: string; width: number }) => input.width * 2,
)
expectTypeOf(resize).toExtend<TaskDefinition<{ file: string; width: number }, number>>()
expectTypeOf(supervisor.submit(resize, { file: 'a', width: 1 })).toEqualTypeOf<Run<number>>()
expectTypeOf(supervisor.submit(resize.call({ file: 'a', width: 1 }))).toEqualTypeOf<Run<number>>()
expectTypeOf(resize.call({ file: 'a', width: 1 })).toEqualTypeOf<
  TaskCall<{ file: string; width: number }, number>
>()
// @ts-expect-error the input is missing
supervisor.submit(resize)
// @ts-expect-error a field is missing
supervisor.submit(resize, { file: 'a' })
// @ts-expect-error no such option
supervisor.submit(resize, { file: 'a', width: 1 }, { prioritee: 'low' })
// @ts-expect-error no such band
defineTask({ name: 'x', priority: 'urgent' }, () => 1)

const nothing = defineTask({ name: 'nothing' }, () => 'text')
expectTypeOf(supervisor.submit(nothing)).toEqualTypeOf<Run<string>>()
expectTypeOf(supervisor.submit(nothing, undefined, { priority: 'low' })).toEqualTypeOf<Run<string>>()

const worded = defineTask({ name: 'worded' }, async (input: number, ctx) => {
  if (input === 0) return ctx.skip('zero')
  if (input === 1) return ctx.snooze(5)
  if (input === 2) return ctx.next(nothing.call())
  return { input }
})
expectTypeOf(supervisor.submit(worded, 1).result).toEqualTypeOf<Promise<{ input: number }>>()

const checked = defineTask(
  { name: 'checked', schema: v.object({ id: v.number(), tag: v.optional(v.string()) }) },
  (input) => input.id,
)
expectTypeOf(supervisor.submit(checked, { id: 1 })).toEqualTypeOf<Run<number>>()
// @ts-expect-error the schema wants a number
supervisor.submit(checked, { id: 'one' })

const parent = defineTask({ name: 'parent' }, (_: undefined, ctx) => {
  expectTypeOf(ctx.submit(resize, { file: 'a', width: 1 })).toEqualTypeOf<ChildRun<number>>()
  expectTypeOf(ctx.submit(nothing)).toEqualTypeOf<ChildRun<string>>()
  // @ts-expect-error the input is missing
  ctx.submit(resize)
  expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>()
  return ctx.submit(nothing).result
})
expectTypeOf(supervisor.submit(parent, undefined).result).toEqualTypeOf<Promise<string>>()

expectTypeOf(fromTask(supervisor, resize)).toEqualTypeOf<
  PromiseActorLogic<number, { file: string; width: number }, TaskProgressEvent>
>()
expectTypeOf(supervisor.submitExternal<number>({ start() {} })).toEqualTypeOf<Run<number>>()

supervisor.on('task.finished', (payload) => {
  expectTypeOf(payload.value).toEqualTypeOf<unknown>()
  expectTypeOf(payload.queueMs).toEqualTypeOf<number>()
})
supervisor.on('*', (type, payload) => {
  if (type === 'task.progress') expectTypeOf(payload.percent).toEqualTypeOf<number>()
})
// @ts-expect-error no such event
supervisor.on('task.done', () => {})

const optional = defineTask({ name: 'optional' }, (times?: number) => times ?? 1)
expectTypeOf(supervisor.submit(optional)).toEqualTypeOf<Run<number>>()
expectTypeOf(supervisor.submit(optional, 2, { priority: 'low' })).toEqualTypeOf<Run<number>>()
// @ts-expect-error its input is needed
supervisor.submit(resize)

const wc = defineCommand({ name: 'wc', command: ({ file }: { file: string }) => ['wc', file] })
expectTypeOf(wc).toExtend<TaskDefinition<{ file: string }, CommandResult>>()
expectTypeOf(supervisor.submit(wc, { file: 'a' })).toEqualTypeOf<Run<CommandResult>>()
// @ts-expect-error the input is missing
supervisor.submit(wc)
expectTypeOf(supervisor.submit(defineCommand({ name: 'ls', command: ['ls'] }))).toEqualTypeOf<
  Run<CommandResult>
>()
// @ts-expect-error a command has no other execution
defineCommand({ name: 'x', command: ['x'], execution: 'thread' })
// @ts-expect-error an array begins with a file
defineCommand({ name: 'x', command: [] })

expectTypeOf(lock('db').run(() => 1)).toEqualTypeOf<Promise<number>>()
expectTypeOf(lock('db').run(async () => 'text')).toEqualTypeOf<Promise<string>>()
// @ts-expect-error no such option
void lock('db').acquire({ timeout: 1 })

const values = runContext<{ tenant: string; user?: number }>()
expectTypeOf(values.get('tenant')).toEqualTypeOf<string | undefined>()
expectTypeOf(values.get('user')).toEqualTypeOf<number | undefined>()
values.set('tenant', 'a')
// @ts-expect-error it holds text
values.set('tenant', 1)
// @ts-expect-error no such value
values.get('tennant')
expectTypeOf(runContext().get('anything')).toEqualTypeOf<unknown>()

const loop = supervisor.createLoop('io', { default: true, onBlocked: 'kill', killAfterMs: 1_000 })
expectTypeOf(loop).toEqualTypeOf<Loop>()
expectTypeOf(loop.spawn(resize, { file: 'a', width: 1 })).toEqualTypeOf<Run<number>>()
expectTypeOf(loop.run(nothing)).toEqualTypeOf<Promise<string>>()
expectTypeOf(loop.thread).toEqualTypeOf<Worker | undefined>()
supervisor.submit(nothing, undefined, { loop: 'io' })
// @ts-expect-error the input is missing
loop.spawn(resize)
// @ts-expect-error no such policy
supervisor.createLoop('x', { onBlocked: 'ignore' })

const ticks = supervisor.workers.interval({
  name: 'ticks',
  task: resize,
  input: { file: 'a', width: 1 },
  intervalMs: 10,
})
expectTypeOf(ticks).toEqualTypeOf<IntervalWorker<{ file: string; width: number }, number>>()
expectTypeOf(ticks.ended).toEqualTypeOf<Promise<WorkerExit>>()
ticks.trigger({ force: true })
void ticks.start({ intervalMs: 5, input: () => ({ file: 'b', width: 2 }) })
// @ts-expect-error its name is its own
void ticks.start({ name: 'other' })
// @ts-expect-error the input does not fit
supervisor.workers.interval({ name: 'x', task: resize, input: 1, intervalMs: 10 })
supervisor.workers.event<number, string>({
  name: 'bell',
  handler: (n) => String(n),
  input: 1,
  afterResult(value, { input }) {
    expectTypeOf(value).toEqualTypeOf<string>()
    expectTypeOf(input).toEqualTypeOf<number>()
  },
})
// @ts-expect-error an event worker has no occurrences to let go by
supervisor.workers.event({ name: 'x', handler: () => {} }).trigger({ skip: true })
const nightly = supervisor.workers.cron({ name: 'nightly', task: nothing, cron: '0 3 * * *' })
expectTypeOf(nightly.preview(3)).toEqualTypeOf<number[]>()
nightly.reschedule({ cron: '0 4 * * *' })
// @ts-expect-error a plain worker cannot be triggered
supervisor.workers.plain({ name: 'x', handler: () => {} }).trigger()

const chained = chain([nothing, resize.call({ file: 'a', width: 1 })])
expectTypeOf(supervisor.submit(chained).result).toEqualTypeOf<Promise<number>>()
expectTypeOf(supervisor.submit(chain([resize.call({ file: 'a', width: 1 }), nothing])).result).toEqualTypeOf<
  Promise<string>
>()
const together = all([nothing.call(), resize.call({ file: 'a', width: 1 })])
expectTypeOf(supervisor.submit(together).result).toEqualTypeOf<Promise<[string, number]>>()
const total = defineTask({ name: 'total' }, ([text, width]: [string, number]) => ({ text, width }))
const joined = all([nothing.call(), resize.call({ file: 'a', width: 1 })], total)
expectTypeOf(supervisor.submit(joined).result).toEqualTypeOf<Promise<{ text: string; width: number }>>()
// @ts-expect-error the join takes other values
all([nothing.call()], total)
defineTask({ name: 'inside' }, async (_: undefined, ctx) => {
  expectTypeOf(await runOnce(resize.call({ file: 'a', width: 1 }), ctx)).toEqualTypeOf<
    number | ControlValue
  >()
  return next(nothing.call())
})
