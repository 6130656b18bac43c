/** A whole supervisor as actor logic: spawned under another one, or invoked by a machine of the user's own. */
import type { ActorLogic, AnyActorRef, AnyActorScope, Snapshot } from 'xstate'
import { MANAGED, type ManagedLogic } from '../actors/actor-child.ts'
import { check } from './check.ts'
import type { Supervisor } from './supervisor.ts'

/** The snapshot of a supervisor that is an actor. */
export type SupervisorLogicSnapshot = Snapshot<undefined> & {
  readonly supervisor: Supervisor
  /** Whether it has started. */
  readonly isUp: boolean
}

/** What ends it: gently; without its backlog; at once. */
export type SupervisorLogicEvent = { readonly type: 'child.stop' | 'child.hurry' | 'child.kill' }

type Fact =
  | { readonly type: 'supervisor.up' }
  | { readonly type: 'supervisor.over' }
  | { readonly type: 'supervisor.down'; readonly error: unknown }

/**
 * Actor logic that makes a supervisor and runs it: done when it has stopped, an error when it could not start or has
 * failed. Under `spawn` it is up when its supervisor has started, and has `shutdownMs` to stop.
 *
 * @param create - makes the supervisor, a new one for each life. What it throws, or an OptionError if it makes something else, is
 *   the actor's error
 * @throws OptionError (`ERR_OPTION_INVALID`) when `create` is no function
 * @example
 * ```ts
 * supervisor.spawn(supervisorLogic(() => createSupervisor({ id: 'mail' })), { id: 'mail' })
 * ```
 */
export function supervisorLogic<Input = undefined>(
  create: (input: Input) => Supervisor,
): ActorLogic<SupervisorLogicSnapshot, SupervisorLogicEvent, Input, AnyActorScope['system']> {
  check.fn('supervisorLogic(create)', create)
  const managed: ManagedLogic = {
    kind: 'supervisor',
    isReady: (snapshot) => (snapshot as SupervisorLogicSnapshot).isUp,
  }
  return {
    ...({ [MANAGED]: managed } as object),
    getInitialSnapshot: (_, input) => ({
      status: 'active',
      output: undefined,
      error: undefined,
      supervisor: made(create(input)),
      isUp: false,
    }),
    getPersistedSnapshot() {
      throw new Error('A supervisor cannot be persisted: what it runs would be lost.')
    },
    start: ({ supervisor }, { self }) => run(supervisor, self),
    transition(snapshot, event, { defer }) {
      const { supervisor, isUp } = snapshot
      const fact = event as Fact | SupervisorLogicEvent | { readonly type: 'xstate.stop' }
      const ended = { output: undefined, error: undefined, supervisor, isUp }
      if (fact.type === 'supervisor.up') return { ...snapshot, isUp: true }
      if (fact.type === 'supervisor.over') return { ...ended, status: 'done' }
      if (fact.type === 'supervisor.down') return { ...ended, status: 'error', error: fact.error }
      const options = STOPS[fact.type]
      if (options !== undefined) defer(() => void supervisor.stop(options))
      // Whoever stops the actor does not wait: the supervisor ends on its own.
      return fact.type === 'xstate.stop' ? { ...ended, status: 'stopped' } : snapshot
    },
  }
}

/** @throws OptionError */
function made(supervisor: Supervisor): Supervisor {
  check.having('a supervisor', 'start', 'stop', 'block')('what supervisorLogic(create) makes', supervisor)
  return supervisor
}

const STOPS: Readonly<Record<string, Parameters<Supervisor['stop']>[0]>> = {
  // Its parent holds the bound.
  'child.stop': { wait: true },
  'child.hurry': { wait: true, cancelTasks: true },
  'child.kill': { wait: false },
  'xstate.stop': { wait: false },
}

function run(supervisor: Supervisor, self: AnyActorRef): void {
  const tell = (fact: Fact): void => {
    // It may have been stopped meanwhile.
    if (self.getSnapshot().status === 'active') self.send(fact)
  }
  const down = (error: unknown): void => tell({ type: 'supervisor.down', error })
  supervisor.start().then(() => {
    tell({ type: 'supervisor.up' })
    // From the start on it is this life's promise.
    supervisor.closed.then(() => tell({ type: 'supervisor.over' }), down)
  }, startFailed)

  // A stop that overtook the start is no failure, if it is over.
  function startFailed(error: unknown): void {
    if (supervisor.state === 'failed') return down(error)
    supervisor.block().then(() => tell({ type: 'supervisor.over' }), down)
  }
}
