/**
 * A step of a machine with all that XState takes on the way: the transition of the event, and those that follow it by themselves
 * (`always`, raised events). Pure.
 */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyTransitionDefinition,
  type EventObject,
  initialTransition,
  transition,
} from 'xstate'

/** What was taken on the way, and which states were left before the machine came to rest. */
export interface Passage {
  /** Names of transitions. */
  readonly taken: readonly string[]
  /** Dotted paths. */
  readonly passed: readonly string[]
}

type Scope = Parameters<AnyStateMachine['transition']>[2]
/** What it asked for, in order. */
type Asked = readonly { readonly type: string; readonly params: unknown }[]

/** How the first states of walks were come to. */
const beginnings = new WeakMap<object, Passage>()

/** `undefined` for a snapshot that is not the first of its walk. */
export function beginningOf(snapshot: unknown): Passage | undefined {
  return typeof snapshot === 'object' && snapshot !== null ? beginnings.get(snapshot) : undefined
}

export class MachineSteps {
  readonly #names: ReadonlyMap<AnyTransitionDefinition, string>
  readonly #stateOf: (snapshot: { readonly value: unknown }) => string
  /** The machine, which tells its steps. */
  readonly #told: AnyStateMachine
  #taken: AnyTransitionDefinition[] = []
  #rests: string[] = []

  constructor(
    machine: AnyStateMachine,
    names: ReadonlyMap<AnyTransitionDefinition, string>,
    stateOf: (snapshot: { readonly value: unknown }) => string,
  ) {
    this.#names = names
    this.#stateOf = stateOf
    this.#told = Object.create(machine, {
      transition: {
        value: (snapshot: AnyMachineSnapshot, event: EventObject, scope: Scope) => {
          this.#listen(scope)
          return machine.transition(snapshot, event, scope)
        },
      },
      getInitialSnapshot: {
        value: (scope: Scope, input: unknown) => {
          this.#listen(scope)
          return machine.getInitialSnapshot(scope, input)
        },
      },
    })
  }

  begin(input: unknown): AnyMachineSnapshot {
    this.#forget()
    const [first] = initialTransition(this.#told, input as never)
    // Its context is made of an input that it was not given, say.
    if (first.status === 'error') throw first.error
    beginnings.set(first, this.#passage())
    return first
  }

  take(from: AnyMachineSnapshot, event: EventObject): Passage & { to: AnyMachineSnapshot; asked: Asked } {
    this.#forget()
    const [to, asked] = transition(this.#told, from, event)
    return { to, asked, ...this.#passage() }
  }

  #forget(): void {
    this.#taken = []
    this.#rests = []
  }

  #listen({ system }: Scope): void {
    this.#forget()
    system.inspect((told) => {
      if (told.type !== '@xstate.microstep') return
      this.#taken.push(...told._transitions)
      this.#rests.push(...this.#stateOf(told.snapshot as unknown as { value: unknown }).split('|'))
    })
  }

  #passage(): Passage {
    return {
      taken: this.#taken.map((one) => this.#names.get(one) ?? `? ${one.eventType}`),
      // Where a machine begins is told by what leaves it.
      passed: [...new Set([...this.#rests, ...this.#taken.map(({ source }) => source.path.join('.'))])],
    }
  }
}
