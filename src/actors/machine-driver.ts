/**
 * Drives one compiled machine for its owner: keeps the snapshot, works events off one at a time, and calls the
 * owner's effect for each action the machine asks for.
 *
 * It becomes an XState actor when somebody looks (`actorOf`), from the snapshot it has reached; from then on
 * every event goes through that actor's mailbox. Ten thousand workers that nobody looks at cost a driver
 * each (about 0.3 KB) instead of an actor (about 2 KB), and nobody can tell the difference.
 *
 * Effects run when the new snapshot is in place, and what they send is worked off after them
 * (run to completion). An effect that throws is reported and keeps no other from its turn.
 */
import {
  type ActorLogic,
  type AnyActorRef,
  type AnyActorScope,
  type AnyStateMachine,
  createActor,
  type EventFromLogic,
  type InputFrom,
} from 'xstate'
import type { CompiledLogic, SnapshotOf } from '../machines/compile.ts'
import type { Tracer } from './tracer.ts'

/** One function per action of the machine; one table serves all owners of a kind. */
export type DriverEffects<Owner, Machine extends AnyStateMachine> = Readonly<
  Record<string, (owner: Owner, params: never, event: EventFromLogic<Machine>) => void>
>

export interface DriverOptions<Owner, Machine extends AnyStateMachine> {
  readonly logic: CompiledLogic<Machine>
  /** The initial state must not ask for effects: its owner is not complete yet. */
  readonly input: InputFrom<Machine>
  readonly effects: DriverEffects<Owner, Machine>
  /** Told of what an effect or a guard threw. Must not throw. */
  onError(error: unknown): void
  /** Told of every step, for whoever follows the machine. Must not throw. */
  onStep?(event: EventFromLogic<Machine>): void
  /** By which names its steps are told to whoever debugs. */
  readonly traced?: {
    readonly tracer: Tracer
    readonly machine: string
    idOf(owner: Owner): string
  }
}

const ignore = (): void => {}

// What the steps under way, of all drivers, have asked for, as a stack: what an effect sends is stepped on top of the
// rest. The arrays keep their length, which is dear to change; `top` says how much of them is in use.
const asked: string[] = []
const askedParams: unknown[] = []
let top = 0
const collect = (action: string, params: unknown): void => {
  asked[top] = action
  askedParams[top] = params
  top += 1
}

export class MachineDriver<Owner, Machine extends AnyStateMachine> {
  readonly #owner: Owner
  readonly #options: DriverOptions<Owner, Machine>
  #snapshot: SnapshotOf<Machine>
  #actor: AnyActorRef | undefined = undefined
  #mail: EventFromLogic<Machine>[] | undefined = undefined
  #isWorking = false

  /** @param options - one object may serve all drivers that share its input */
  constructor(owner: Owner, options: DriverOptions<Owner, Machine>) {
    this.#owner = owner
    this.#options = options
    this.#snapshot = options.logic.initial(options.input, ignore)
  }

  get snapshot(): SnapshotOf<Machine> {
    return this.#snapshot
  }

  /** The atomic state, as a dotted path. */
  get state(): string {
    const { logic } = this.#options
    return logic.states[logic.indexOf(this.#snapshot)] ?? ''
  }

  /** What an inspector draws. */
  look(): { readonly machine: Machine; readonly state: string } {
    return { machine: this.#options.logic.machine, state: this.state }
  }

  /** The actor, once somebody looked. */
  get actor(): AnyActorRef | undefined {
    return this.#actor
  }

  /** Works the event off, after those that are under way. */
  send(event: EventFromLogic<Machine>): void {
    if (this.#isWorking) {
      this.#mail ??= []
      this.#mail.push(event)
      return
    }
    this.#isWorking = true
    try {
      for (
        let next: EventFromLogic<Machine> | undefined = event;
        next !== undefined;
        next = this.#mail?.shift()
      ) {
        if (this.#actor === undefined) this.#step(next)
        else this.#actor.send(next)
      }
    } finally {
      this.#isWorking = false
    }
  }

  /** Sends an event that is part of the step under way: before those that wait. */
  raise(event: EventFromLogic<Machine>): void {
    if (!this.#isWorking) return this.send(event)
    this.#mail ??= []
    this.#mail.unshift(event)
  }

  /** The XState actor, made now if need be, as a child of `parent`. */
  actorOf(parent: AnyActorRef, id: string, src: string): AnyActorRef {
    if (this.#actor !== undefined) return this.#actor
    const actor = createActor(this.#toActorLogic(), { parent, id, src })
    this.#actor = actor
    actor.start()
    return actor
  }

  #step(event: EventFromLogic<Machine>): void {
    const base = top
    try {
      if (!this.#advance(event)) return
      const end = top
      for (let index = base; index < end; index += 1) {
        const params = askedParams[index]
        askedParams[index] = undefined
        this.#carryOut(asked[index] as string, params, event)
      }
    } finally {
      top = base
    }
  }

  /** The new snapshot is in place when this returns; the effects are carried out by what it returns. */
  #stepActor(event: EventFromLogic<Machine>): () => void {
    const base = top
    const moved = this.#advance(event)
    const actions = asked.slice(base, top)
    const params = askedParams.slice(base, top)
    top = base
    if (!moved || actions.length === 0) return ignore
    return () => {
      for (const [index, action] of actions.entries()) this.#carryOut(action, params[index], event)
    }
  }

  /** Puts the new snapshot in place and what it asks for on the stack. @returns whether the step was taken */
  #advance(event: EventFromLogic<Machine>): boolean {
    const { logic, onStep, traced } = this.#options
    const from = traced?.tracer.listener === undefined ? undefined : this.state
    try {
      this.#snapshot = logic.step(this.#snapshot, event, collect)
    } catch (error) {
      // Only a guard that was plugged in throws. The machine stays where it is.
      this.#options.onError(error)
      return false
    }
    onStep?.(event)
    if (from !== undefined) this.#trace(event, from)
    return true
  }

  #trace({ type }: EventFromLogic<Machine>, from: string): void {
    const { traced } = this.#options
    if (traced === undefined) return
    const { tracer, machine } = traced
    tracer.listener?.({ machine, id: traced.idOf(this.#owner), event: type, from, to: this.state })
  }

  #carryOut(action: string, params: unknown, event: EventFromLogic<Machine>): void {
    const { effects, onError } = this.#options
    try {
      effects[action]?.(this.#owner, params as never, event)
    } catch (error) {
      onError(error)
    }
  }

  #toActorLogic(): ActorLogic<
    SnapshotOf<Machine>,
    EventFromLogic<Machine>,
    unknown,
    AnyActorScope['system']
  > {
    const { logic } = this.#options
    return {
      // The inspector draws the chart from here.
      ...({ config: logic.config } as object),
      getInitialSnapshot: () => this.#snapshot,
      getPersistedSnapshot: (snapshot, options) => logic.getPersistedSnapshot(snapshot, options),
      transition: (snapshot, event, scope) => {
        if ((event.type as string) === 'xstate.stop') {
          // A parent that stops takes the actor away, not what it shows.
          this.#actor = undefined
          return logic.transition(snapshot, event, scope as never)
        }
        // Somebody outside may have sent it: what the effects send must wait for them all the same.
        const fromOutside = !this.#isWorking
        const carryOut = this.#stepActor(event)
        scope.defer(fromOutside ? () => this.#finishOutside(carryOut) : carryOut)
        return this.#snapshot
      },
    }
  }

  #finishOutside(carryOut: () => void): void {
    this.#isWorking = true
    try {
      carryOut()
    } finally {
      this.#isWorking = false
    }
    const next = this.#mail?.shift()
    if (next !== undefined) this.send(next)
  }
}
