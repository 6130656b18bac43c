/**
 * The actors of one supervisor in this process, as a page sees them: looked up, never made. A supervisor that is nested in
 * it is one of its children, and what is in that one the business of a tree of its own.
 */
import type { ChildGroup } from '../../actors/child-group.ts'
import { GroupChild } from '../../actors/group-child.ts'
import type { ChildKind } from '../../actors/supervised.ts'
import type { SupervisedChild } from '../../actors/supervised-child.ts'
import type { TaskRun } from '../../actors/task-run.ts'
import { childMachine } from '../../machines/child.ts'
import { childGroupMachine } from '../../machines/child-group.ts'
import type { SupervisorParts } from '../wire.ts'
import type { Charts } from './charts.ts'
import { type Ids, POOL_IDS, type PoolId } from './ids.ts'
import type { Mark, Marks } from './marks.ts'
import type { ActorKind, ActorList, ActorRow } from './messages.ts'
import { type Survey, survey } from './survey.ts'
import type { ActorTree, TaskFilter } from './tree.ts'

const KINDS: Readonly<Record<ChildKind, ActorKind>> = {
  actor: 'actor',
  worker: 'worker',
  loop: 'loop',
  group: 'group',
  supervisor: 'supervisor',
  scheduler: 'scheduler',
  daemon: 'daemon',
  server: 'server',
}

const UNSEEN: Mark = { event: null, eventAt: null, from: null }

/** Clocks that differ by less are the same: instants would tremble. */
const TREMOR_MS = 50

export interface SupervisorTreeOptions {
  readonly parts: SupervisorParts
  readonly ids: Ids
  readonly charts: Charts
  readonly marks: Marks
  /** The tree of a nested supervisor that lives, if the child is one. */
  nested(child: SupervisedChild): SupervisorTree | undefined
}

export class SupervisorTree implements ActorTree {
  readonly #parts: SupervisorParts
  readonly #ids: Ids
  readonly #charts: Charts
  readonly #marks: Marks
  readonly #nested: SupervisorTreeOptions['nested']
  /** Of this moment. */
  readonly #rows = new Map<string, ActorRow | undefined>()
  #survey: Survey
  /** What is added to monotonic instants to make them epoch ms. */
  #origin = 0

  constructor({ parts, ids, charts, marks, nested }: SupervisorTreeOptions) {
    this.#parts = parts
    this.#ids = ids
    this.#charts = charts
    this.#marks = marks
    this.#nested = nested
    this.#survey = survey(parts, ids)
    this.#findOrigin()
  }

  /** Another moment: all live runs are counted anew. */
  count(): Survey {
    this.#survey = survey(this.#parts, this.#ids)
    this.refresh()
    return this.#survey
  }

  /** Another moment. What counts runs stays as it was. */
  refresh(): void {
    this.#rows.clear()
    this.#findOrigin()
  }

  roots(): readonly string[] {
    return [this.#ids.root]
  }

  row(id: string): ActorRow | undefined {
    if (this.#rows.has(id)) return this.#rows.get(id)
    const row = this.#make(id)
    this.#rows.set(id, row)
    return row
  }

  list(parent: string, offset: number, limit: number, filter: TaskFilter): ActorList | undefined {
    const ids = this.#ids
    if (parent === ids.root) return stretch(this.#sections(), offset, limit)
    const local = ids.local(parent)
    if (isPool(local)) return this.#runs(this.#survey.live[local], offset, limit, filter)
    const child = this.childAt(pathIn(local))
    const nested = child && this.#nested(child)
    if (nested !== undefined) return nested.list(parent, offset, limit, filter)
    const group = this.#groupOf(local)
    return (
      group &&
      stretch(
        [...group.children.values()].map(({ path }) => ids.child(path)),
        offset,
        limit,
      )
    )
  }

  /** @param path - ids joined by `/` */
  childAt(path: string): SupervisedChild | undefined {
    const { loopGroup, children } = this.#parts
    const [first = '', ...rest] = path.split('/')
    let child = loopGroup.children.get(first) ?? children.children.get(first)
    for (const next of rest) {
      child = child?.spec instanceof GroupChild ? child.spec.group.children.get(next) : undefined
    }
    return child
  }

  #sections(): string[] {
    const { loopGroup, children } = this.#parts
    const groups = [loopGroup, children].filter((group) => group.children.size > 0)
    return [...POOL_IDS, ...groups.map(({ id }) => id)].map((id) => this.#ids.part(id))
  }

  #runs(runs: readonly TaskRun[], offset: number, limit: number, filter: TaskFilter): ActorList {
    const { text, states } = filter
    const matching =
      text === '' && states.size === 0
        ? runs
        : runs.filter(
            (run) =>
              (states.size === 0 || states.has(run.state)) &&
              (text === '' ||
                run.definition.name.toLowerCase().includes(text) ||
                run.knownId?.toLowerCase().includes(text) === true),
          )
    const ids = matching.slice(offset, offset + limit).map((run) => this.#ids.task(run))
    return { offset, total: matching.length, ids }
  }

  #make(id: string): ActorRow | undefined {
    const ids = this.#ids
    if (id === ids.root) return this.#root()
    const local = ids.local(id)
    const { loopGroup, children, pool } = this.#parts
    if (isPool(local)) {
      const state = pool.open ? 'open' : 'held'
      return { ...this.#bare(id, ids.root, 'pool', local, this.#survey.live[local].length), state }
    }
    for (const group of [loopGroup, children]) if (local === group.id) return this.#group(id, group)
    const run = local.startsWith('task:') ? pool.registry.get(local.slice(5)) : undefined
    if (run !== undefined) return this.#task(id, run)
    const child = this.childAt(pathIn(local))
    return child && this.#child(id, child)
  }

  #root(): ActorRow {
    const { actor, id } = this.#parts
    const { root, above } = this.#ids
    const { machine, state } = actor.look()
    const row = this.#bare(root, above, 'supervisor', id, this.#sections().length)
    return { ...row, chart: this.#charts.nameOf(machine), state, ...this.#marked(`supervisor ${id}`) }
  }

  #group(id: string, group: ChildGroup): ActorRow {
    const row = this.#bare(id, this.#ids.root, 'group', group.id, group.children.size)
    const chart = this.#charts.nameOf(childGroupMachine)
    return { ...row, chart, state: group.state, ...this.#marked(`group ${group.id}`) }
  }

  #child(id: string, child: SupervisedChild): ActorRow {
    const { spec, group, path, startedAt = null } = child
    const inner = this.#nested(child)?.row(id)
    if (inner !== undefined) return { ...inner, name: child.id, startedAt }
    const ids = this.#ids
    const parent = group.path === '' ? ids.part(group.id) : ids.child(group.path)
    const size = spec instanceof GroupChild ? spec.group.children.size : 0
    const look = spec.look?.()
    const traced = look === undefined || spec.kind === 'actor' ? `child ${path}` : tracedAs(spec.kind, path)
    return {
      ...this.#bare(id, parent, KINDS[spec.kind], child.id, size),
      // It is part of itself, also when it does not live.
      ...(spec.kind === 'supervisor' ? { within: ids.placed(path) } : {}),
      chart: this.#charts.nameOf(look?.machine ?? childMachine),
      state: look?.state ?? child.state,
      startedAt,
      ...this.#marked(traced),
    }
  }

  #task(id: string, run: TaskRun): ActorRow {
    const { logic } = this.#parts.pool
    const { band, execution, attempt } = run.snapshot.context
    const { percent = null, note = null } = run.progress ?? {}
    return {
      id,
      parent: this.#ids.poolOf(run),
      ...this.#ids.place,
      kind: 'task',
      name: run.definition.name,
      chart: this.#charts.nameOf(logic.machine),
      state: logic.states[logic.indexOf(run.snapshot)] ?? '',
      startedAt: run.startedMono < 0 ? null : Math.round(run.startedMono + this.#origin),
      children: 0,
      ...(this.#marks.watch(run) ?? UNSEEN),
      task: {
        runId: run.id,
        priority: band,
        execution,
        attempt,
        percent,
        note: note ?? null,
        owner: this.#ids.owner(run) ?? null,
      },
    }
  }

  #bare(id: string, parent: string | null, kind: ActorKind, name: string, children: number): ActorRow {
    const { place } = this.#ids
    return { id, parent, ...place, kind, name, chart: null, state: '', startedAt: null, children, ...UNSEEN }
  }

  #marked(traced: string): Mark {
    return this.#marks.get(traced) ?? UNSEEN
  }

  #groupOf(local: string): ChildGroup | undefined {
    const { loopGroup, children } = this.#parts
    for (const group of [loopGroup, children]) if (local === group.id) return group
    const spec = this.childAt(pathIn(local))?.spec
    return spec instanceof GroupChild ? spec.group : undefined
  }

  #findOrigin(): void {
    const { clock } = this.#parts
    const origin = clock.now() - clock.monotonic()
    if (Math.abs(origin - this.#origin) > TREMOR_MS) this.#origin = origin
  }
}

function isPool(id: string): id is PoolId {
  return id === 'pool' || id === 'processes'
}

/** Of a child; of anything else none, which no child has. */
function pathIn(local: string): string {
  return local.startsWith('child:') ? local.slice(6) : ''
}

/** By which name the tracer tells of its machine. */
function tracedAs(kind: ChildKind, path: string): string {
  return kind === 'daemon' ? `daemon ${path.replace(/^daemon:/, '')}` : `${kind} ${path}`
}

function stretch(ids: readonly string[], offset: number, limit: number): ActorList {
  return { offset, total: ids.length, ids: ids.slice(offset, offset + limit) }
}
