/** The actors of a supervisor in this process, as a page sees them: looked up, never made. */
import type { ChildGroup } from '../../actors/child-group.ts'
import { GroupChild } from '../../actors/group-child.ts'
import type { ChildKind } from '../../actors/supervised.ts'
import type { SupervisedChild } from '../../actors/supervised-child.ts'
import type { TaskRun } from '../../actors/task-run.ts'
import { childMachine } from '../../machines/child.ts'
import { childGroupMachine } from '../../machines/child-group.ts'
import type { SupervisorParts } from '../wire.ts'
import type { Charts } from './charts.ts'
import { childId, POOL_IDS, type PoolId, ROOT_ID, taskId } from './ids.ts'
import type { Mark, Marks } from './marks.ts'
import type { ActorKind, ActorList, ActorRow } from './messages.ts'
import type { Survey } from './survey.ts'
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

export class SupervisorTree implements ActorTree {
  readonly #parts: SupervisorParts
  readonly #charts: Charts
  readonly #marks: Marks
  /** Of this moment. */
  readonly #rows = new Map<string, ActorRow | undefined>()
  #survey: Survey
  /** What is added to monotonic instants to make them epoch ms. */
  #origin = 0

  constructor(parts: SupervisorParts, charts: Charts, marks: Marks, survey: Survey) {
    this.#parts = parts
    this.#charts = charts
    this.#marks = marks
    this.#survey = survey
    this.#findOrigin()
  }

  /** Another moment. Without a survey, what counts runs stays as it was. */
  refresh(survey: Survey = this.#survey): void {
    this.#rows.clear()
    this.#survey = survey
    this.#findOrigin()
  }

  roots(): readonly string[] {
    return [ROOT_ID]
  }

  row(id: string): ActorRow | undefined {
    if (this.#rows.has(id)) return this.#rows.get(id)
    const row = this.#make(id)
    this.#rows.set(id, row)
    return row
  }

  list(parent: string, offset: number, limit: number, filter: TaskFilter): ActorList | undefined {
    if (parent === ROOT_ID) return stretch(this.#sections(), offset, limit)
    if (isPool(parent)) return this.#runs(this.#survey.live[parent], offset, limit, filter)
    const group = this.#groupOf(parent)
    return group && stretch([...group.children.values()].map(childId), offset, limit)
  }

  #sections(): string[] {
    const { loopGroup, children } = this.#parts
    return [
      ...POOL_IDS,
      ...[loopGroup, children].filter((group) => group.children.size > 0).map(({ id }) => id),
    ]
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
    const ids = matching.slice(offset, offset + limit).map(taskId)
    return { offset, total: matching.length, ids }
  }

  #make(id: string): ActorRow | undefined {
    const { actor, loopGroup, children, pool } = this.#parts
    if (id === ROOT_ID) {
      const { machine, state } = actor.look()
      const row = this.#bare(id, null, 'supervisor', this.#parts.id, this.#sections().length)
      return {
        ...row,
        chart: this.#charts.nameOf(machine),
        state,
        ...this.#marked(`supervisor ${this.#parts.id}`),
      }
    }
    if (isPool(id)) {
      const state = pool.open ? 'open' : 'held'
      return { ...this.#bare(id, ROOT_ID, 'pool', id, this.#survey.live[id].length), state }
    }
    for (const group of [loopGroup, children]) if (id === group.id) return this.#group(group)
    const run = id.startsWith('task:') ? pool.registry.get(id.slice(5)) : undefined
    if (run !== undefined) return this.#task(id, run)
    const child = this.#childOf(id)
    return child && this.#child(id, child)
  }

  #group(group: ChildGroup): ActorRow {
    const row = this.#bare(group.id, ROOT_ID, 'group', group.id, group.children.size)
    const chart = this.#charts.nameOf(childGroupMachine)
    return { ...row, chart, state: group.state, ...this.#marked(`group ${group.id}`) }
  }

  #child(id: string, child: SupervisedChild): ActorRow {
    const { spec, group, path } = child
    const parent = group.path === '' ? group.id : `child:${group.path}`
    const size = spec instanceof GroupChild ? spec.group.children.size : 0
    const look = spec.look?.()
    const traced = look === undefined || spec.kind === 'actor' ? `child ${path}` : tracedAs(spec.kind, path)
    return {
      ...this.#bare(id, parent, KINDS[spec.kind], child.id, size),
      chart: this.#charts.nameOf(look?.machine ?? childMachine),
      state: look?.state ?? child.state,
      startedAt: child.startedAt ?? null,
      ...this.#marked(traced),
    }
  }

  #task(id: string, run: TaskRun): ActorRow {
    const { pool } = this.#parts
    const { logic } = pool
    const { band, execution, attempt } = run.snapshot.context
    const { percent = null, note = null } = run.progress ?? {}
    const owner = run.worker === undefined ? run.parent && taskId(run.parent) : `child:${run.worker}`
    return {
      id,
      parent: pool.slots(execution) === pool.processes ? 'processes' : 'pool',
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
        owner: owner ?? null,
      },
    }
  }

  #bare(id: string, parent: string | null, kind: ActorKind, name: string, children: number): ActorRow {
    return { id, parent, kind, name, chart: null, state: '', startedAt: null, children, ...UNSEEN }
  }

  #marked(traced: string): Mark {
    return this.#marks.get(traced) ?? UNSEEN
  }

  #groupOf(id: string): ChildGroup | undefined {
    const { loopGroup, children } = this.#parts
    for (const group of [loopGroup, children]) if (id === group.id) return group
    const spec = this.#childOf(id)?.spec
    return spec instanceof GroupChild ? spec.group : undefined
  }

  #childOf(id: string): SupervisedChild | undefined {
    if (!id.startsWith('child:')) return undefined
    const { loopGroup, children } = this.#parts
    const [first = '', ...rest] = id.slice(6).split('/')
    let child = loopGroup.children.get(first) ?? children.children.get(first)
    for (const next of rest) {
      child = child?.spec instanceof GroupChild ? child.spec.group.children.get(next) : undefined
    }
    return child
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

/** By which name the tracer tells of its machine. */
function tracedAs(kind: ChildKind, path: string): string {
  return kind === 'daemon' ? `daemon ${path.replace(/^daemon:/, '')}` : `${kind} ${path}`
}

function stretch(ids: readonly string[], offset: number, limit: number): ActorList {
  return { offset, total: ids.length, ids: ids.slice(offset, offset + limit) }
}
