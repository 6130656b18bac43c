/**
 * Actor logic of the user's own as a child: each incarnation is one XState actor below the actor of its group.
 *
 * Its end is heard there, as XState tells a parent of it: a final state is `done`, an error `failed`, and neither
 * reaches anybody else. `stop` sends `child.stop` (or the event it was spawned with) if its machine knows it, and
 * leaves it to reach a final state; else, and when it is killed, the actor is stopped at once.
 *
 * Logic that manages something longer (a whole supervisor) says so with {@link MANAGED}: it tells when it is up,
 * and is hurried and killed by events, because its end takes time in any case.
 */
import {
  type AnyActorLogic,
  type AnyActorRef,
  type AnyStateMachine,
  createActor,
  type EventObject,
  type Snapshot,
} from 'xstate'
import type { ChildExit, RestartType } from '../machines/restart.ts'
import type { ChildGroup } from './child-group.ts'
import { statePath } from './state-path.ts'
import type { ChildKind, ChildListener, ChildLook, ChildSpec, Incarnation } from './supervised.ts'

/** What logic says that is ended by `child.stop`, `child.hurry` and `child.kill` alone. */
export interface ManagedLogic {
  readonly kind: ChildKind
  isReady(snapshot: unknown): boolean
}

export const MANAGED: unique symbol = Symbol.for('stateward.managed') as never

export interface ActorChildOptions {
  readonly id: string
  readonly logic: AnyActorLogic
  readonly input: unknown
  readonly restart: RestartType
  /** What asks it to end, instead of `child.stop`. */
  readonly shutdownEvent: EventObject | undefined
  readonly systemId: string | undefined
}

const STOP = { type: 'child.stop' } as const
const ACTOR_SHUTDOWN_MS = 5_000
const STOPPED: ChildExit = { kind: 'stopped' }

export class ActorChild implements ChildSpec {
  readonly options: ActorChildOptions
  readonly kind: ChildKind
  readonly shutdownMs: number
  readonly #group: ChildGroup
  #life: ActorLife | undefined = undefined

  constructor(group: ChildGroup, options: ActorChildOptions, shutdownMs: number | undefined) {
    this.#group = group
    this.options = options
    this.kind = managedOf(options.logic)?.kind ?? 'actor'
    this.shutdownMs = shutdownMs ?? (this.kind === 'actor' ? ACTOR_SHUTDOWN_MS : Number.POSITIVE_INFINITY)
  }

  get id(): string {
    return this.options.id
  }

  get restart(): RestartType {
    return this.options.restart
  }

  start(listener: ChildListener): Incarnation {
    const life = new ActorLife(this.#group, this.options, listener)
    this.#life = life
    life.start()
    return life
  }

  actor(): AnyActorRef | undefined {
    return this.#life?.actor
  }

  look(): ChildLook | undefined {
    const { logic } = this.options
    const actor = this.#life?.actor
    if (actor === undefined || !('root' in logic)) return undefined
    return { machine: logic as AnyStateMachine, state: statePath(actor.getSnapshot().value) }
  }
}

class ActorLife implements Incarnation {
  readonly #group: ChildGroup
  readonly #options: ActorChildOptions
  readonly #listener: ChildListener
  readonly #managed: ManagedLogic | undefined
  #isAsked = false
  #hasEnded = false
  actor: AnyActorRef | undefined = undefined

  constructor(group: ChildGroup, options: ActorChildOptions, listener: ChildListener) {
    this.#group = group
    this.#options = options
    this.#listener = listener
    this.#managed = managedOf(options.logic)
  }

  start(): void {
    const { id, logic, input, systemId } = this.#options
    const parent = this.#group.actor
    let actor: AnyActorRef
    try {
      actor = createActor(logic, {
        parent,
        id,
        src: id,
        input,
        ...(systemId === undefined ? {} : { systemId }),
      })
      this.actor = actor
      actor.start()
    } catch (error) {
      return this.#end({ kind: 'failed', error })
    }
    // What ended while it started is read here: its parent's mailbox may be busy.
    const { status, output, error }: Snapshot<unknown> = actor.getSnapshot()
    if (status === 'error') return this.#end({ kind: 'failed', error })
    this.#group.actorEnds.set(id, (exit) => {
      // The end of an earlier one of that id may have waited in the mailbox.
      if (actor.getSnapshot().status !== 'active') this.#end(exit)
    })
    if (this.#managed === undefined || status !== 'active') this.#listener.ready()
    else this.#awaitReady(actor, this.#managed)
    if (status === 'done') this.#end({ kind: 'done', output })
    else if (status === 'stopped') this.#end(STOPPED)
  }

  stop(): void {
    const { actor } = this
    if (this.#isAsked || actor === undefined) return
    this.#isAsked = true
    const { logic, shutdownEvent } = this.#options
    if (shutdownEvent === undefined && this.#managed === undefined && !knows(logic, actor, STOP))
      return this.kill()
    actor.send(shutdownEvent ?? STOP)
  }

  hurry(): void {
    this.stop()
    if (this.#managed !== undefined) this.#tell({ type: 'child.hurry' })
  }

  kill(): void {
    const { actor } = this
    if (this.#hasEnded || actor === undefined) return
    if (this.#managed !== undefined) return this.#tell({ type: 'child.kill' })
    // It may be at work: it has stopped when it says so.
    const stopped = (): void => this.#end(STOPPED)
    actor.subscribe({ complete: stopped, error: stopped })
    stopActor(actor)
  }

  #tell(event: EventObject): void {
    if (!this.#hasEnded) this.actor?.send(event)
  }

  #awaitReady(actor: AnyActorRef, { isReady }: ManagedLogic): void {
    if (isReady(actor.getSnapshot())) return this.#listener.ready()
    const subscription = actor.subscribe({
      next: (snapshot) => {
        if (!isReady(snapshot)) return
        subscription.unsubscribe()
        this.#listener.ready()
      },
      error: () => {},
    })
  }

  #end(exit: ChildExit): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    // Its child is listed on; it need not be held.
    this.actor = undefined
    this.#group.actorEnds.delete(this.#options.id)
    this.#listener.exited(exit)
  }
}

function managedOf(logic: AnyActorLogic): ManagedLogic | undefined {
  return (logic as { [MANAGED]?: ManagedLogic })[MANAGED]
}

/** Whether the logic is a machine that names the event and would take it now. A catch-all `*` does not name it. */
function knows(logic: AnyActorLogic, actor: AnyActorRef, event: EventObject): boolean {
  const { events } = logic as { events?: readonly string[] }
  const snapshot = actor.getSnapshot() as { can?(event: EventObject): boolean }
  if (!Array.isArray(events) || !events.some((name) => name === event.type || name === 'child.*'))
    return false
  try {
    return snapshot.can?.(event) === true
  } catch {
    return false
  }
}

/** Only the scope of a parent's logic has this in public, and a group's is not at hand here. */
function stopActor(actor: AnyActorRef): void {
  ;(actor as unknown as { _stop(): void })._stop()
}
