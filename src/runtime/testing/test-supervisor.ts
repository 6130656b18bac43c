/**
 * A supervisor that does nothing by itself: time moves when the test moves it, chance is fixed, and attempts wait for the
 * word of the test. All else is the real thing: admission, timers, workers, children, stop.
 */
import { type Logger, pino } from 'pino'
import { type Checks, check, checkOptions, refuse } from '../check.ts'
import type { AnyEvent, SupervisorEvents } from '../events.ts'
import type { Run } from '../run.ts'
import type { StopOptions } from '../stop-options.ts'
import type { StopReport } from '../stop-report.ts'
import { createSupervisor, type Supervisor } from '../supervisor.ts'
import { type SupervisorOptions, supervisorChecks } from '../supervisor-options.ts'
import { type HeldAttempt, HeldWork } from './held-work.ts'
import { ManualClock } from './manual-clock.ts'
import { type EventRecorder, recordEvents } from './record-events.ts'

/** Options of {@link createTestSupervisor}: those of `createSupervisor`, and these. */
export interface TestSupervisorOptions extends Omit<SupervisorOptions, 'clock' | 'executors'> {
  /** @defaultValue a new one */
  readonly clock?: ManualClock
  /**
   * Attempts of all executions are held: no handler is called, and the test says what becomes of each. `false`: handlers
   * run as ever. Commands and runs on named loops are never held. @defaultValue true
   */
  readonly hold?: boolean
  /** Held attempts ignore that they are told to stop, until the test says otherwise. @defaultValue false */
  readonly deaf?: boolean
}

/** One line of the supervisor's log. */
export interface LoggedLine {
  /** pino's number: 30 info, 40 warn, 50 error. */
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

/** What {@link createTestSupervisor} returns. `await using` stops it at the end of the block. */
export interface TestSupervisor extends AsyncDisposable {
  readonly supervisor: Supervisor
  readonly clock: ManualClock
  /** All events since it was made. */
  readonly recorder: EventRecorder<SupervisorEvents>
  /** What was logged, all levels; empty with a `logger` of one's own. */
  readonly lines: readonly LoggedLine[]
  /** Attempts that have begun and not ended, oldest first. */
  readonly attempts: readonly HeldAttempt[]
  /** @throws Error when no attempt of it is held: the run waits, has ended, or was admitted in this very turn */
  attemptOf(run: Run | string): HeldAttempt
  /** Lets everything run that needs no time: `clock.advance(0)`. */
  turn(): Promise<void>
  /** Stops, and moves the clock on as far as the stop needs it. A second call is told the same. */
  stop(options?: StopOptions): Promise<StopReport>
}

const { executors: _, ...supervisorOptions } = supervisorChecks
const CHECKS: Checks = {
  ...supervisorOptions,
  clock: (where, value) => {
    if (!(value instanceof ManualClock)) refuse(where, 'a ManualClock', value)
  },
  hold: check.boolean,
  deaf: check.boolean,
}

/** How long, by real time, threads and processes may take to end: with `hold: false` there may be some. */
const PATIENCE_MS = 10_000

/**
 * Makes a supervisor for a test; `start()` is the test's to call.
 *
 * ```ts
 * await using test = createTestSupervisor({ pool: { size: 1 } })
 * await test.supervisor.start()
 * const run = test.supervisor.submit(sendMail, { to: 'a@example.org' }, { retry: { attempts: 2 } })
 * test.attemptOf(run).throw(new Error('no route to host'))
 * await test.clock.advance(1_000)
 * test.attemptOf(run).return('sent')
 * await run.result
 * ```
 * @throws OptionError for options that `createSupervisor` refuses
 */
export function createTestSupervisor(options: TestSupervisorOptions = {}): TestSupervisor {
  checkOptions('createTestSupervisor()', options, CHECKS)
  const { clock = new ManualClock(), hold = true, deaf = false, ...rest } = options
  const work = new HeldWork(deaf, () => clock.now())
  const lines: LoggedLine[] = []
  const supervisor = createSupervisor({
    id: 'test',
    // Nothing of it keeps a test process alive that has forgotten to stop it.
    daemon: true,
    random: () => 0.5,
    logger: keeper(lines),
    ...rest,
    clock,
    ...(hold
      ? { executors: { local: work.executor(), thread: work.executor(), process: work.executor() } }
      : {}),
  })
  const recorder = recordEvents<AnyEvent>(supervisor)
  let stopped: Promise<StopReport> | undefined
  const stop = (stopOptions: StopOptions = { wait: false }): Promise<StopReport> => {
    stopped ??= stopOn(clock, supervisor, stopOptions)
    return stopped
  }
  return {
    supervisor,
    clock,
    recorder,
    lines,
    get attempts() {
      return work.attempts
    },
    attemptOf(run) {
      const id = typeof run === 'string' ? run : run.id
      const held = work.of(id)
      if (held !== undefined) return held
      const state = supervisor.get(id)?.state ?? 'unknown here'
      throw new Error(
        `No attempt of run ${id} is held: it is ${state}. ${hold ? '' : 'Nothing is with hold: false.'}`.trim(),
      )
    },
    turn: () => clock.advance(0),
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      recorder.stop()
    },
  }
}

function keeper(lines: LoggedLine[]): Logger {
  return pino({ level: 'trace', base: null }, { write: (line) => void lines.push(JSON.parse(line)) })
}

async function stopOn(clock: ManualClock, supervisor: Supervisor, options: StopOptions): Promise<StopReport> {
  const stopping = supervisor.stop(options)
  const over = Symbol('over')
  stopping.catch(() => {})
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
    // What leaves the event loop (a thread that ends) takes turns, everything else takes the clock.
    await clock.advance(0)
    if (
      (await Promise.race([
        stopping.then(
          () => over,
          () => over,
        ),
        clock.advance(0),
      ])) === over
    )
      return stopping
    if (clock.nextDueAt !== undefined) await clock.advanceTo(clock.nextDueAt)
  }
  throw new Error(
    `The supervisor is ${supervisor.state}, and no timer will ever stop it: something ignores that it was told to.`,
  )
}
