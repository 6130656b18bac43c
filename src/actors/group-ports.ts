/** What a child group needs from outside: wired by the runtime. */
import type { Backoff } from '../machines/backoff.ts'
import type { GroupFailure } from '../machines/child-group.ts'
import type { ChildExit, RestartLimits, Strategy } from '../machines/restart.ts'
import type { ChildGroup } from './child-group.ts'
import type { Clock } from './clock.ts'
import type { SupervisedChild } from './supervised-child.ts'
import type { TimerQueue } from './timer-queue.ts'
import type { Tracer } from './tracer.ts'

/** How a group follows its children. */
export interface GroupPolicy extends RestartLimits {
  readonly strategy: Strategy
  readonly backoff: Backoff
}

/** What became of a child, for events. */
export type ChildNews =
  | { readonly fact: 'started' }
  | { readonly fact: 'restarting'; readonly delayMs: number }
  | { readonly fact: 'restarted'; readonly restarts: number }
  | { readonly fact: 'ended'; readonly output: unknown }
  | { readonly fact: 'failed'; readonly error: unknown }
  | { readonly fact: 'stopped'; readonly step: 'none' | 'signal' | 'kill'; readonly ms: number }

/** The typed errors of the runtime. */
export interface GroupErrors {
  idTaken(path: string): Error
  unknown(path: string): Error
  /** The group stops or gives up. */
  stopped(path: string, state: string): Error
  startFailed(path: string, exit: ChildExit): Error
  /** The restarts of a child that counts them by itself are used up. */
  spent(path: string, limits: RestartLimits, exit: ChildExit): Error
  /** @param causes - what its children failed with, the last one last */
  gaveUp(group: ChildGroup, failure: GroupFailure, causes: readonly unknown[]): Error
}

/** No port may throw. */
export interface GroupPorts {
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly tracer: Tracer
  readonly errors: GroupErrors
  /** 0 ≤ r < 1. */
  random(): number
  /** Whether somebody inspects the actor system: then every child is an actor from its start. */
  inspected(): boolean
  /** Whether the whole supervisor ends, though the group may not have been told yet. */
  ending(): boolean
  announce(child: SupervisedChild, news: ChildNews): void
  escalated(group: ChildGroup, error: Error): void
  /** Told of what was thrown where nothing may throw. */
  onError(error: unknown): void
}
