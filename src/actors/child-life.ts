/** One incarnation, as its child hears of it. What a past one says is not heard. */
import type { ChildExit } from '../machines/restart.ts'
import type { ChildListener, Incarnation } from './supervised.ts'
import type { SupervisedChild } from './supervised-child.ts'

export class Life implements ChildListener {
  readonly #child: SupervisedChild
  incarnation: Incarnation | undefined = undefined
  isUp = false

  constructor(child: SupervisedChild) {
    this.#child = child
  }

  ready(): void {
    if (this.#child.life !== this || this.isUp) return
    this.isUp = true
    this.#child.send({ type: 'child.ready' })
  }

  exited(exit: ChildExit): void {
    if (this.#child.life !== this) return
    this.#child.life = undefined
    this.#child.cameUp = this.isUp
    this.#child.send({ type: 'child.exited', exit })
  }
}
