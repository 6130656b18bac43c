/** What the tests of the supervisor share: one on a manual clock that is stopped when its test ends. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Logger, pino } from 'pino'
import { onTestFinished } from 'vitest'
import {
  type AnyEvent,
  createSupervisor,
  defineTask,
  type EventName,
  type HandlerContext,
  type Run,
  type StopOptions,
  type Supervisor,
  type SupervisorEvents,
  type SupervisorOptions,
  type TaskDefinition,
  type TaskOptions,
} from '../../src/index.ts'
import { type EventRecorder, ManualClock, recordEvents } from '../../src/runtime/testing/index.ts'
import { deferred } from './deferred.ts'
import { turns } from './turns.ts'

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

export interface TestSupervisor {
  readonly supervisor: Supervisor
  readonly clock: ManualClock
  readonly recorder: EventRecorder<SupervisorEvents>
  /** What went to the logger, all levels. */
  readonly lines: LogLine[]
  /** Payloads of the recorded events of one name, in order. */
  of<Name extends EventName>(name: Name): SupervisorEvents[Name][]
  /** Names of the recorded events about one run, in order, without the `task.`. */
  story(run: Run): string[]
  /** Stops, and moves the clock as far as the stop needs it. */
  stop(options?: StopOptions): Promise<void>
}

/** A logger that keeps its lines. */
export function memoryLogger(lines: LogLine[]): Logger {
  return pino({ level: 'trace', base: null }, { write: (line) => void lines.push(JSON.parse(line)) })
}

/** How long, by real time, threads may take to end with their supervisor. */
const PATIENCE_MS = 5_000

/** A supervisor that is not started: on a manual clock, with a logger that says nothing aloud. */
export function testSupervisor(options: SupervisorOptions & { clock?: ManualClock } = {}): TestSupervisor {
  const clock = options.clock ?? new ManualClock()
  const lines: LogLine[] = []
  const supervisor = createSupervisor({
    id: 'test',
    daemon: true,
    logger: memoryLogger(lines),
    ...options,
    clock,
  })
  const recorder = recordEvents<AnyEvent>(supervisor)
  const stop = async (stopOptions: StopOptions = { wait: false }): Promise<void> => {
    let done = false
    const stopped = supervisor.stop(stopOptions).finally(() => {
      done = true
    })
    stopped.catch(() => {})
    // What leaves the event loop (a thread that ends) takes turns, everything else takes the clock.
    for (const end = performance.now() + PATIENCE_MS; !done && performance.now() < end; ) {
      await clock.advance(0)
      if (done || clock.nextDueAt === undefined) continue
      await clock.advanceTo(clock.nextDueAt)
    }
    if (!done) throw new Error(`The supervisor is ${supervisor.state} and no timer will ever stop it.`)
    await stopped
  }
  onTestFinished(async () => {
    await stop()
    recorder.stop()
  })
  return {
    supervisor,
    clock,
    recorder,
    lines,
    of: (name) => recorder.events.filter(({ type }) => type === name).map(({ payload }) => payload) as never,
    story: (run) =>
      recorder.events
        .filter(({ payload }) => 'runId' in payload && payload.runId === run.id)
        .map(({ type }) => type.replace('task.', '')),
    stop,
  }
}

/** The same, started. */
export async function startedSupervisor(
  options: SupervisorOptions & { clock?: ManualClock } = {},
): Promise<TestSupervisor> {
  const test = testSupervisor(options)
  await test.supervisor.start()
  return test
}

/** Sizes without reserves, so that a test can count. */
export function slots(size: number): { readonly pool: { size: number; reserveNormal: 0; reserveHigh: 0 } } {
  return { pool: { size, reserveNormal: 0, reserveHigh: 0 } }
}

/** One call of a handler that waits until the test lets it go. */
export interface HeldCall<Input> {
  readonly input: Input
  readonly ctx: HandlerContext
  resolve(value?: unknown): void
  reject(error: unknown): void
}

export interface HeldTask<Input> {
  readonly task: TaskDefinition<Input, unknown>
  /** Calls of the handler, in order. */
  readonly calls: HeldCall<Input>[]
  inputs(): Input[]
}

let names = 0

/** A name that no other definition has. */
export function freshName(): string {
  names += 1
  return `task-${names}`
}

/** Options of a task, with a name of its own unless one is given. */
export type TestOptions<Input> = Partial<TaskOptions<Input>> & { readonly schema?: StandardSchemaV1 }

/**
 * A task whose handler does not end before the test says so. It ends by itself when it is told to stop,
 * unless it is `deaf`.
 */
export function heldTask<Input = void>(
  options: TestOptions<Input> & { readonly deaf?: boolean } = {},
): HeldTask<Input> {
  const { deaf = false, ...own } = options
  const calls: HeldCall<Input>[] = []
  const task = defineTask<Input, unknown>({ name: freshName(), ...own }, (input, ctx) => {
    const end = deferred<unknown>()
    if (!deaf) ctx.signal.addEventListener('abort', () => end.reject(ctx.signal.reason), { once: true })
    calls.push({ input, ctx, resolve: end.resolve, reject: end.reject })
    return end.promise
  })
  return { task, calls, inputs: () => calls.map((call) => call.input) }
}

/** A task whose handler returns at once what it was given. */
export function echoTask<Input = void>(options: TestOptions<Input> = {}): TaskDefinition<Input, Input> {
  return defineTask<Input, Input>({ name: freshName(), ...options }, (input) => input) as never
}

/** A task whose handler is `handler`. */
export function taskOf<Input = void, Output = unknown>(
  handler: (input: Input, ctx: HandlerContext) => Output | Promise<Output>,
  options: TestOptions<Input> = {},
): TaskDefinition<Input, Output> {
  return defineTask<Input, Output>({ name: freshName(), ...options }, handler) as never
}

/** What a run rejects with. Fails when it does not. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise
  } catch (error) {
    return error as never
  }
  throw new Error('It did not reject.')
}

/** What a call throws. Fails when it does not. */
export function thrownBy(call: () => unknown): Error & Record<string, unknown> {
  try {
    call()
  } catch (error) {
    return error as never
  }
  throw new Error('It did not throw.')
}

/** One event of the record, told apart by its type. */

export { deferred, turns }
