/** The charts that rows name: one per configuration of a machine, under its id. */
import type { AnyStateMachine } from 'xstate'
import type { Chart } from '../../machines/chart.ts'
import { machineJson } from '../../machines/machine-json.ts'

export class Charts {
  readonly #machines = new Map<string, AnyStateMachine>()
  /** Machines that differ in their implementations alone share it. */
  readonly #names = new WeakMap<object, string>()
  readonly #made = new Map<string, Chart>()

  /** The name of the machine's chart: its id, with a number if another machine has that already. */
  nameOf(machine: AnyStateMachine): string {
    const { config, id } = machine
    const known = this.#names.get(config)
    if (known !== undefined) return known
    let name = id
    for (let next = 2; this.#machines.has(name); next += 1) name = `${id}-${next}`
    this.#machines.set(name, machine)
    this.#names.set(config, name)
    return name
  }

  get(name: string): Chart | undefined {
    const made = this.#made.get(name)
    if (made !== undefined) return made
    const machine = this.#machines.get(name)
    if (machine === undefined) return undefined
    const chart = machineJson(machine)
    this.#made.set(name, chart)
    return chart
  }
}
