/** A nested group as a child of the group above it. */
import type { AnyActorRef } from 'xstate'
import { childGroupMachine } from '../machines/child-group.ts'
import type { RestartType } from '../machines/restart.ts'
import type { ChildGroup } from './child-group.ts'
import type { ChildKind, ChildListener, ChildLook, ChildSpec, Incarnation } from './supervised.ts'

export interface GroupChildOptions {
  readonly restart: RestartType
  readonly shutdownMs: number
}

export class GroupChild implements ChildSpec {
  readonly kind: ChildKind = 'group'
  readonly group: ChildGroup
  readonly restart: RestartType
  readonly shutdownMs: number

  constructor(group: ChildGroup, { restart, shutdownMs }: GroupChildOptions) {
    this.group = group
    this.restart = restart
    this.shutdownMs = shutdownMs
  }

  get id(): string {
    return this.group.id
  }

  start(listener: ChildListener): Incarnation {
    this.group.start(listener)
    return this.group
  }

  removed(): void {
    this.group.remove()
  }

  actor(): AnyActorRef {
    return this.group.actor
  }

  look(): ChildLook {
    return { machine: childGroupMachine, state: this.group.state }
  }
}
