/** Options of supervised children and their groups: checked before anything exists. */
import type { AnyActorLogic, EventObject, InputFrom } from 'xstate'
import type { GroupPolicy } from '../actors/group-ports.ts'
import type { Backoff } from '../machines/backoff.ts'
import { RESTART_TYPES, type RestartType, STRATEGIES, type Strategy } from '../machines/restart.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import { backoffChecks } from './task-options.ts'

/** What every child says about its own end. */
export interface ChildOptions {
  /** Whether another life follows one that ended. @defaultValue 'permanent' */
  readonly restart?: RestartType
  /**
   * How long it may take to end when it is asked to, before it is killed: ms, 0 kills at once, `Infinity` waits
   * (the bound of `supervisor.stop` holds all the same). @defaultValue 5000, for groups and supervisors Infinity
   */
  readonly shutdownMs?: number
}

/** Options of {@link Supervisor.spawn}. `input` is what the logic asks for. */
export type SpawnOptions<Logic extends AnyActorLogic = AnyActorLogic> = ChildOptions & {
  /** Unique in its group. */
  readonly id: string
  /** Sent to ask it to end. @defaultValue `{ type: 'child.stop' }`, if the machine takes it */
  readonly shutdownEvent?: EventObject
  /** Its name in the actor system, for `system.get`. */
  readonly systemId?: string
} & (undefined extends InputFrom<Logic>
    ? { readonly input?: InputFrom<Logic> }
    : { readonly input: InputFrom<Logic> })

/** How a group follows its children. */
export interface SupervisionOptions {
  /** Which siblings a restart takes along. @defaultValue 'one-for-one' */
  readonly strategy?: Strategy
  /** Restarts allowed within `periodMs`; one more, and the group gives up. @defaultValue 3 */
  readonly intensity?: number
  /** @defaultValue 5000 */
  readonly periodMs?: number
  /** How long a restart waits, by how many came in a row. @defaultValue exponential, 100 ms to 10 s */
  readonly backoff?: Backoff
}

/** Options of {@link Supervisor.group}. `restart` and `shutdownMs` are those of the group as a child. */
export interface GroupOptions extends SupervisionOptions, ChildOptions {}

const SUPERVISION_DEFAULTS: GroupPolicy = {
  strategy: 'one-for-one',
  intensity: 3,
  periodMs: 5_000,
  backoff: { kind: 'exponential', initialMs: 100, maxMs: 10_000, jitter: 'equal' },
}

const childChecks: Checks = {
  restart: check.oneOf(...RESTART_TYPES),
  shutdownMs: check.duration,
}

const event = check.either("an event with a type, like { type: 'close' }", (_, value) => {
  const { type } = (value ?? {}) as { type?: unknown }
  if (typeof type !== 'string' || type === '') throw new TypeError()
})

const spawnChecks: Checks = {
  ...childChecks,
  id: check.text,
  input: check.anything,
  shutdownEvent: event,
  systemId: check.text,
}

export const limitChecks: Checks = {
  intensity: check.either('a whole number from 0 on, or Infinity', check.count(0), (_, value) => {
    if (value !== Number.POSITIVE_INFINITY) throw new TypeError()
  }),
  periodMs: check.number(1, Number.MAX_SAFE_INTEGER),
}

export const supervisionChecks: Checks = {
  ...limitChecks,
  strategy: check.oneOf(...STRATEGIES),
  backoff: check.options(backoffChecks),
}

/** @throws OptionError */
export function checkSpawn(logic: unknown, options: SpawnOptions): void {
  check.having('actor logic of XState', 'transition', 'getInitialSnapshot')('spawn(logic)', logic)
  checkOptions('spawn()', options, spawnChecks)
  checkId('spawn().id', options.id)
}

/** @throws OptionError */
export function checkGroup(id: string, options: GroupOptions): void {
  checkId('group(id)', id)
  checkOptions('group()', options, { ...childChecks, ...supervisionChecks })
}

/** A path joins ids with `/`. @throws OptionError */
export function checkId(where: string, id: unknown): void {
  check.text(where, id)
  if ((id as string).includes('/'))
    refuse(where, 'free of "/"', id, 'A slash stands between group and child.')
}

/** The options have been checked. */
export function policyOf(options: SupervisionOptions): GroupPolicy {
  const { backoff } = options
  return {
    strategy: options.strategy ?? SUPERVISION_DEFAULTS.strategy,
    intensity: options.intensity ?? SUPERVISION_DEFAULTS.intensity,
    periodMs: options.periodMs ?? SUPERVISION_DEFAULTS.periodMs,
    backoff: { ...SUPERVISION_DEFAULTS.backoff, ...backoff },
  }
}
