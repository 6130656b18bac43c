/**
 * The tracing channel `stateward:attempt` of `node:diagnostics_channel`: for whoever watches handlers, in whichever thread or
 * process they run. A store that is bound to its `start` is the handler's, also after an await.
 */
import { tracingChannel } from 'node:diagnostics_channel'

/** What subscribers are given; Node adds `result` or `error`. */
export interface AttemptMessage {
  /** Id of the supervisor. */
  readonly supervisor: string
  readonly runId: string
  readonly name: string
  /** Attempt number, from 1. */
  readonly attempt: number
}

const channel = tracingChannel<unknown, AttemptMessage>('stateward:attempt')

/** Asked for every attempt: nothing is made for nobody. */
export function isAttemptHeard(): boolean {
  return channel.hasSubscribers
}

/** Calls the handler and tells of it. What it returns comes as a promise. */
export function tellAttempt(message: AttemptMessage, call: () => unknown): Promise<unknown> {
  return channel.tracePromise(async () => call(), message)
}
