/** `ctx`, the second argument of every handler: the same in every execution. */
import type { Logger } from 'pino'
import type { TaskCall, TypedDefinition } from './definition.ts'

/** A child run as a handler sees it, on this loop or across a border. */
export interface ChildRun<Output = unknown> {
  readonly id: string
  /** Settles like the child's own result. Awaiting it lends the parent's slot to the child. */
  readonly result: Promise<Output>
  /** Cancels the child. Resolves when the request has been taken. */
  cancel(reason?: unknown): void
}

/** The supervisor as a handler sees it: on other threads and processes a proxy of the same calls. */
export interface SupervisorControl {
  readonly id: string
  submit(call: TaskCall): Promise<ChildRun>
  /** Cancels a run by its id; resolves with `false` when it is not live. */
  cancel(runId: string, reason?: unknown): Promise<boolean>
  resize(sizes: object): Promise<void>
  info(): Promise<unknown>
  /** Triggers a worker by its name, as its own `trigger` does. Resolves when the request has been taken. */
  trigger(worker: string, options?: object): Promise<void>
  /** Puts an item into a queue worker. Resolves when it was accepted: waits for room if need be. */
  put(worker: string, item: unknown): Promise<void>
  /**
   * Begins to stop the supervisor, with the options of its `stop`, and does not wait for the end: the run that asks is
   * let end like any other, with its own outcome.
   */
  stop(options?: object): Promise<void>
}

/** Values a handler returns to say something other than "finished with this". */
export const CONTROL: unique symbol = Symbol.for('stateward.control') as never

export type ControlValue =
  | { readonly [CONTROL]: 'skip'; readonly reason: string }
  | { readonly [CONTROL]: 'snooze'; readonly delayMs: number }
  | { readonly [CONTROL]: 'next'; readonly call: TaskCall }

export interface HandlerContext {
  readonly runId: string
  readonly name: string
  /** Attempt number, from 1. */
  readonly attempt: number
  /** Aborted when the run is asked to end; `signal.reason` is a typed error. */
  readonly signal: AbortSignal
  /**
   * Like `signal.aborted`, but true as soon as a stop was asked for, also inside a synchronous loop
   * in a thread, where no event can be delivered.
   */
  readonly aborted: boolean
  /** Epoch ms at which the total deadline passes, or `undefined`. */
  readonly deadlineAt: number | undefined
  /** Values from the `parameters` of submission over definition over supervisor. Frozen; empty when there are none. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** A pino child logger bound to the run. Lines from threads and processes reach the supervisor's logger. */
  readonly log: Logger
  /** Reports progress, clamped to 0..100. Cheap; the latest value wins. */
  progress(percent: number, note?: string): void
  /** Return it to end as finished without having done anything: `run.skipped`, record `inaction`. */
  skip(reason: string): ControlValue
  /** Return it to run again after `delayMs`, without using up an attempt. */
  snooze(delayMs: number): ControlValue
  /** Return it to continue as another call under the same run id. */
  next(call: TaskCall): ControlValue
  /**
   * Ends the schedule of a durable queue that has made this run: it is kept, and does not come again before it is taken away or
   * gets another rule. Resolves when that is stored.
   *
   * @throws OptionError (`ERR_SCHEDULE_UNKNOWN`) in a run that no schedule has made
   * @throws QueueError when the database cannot store it
   */
  endSchedule(): Promise<void>
  /** Submits a child run: it inherits the deadline and is cancelled with its parent unless `detached`. */
  submit<Output>(definition: TypedDefinition<void, Output>): ChildRun<Output>
  submit<Input, Output>(
    definition: TypedDefinition<Input, Output>,
    input: Input,
    options?: object,
  ): ChildRun<Output>
  readonly supervisor: SupervisorControl
}

/** Reads a control value; `undefined` for every other value. */
export function controlOf(value: unknown): ControlValue | undefined {
  return typeof value === 'object' && value !== null && CONTROL in value ? (value as ControlValue) : undefined
}
