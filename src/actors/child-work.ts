/**
 * The children that a group goes through one by one: forwards when they are started, each when the one before is
 * up; backwards when they are stopped, each when the one behind it has ended.
 */
import type { SupervisedChild } from './supervised-child.ts'

export class ChildWork {
  #list: SupervisedChild[] = []
  #next = 0
  /** Those whose first turn to be started has not come yet. */
  readonly unstarted: Set<SupervisedChild> = new Set()

  set(list: SupervisedChild[]): void {
    this.#list = list
    this.#next = 0
  }

  /** Behind the others. */
  add(child: SupervisedChild): void {
    this.unstarted.add(child)
    this.#list.push(child)
  }

  /** Whose turn it is to be started. */
  get current(): SupervisedChild | undefined {
    return this.#list[this.#next - 1]
  }

  /** @returns false when there is none left to start */
  startNext(): boolean {
    if (this.current?.state === 'starting') return true
    while (this.#next < this.#list.length) {
      const child = this.#list[this.#next] as SupervisedChild
      this.#next += 1
      this.unstarted.delete(child)
      if (!child.isWanted || child.state === 'removed' || !(child.rests || child.isHeld)) continue
      child.send({ type: 'child.start' })
      return true
    }
    return false
  }

  /**
   * Asks the last one that has not ended. Asking again does no harm.
   *
   * @returns false when all have ended
   */
  endNext(hasEnded: (child: SupervisedChild) => boolean, ask: (child: SupervisedChild) => void): boolean {
    for (let child = this.#list.at(-1); child !== undefined; child = this.#list.at(-1)) {
      if (!hasEnded(child)) {
        ask(child)
        return true
      }
      this.#list.pop()
    }
    return false
  }

  /** Those that have not ended, the last one first. */
  left(): SupervisedChild[] {
    return this.#list.filter((child) => !child.isOver).reverse()
  }
}
