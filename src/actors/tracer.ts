/** Where whoever debugs hears of every step of every machine of one supervisor. */

/** A machine took an event. States are dotted paths; `from` and `to` may be the same. */
export interface Step {
  readonly machine: string
  readonly id: string
  readonly event: string
  readonly from: string
  readonly to: string
}

export class Tracer {
  /** Set while somebody listens: whoever drives a machine looks here first, and makes nothing for nobody. Must not throw. */
  listener: ((step: Step) => void) | undefined = undefined
}
