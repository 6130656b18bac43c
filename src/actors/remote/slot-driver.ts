/** Runs a slot's machine: keeps its state, and calls the slot's effect for each action it asks for. */
import type { AnyStateMachine, EventFromLogic, InputFrom, SnapshotFrom } from 'xstate'
import type { CompiledLogic } from '../../machines/compile.ts'

/** One function per action of the machine. */
export type SlotEffects = Readonly<Record<string, () => void>>

/** Where the step that runs now leaves its actions. Steps are pure, so they never nest. */
let asked: string[] = []
const collect = (action: string): void => {
  asked.push(action)
}

export class SlotDriver<Machine extends AnyStateMachine> {
  readonly #logic: CompiledLogic<Machine>
  readonly #effects: SlotEffects
  #snapshot: SnapshotFrom<Machine>

  constructor(logic: CompiledLogic<Machine>, effects: SlotEffects) {
    this.#logic = logic
    this.#effects = effects
    this.#snapshot = logic.initial(undefined as InputFrom<Machine>, collect)
  }

  /** The atomic state, as a dotted path. */
  get state(): string {
    return this.#logic.states[this.#logic.indexOf(this.#snapshot)] ?? ''
  }

  /** Effects run when the new state is in place: they may send the next event. */
  send(event: EventFromLogic<Machine>): void {
    this.#snapshot = this.#logic.step(this.#snapshot, event, collect)
    if (asked.length === 0) return
    const actions = asked
    asked = []
    for (const action of actions) this.#effects[action]?.()
  }
}
