/** A daemon as a supervised child: what its supervisor starts, lists and stops. */
import type { AnyActorRef } from 'xstate'
import type { ChildKind, ChildListener, ChildLook, ChildSpec, Incarnation } from '../supervised.ts'
import { DaemonLife } from './daemon-life.ts'
import type { DaemonPorts } from './daemon-ports.ts'

export class DaemonChild implements ChildSpec {
  readonly kind: ChildKind = 'daemon'
  readonly id: string
  /** Told to stop by somebody who reads the store, it stays so. */
  readonly restart = 'transient'
  /** The bound of a stop is the daemon's, or its supervisor's. */
  readonly shutdownMs: number = Number.POSITIVE_INFINITY
  readonly #ports: DaemonPorts
  life: DaemonLife | undefined = undefined

  constructor(id: string, ports: DaemonPorts) {
    this.id = id
    this.#ports = ports
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
