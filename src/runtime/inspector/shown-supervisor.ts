/** One supervisor that an inspector shows: its actors, how they are called, and what was heard of them. */
import type { SupervisedChild } from '../../actors/supervised-child.ts'
import type { StepListener } from '../../actors/tracer.ts'
import type { LiveSupervisor } from '../live-supervisor.ts'
import type { Charts } from './charts.ts'
import type { Ids } from './ids.ts'
import { Marks } from './marks.ts'
import { SupervisorTree } from './supervisor-tree.ts'

export interface ShownSupervisorOptions {
  readonly supervisor: LiveSupervisor
  readonly ids: Ids
  readonly charts: Charts
  /** The tree of a nested supervisor that lives, if the child is one. */
  nested(child: SupervisedChild): SupervisorTree | undefined
}

export class ShownSupervisor {
  readonly supervisor: LiveSupervisor
  readonly ids: Ids
  readonly marks = new Marks()
  readonly tree: SupervisorTree
  #quit: (() => void) | undefined

  constructor({ supervisor, ids, charts, nested }: ShownSupervisorOptions) {
    this.supervisor = supervisor
    this.ids = ids
    this.tree = new SupervisorTree({ parts: supervisor.parts, ids, charts, marks: this.marks, nested })
  }

  /**
   * @param hear - told of every step of its machines
   * @param childStepped - told the path of a child, before the step of that has its effects
   */
  listen(hear: StepListener, childStepped: (path: string) => void): void {
    const { pool, actor, id } = this.supervisor.parts
    const untrace = pool.tracer.add((step) => {
      hear(step)
      if (step.machine === 'child') childStepped(step.id)
    })
    const unfollow = actor.follow((event, from, to) => hear({ machine: 'supervisor', id, event, from, to }))
    this.#quit = () => {
      untrace()
      unfollow()
    }
  }

  leave(): void {
    this.#quit?.()
    this.#quit = undefined
    this.marks.clear()
  }
}
