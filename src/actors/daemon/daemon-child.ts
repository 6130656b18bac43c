/** A daemon as a supervised child: what its supervisor starts, lists and stops. */
import type { AnyActorRef } from 'xstate'
import type { ChildKind, ChildListener, ChildLook, ChildSpec, Incarnation } from '../supervised.ts'
import { DaemonLife } from './daemon-life.ts'
import type { DaemonPorts } from './daemon-ports.ts'
import type { DaemonCounts } from './held-tasks.ts'
import type { RenewalCounts } from './lease-keeper.ts'

/** The life under way, or the last one, in numbers. */
export interface DaemonNumbers {
  readonly state: string
  /** Tasks that it holds, and how many of them run. */
  readonly held: number
  readonly running: number
  /** Ends of tasks that are not known to be stored. */
  readonly untold: number
  readonly counts: Readonly<DaemonCounts>
  readonly renewals: Readonly<RenewalCounts>
}

export class DaemonChild implements ChildSpec {
  readonly kind: ChildKind = 'daemon'
  readonly id: string
  readonly name: string
  /** Told to stop by somebody who reads the store, it stays so. */
  readonly restart = 'transient'
  /** The bound of a stop is the daemon's, or its supervisor's. */
  readonly shutdownMs: number = Number.POSITIVE_INFINITY
  readonly #ports: DaemonPorts
  life: DaemonLife | undefined = undefined

  constructor(name: string, ports: DaemonPorts) {
    this.id = `daemon:${name}`
    this.name = name
    this.#ports = ports
  }

  /** `undefined` before its first life. */
  get numbers(): DaemonNumbers | undefined {
    return this.life?.numbers
  }

  start(listener: ChildListener): Incarnation {
    const life = new DaemonLife(this.#ports, listener)
    this.life = life
    life.send({ type: 'daemon.start' })
    return life
  }

  actor(parent: AnyActorRef): AnyActorRef | undefined {
    return this.life?.driver.actorOf(parent, this.id, 'daemon')
  }

  look(): ChildLook | undefined {
    return this.life?.driver.look()
  }
}
