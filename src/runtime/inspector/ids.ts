/** Ids of the actors of one supervisor as pages know them: opaque there, readable here. */
import type { SupervisedChild } from '../../actors/supervised-child.ts'
import type { TaskRun } from '../../actors/task-run.ts'

export const ROOT_ID = 'supervisor'

export const POOL_IDS = ['pool', 'processes'] as const

export type PoolId = (typeof POOL_IDS)[number]

/** Where a supervisor is nested. */
interface Nesting {
  /** Its path below the supervisor that is inspected: ids of groups, supervisors and its own, joined by `/`. */
  readonly within: string
  /** Its actor, which is that of a child of the supervisor around it. */
  readonly root: string
  /** The actor above that. */
  readonly above: string
}

export class Ids {
  /** Of the supervisor itself. */
  readonly root: string
  /** Of the actor above it; `null`: it is not nested. */
  readonly above: string | null
  /** What rows say of where they belong: nothing, or the path of the nested supervisor. */
  readonly place: { readonly within?: string }
  /** All ids of a nested supervisor begin so, but its own. */
  readonly prefix: string

  /** Without a nesting: of the supervisor that is inspected. */
  constructor(nesting?: Nesting) {
    this.root = nesting?.root ?? ROOT_ID
    this.above = nesting?.above ?? null
    this.place = nesting === undefined ? {} : { within: nesting.within }
    this.prefix = nesting === undefined ? '' : prefixOf(nesting.within)
  }

  task(run: TaskRun): string {
    return `${this.prefix}task:${run.id}`
  }

  /** @param path - of a child: ids joined by `/` */
  child(path: string): string {
    return `${this.prefix}child:${path}`
  }

  /** A pool, or one of the two groups that every supervisor has. */
  part(id: string): string {
    return this.prefix + id
  }

  /** Whoever submitted the run; `undefined`: nobody of the supervisor. */
  owner({ worker, parent }: TaskRun): string | undefined {
    return worker === undefined ? parent && this.task(parent) : this.child(worker)
  }

  /** The pool whose slot a run takes, or waits for. */
  poolOf({ pool, execution }: TaskRun): string {
    return this.part(pool.slots(execution) === pool.processes ? 'processes' : 'pool')
  }

  /** The actor that the tracer calls so; of no task. */
  traced(machine: string, id: string): string {
    if (machine === 'supervisor') return this.root
    if (machine === 'group' && (id === 'loops' || id === 'children')) return this.part(id)
    return this.child(machine === 'daemon' ? `daemon:${id}` : id)
  }

  /** The actor above one that the tracer tells of; `null` above the supervisor that is inspected. */
  aboveTraced(id: string): string | null {
    if (id === this.root) return this.above
    const children = this.child('')
    if (!id.startsWith(children)) return this.root
    const end = id.lastIndexOf('/')
    return end < children.length ? this.part('children') : id.slice(0, end)
  }

  /** An id without the prefix. */
  local(id: string): string {
    return id.slice(this.prefix.length)
  }

  /** Those of a supervisor that is a child of this one. */
  nested({ path, group }: SupervisedChild): Ids {
    return new Ids({
      within: this.placed(path),
      root: this.child(path),
      above: group.path === '' ? this.part(group.id) : this.child(group.path),
    })
  }

  /** The path below the supervisor that is inspected of what is at `path` in this one. */
  placed(path: string): string {
    const { within } = this.place
    return within === undefined ? path : `${within}/${path}`
  }
}

/** Ids of others never begin so, and no path has two slashes in a row. */
export function prefixOf(within: string): string {
  return `in:${within}//`
}

/** The prefix of an id that a page says; `''` also for what is none. */
export function prefixIn(id: string): string {
  return id.startsWith('in:') ? id.slice(0, id.indexOf('//') + 2) : ''
}
