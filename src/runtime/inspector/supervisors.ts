/**
 * The supervisors that an inspector shows: the one that serves it, and those that are nested in it, at any depth.
 *
 * - `closed`: nobody looks. The nested ones are not known, and nothing is heard of any.
 * - `open`: every step of each is heard. A nested one is found when it is opened; later, by what is heard of the child that
 *   stands for it: each life of that has a supervisor of its own.
 */
import { ActorChild } from '../../actors/actor-child.ts'
import type { ChildGroup } from '../../actors/child-group.ts'
import { GroupChild } from '../../actors/group-child.ts'
import type { SupervisedChild } from '../../actors/supervised-child.ts'
import type { StepListener } from '../../actors/tracer.ts'
import type { LiveSupervisor } from '../live-supervisor.ts'
import { isLiveSupervisor } from '../supervisor-access.ts'
import type { Charts } from './charts.ts'
import { Ids, prefixIn, prefixOf } from './ids.ts'
import { ShownSupervisor } from './shown-supervisor.ts'
import type { ActorTree } from './tree.ts'

export interface SupervisorsOptions {
  /** The one that serves the inspector. */
  readonly supervisor: LiveSupervisor
  readonly charts: Charts
  /** Who is told of the steps of one. */
  hearing(shown: ShownSupervisor): StepListener
}

export class Supervisors {
  readonly tree: ActorTree
  readonly #options: SupervisorsOptions
  readonly #top: ShownSupervisor
  /** By the prefix of their ids. */
  readonly #shown = new Map<string, ShownSupervisor>()
  #isOpen = false

  constructor(options: SupervisorsOptions) {
    this.#options = options
    this.#top = this.#show(options.supervisor, new Ids())
    const { tree: top } = this.#top
    this.tree = {
      roots: () => top.roots(),
      row: (id) => this.#shown.get(prefixIn(id))?.tree.row(id),
      list: (parent, ...rest) => this.#shown.get(prefixIn(parent))?.tree.list(parent, ...rest),
    }
  }

  /** That one first, then the others by their paths. */
  get all(): readonly ShownSupervisor[] {
    if (this.#shown.size === 1) return [this.#top]
    const placeOf = ({ ids }: ShownSupervisor): string => ids.place.within ?? ''
    return [...this.#shown.values()].sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1))
  }

  /** @param within - path of a nested one; without, the one that serves the inspector */
  at(within: string | undefined): ShownSupervisor | undefined {
    return within === undefined ? this.#top : this.#shown.get(prefixOf(within))
  }

  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#listen(this.#top)
  }

  close(): void {
    this.#isOpen = false
    for (const shown of this.#shown.values()) shown.leave()
    this.#shown.clear()
    this.#shown.set(this.#top.ids.prefix, this.#top)
  }

  #show(supervisor: LiveSupervisor, ids: Ids): ShownSupervisor {
    const { charts } = this.#options
    const shown = new ShownSupervisor({
      supervisor,
      ids,
      charts,
      nested: (child) => this.#shown.get(ids.nested(child).prefix)?.tree,
    })
    this.#shown.set(ids.prefix, shown)
    return shown
  }

  #listen(shown: ShownSupervisor): void {
    shown.listen(this.#options.hearing(shown), (path) => {
      // A step is told before it has its effects.
      if (shown.tree.childAt(path)?.spec.kind === 'supervisor')
        queueMicrotask(() => this.#follow(shown, path))
    })
    const { loopGroup, children } = shown.supervisor.parts
    for (const group of [loopGroup, children])
      for (const { path } of supervisorsIn(group)) this.#follow(shown, path)
  }

  /** The child may be another life now. */
  #follow(around: ShownSupervisor, path: string): void {
    if (!this.#isOpen || this.#shown.get(around.ids.prefix) !== around) return
    const child = around.tree.childAt(path)
    const supervisor = child && supervisorOf(child)
    const within = around.ids.placed(path)
    const known = this.#shown.get(prefixOf(within))
    if (known?.supervisor === supervisor) return
    if (known !== undefined) this.#forget(within)
    // One that was not made for this child alone is shown where it was seen first.
    if (child === undefined || supervisor === undefined || this.#isShown(supervisor)) return
    this.#listen(this.#show(supervisor, around.ids.nested(child)))
  }

  #isShown(supervisor: LiveSupervisor): boolean {
    return [...this.#shown.values()].some((shown) => shown.supervisor === supervisor)
  }

  /** With those that are nested in it. */
  #forget(within: string): void {
    for (const [prefix, shown] of this.#shown) {
      const { within: place = '' } = shown.ids.place
      if (place !== within && !place.startsWith(`${within}/`)) continue
      shown.leave()
      this.#shown.delete(prefix)
    }
  }
}

/** What a child has made that is a supervisor, while it lives. One that is wrapped in something else is not seen. */
function supervisorOf({ spec }: SupervisedChild): LiveSupervisor | undefined {
  if (!(spec instanceof ActorChild) || spec.kind !== 'supervisor') return undefined
  const snapshot = spec.actor()?.getSnapshot() as { readonly supervisor?: unknown } | undefined
  const supervisor = snapshot?.supervisor
  return isLiveSupervisor(supervisor) ? supervisor : undefined
}

function* supervisorsIn(group: ChildGroup): Generator<SupervisedChild> {
  for (const child of group.children.values()) {
    if (child.spec.kind === 'supervisor') yield child
    else if (child.spec instanceof GroupChild) yield* supervisorsIn(child.spec.group)
  }
}
