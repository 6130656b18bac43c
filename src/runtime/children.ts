/** Supervised children as the user has them: spawned into groups, listed, counted, told to start and stop. */
import type { ActorRefFrom, AnyActorLogic, AnyActorRef } from 'xstate'
import { ActorChild } from '../actors/actor-child.ts'
import { ChildGroup } from '../actors/child-group.ts'
import { GroupChild } from '../actors/group-child.ts'
import type { GroupPorts } from '../actors/group-ports.ts'
import type { ChildKind } from '../actors/supervised.ts'
import type { SupervisedChild } from '../actors/supervised-child.ts'
import type { ChildExit, RestartType } from '../machines/restart.ts'
import { checkGroup, checkSpawn, type GroupOptions, policyOf, type SpawnOptions } from './child-options.ts'
import type { StopOptions } from './stop-options.ts'

/** States of a child; see `childMachine`. */
export type ChildState =
  | 'waiting'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'backingOff'
  | 'done'
  | 'failed'
  | 'stopped'
  | 'removed'

/** A supervised child, over all its lives. */
export interface Child<Ref extends AnyActorRef = AnyActorRef> {
  readonly id: string
  /** Its id behind those of the groups it is in: `workers/mailer`. */
  readonly path: string
  readonly kind: ChildKind
  readonly state: ChildState
  readonly restartType: RestartType
  /** The actor that lives now; each life has its own. Subscribe with an `error` observer. */
  readonly actor: Ref | undefined
  /** Lives that followed another one. */
  readonly restarts: number
  /** Epoch ms of when the life under way came up. */
  readonly startedAt: number | undefined
  /** How it ended, once it lives no longer and nothing follows. A new start makes a new promise. */
  readonly ended: Promise<ChildExit>
  /**
   * Starts it unless it lives. Resolves when it is up; at once when its owner does not run yet: then it is started with
   * it.
   *
   * @throws SupervisionError (`ERR_CHILD_START_FAILED`) when it does not come up: it is `failed` then, and rests
   */
  start(): Promise<void>
  /** Ends it within its `shutdownMs`; it can be started again, unless it is temporary. */
  stop(): Promise<ChildExit>
  /**
   * Ends it if it lives, then starts it. Counts towards no intensity.
   *
   * @throws SupervisionError (`ERR_CHILD_START_FAILED`) when it does not come up again: it is `failed` then, and rests
   */
  restart(): Promise<void>
  /** Ends it and takes it from the list; with a group goes all that is in it. */
  remove(): Promise<void>
}

/** A line of {@link ChildOwner.which}. */
export interface ChildRow {
  readonly path: string
  readonly id: string
  readonly kind: ChildKind
  readonly state: ChildState
  readonly restart: RestartType
  readonly restarts: number
  readonly startedAt: number | undefined
}

/** What {@link ChildOwner.count} counts, groups and what is in them alike. */
export interface ChildCounts {
  /** Listed. */
  readonly specs: number
  /** Starting, running or stopping. */
  readonly active: number
  /** Listed, by kind. */
  readonly kinds: Readonly<Partial<Record<ChildKind, number>>>
}

/** Whatever has children: a supervisor, a group. */
export interface ChildOwner {
  /**
   * Supervises an actor of any XState logic: it is started in order with the others, restarted by its restart type,
   * and stopped in reverse order. Started at once if its owner runs.
   *
   * @throws OptionError for a bad option (`ERR_CHILD_ID_TAKEN` among them), or a group that was removed
   *   (`ERR_CHILD_UNKNOWN`); SupervisorStateError (`ERR_SUPERVISOR_STOPPED`); SupervisionError (`ERR_CHILD_START_FAILED`) when it fails to start at once.
   *   Nothing is listed then.
   */
  spawn<Logic extends AnyActorLogic>(logic: Logic, options: SpawnOptions<Logic>): Child<ActorRefFrom<Logic>>
  /**
   * A group of children with a policy of its own. One restart too many makes it give up: it stops its children and
   * counts as a failed child of the group above.
   */
  group(id: string, options?: GroupOptions): Group
  /** The child at `path`, for example `workers/mailer`. Loops, too, have the path of a child. */
  child(path: string): Child | undefined
  /** All children, in order of start: the loops first; those of a group behind it. */
  which(): ChildRow[]
  count(): ChildCounts
}

/** A group of children, itself a child. */
export interface Group extends Child, ChildOwner {}

const GROUP_SHUTDOWN_MS = Number.POSITIVE_INFINITY

/** The loops of a supervisor: what ends one ends its runs first, so they are told by name. */
export interface LoopsBeside {
  /** Where they are listed. */
  readonly group: ChildGroup
  readonly loops: {
    start(name: string): Promise<void>
    stop(name: string, options: StopOptions): Promise<void>
    remove(name: string, options: StopOptions): Promise<void>
  }
}

export class Children implements ChildOwner {
  readonly #group: ChildGroup
  readonly #ports: GroupPorts
  /** Throws unless children are accepted. */
  readonly #requireOpen: () => void
  readonly #beside: LoopsBeside | undefined
  readonly #handles: WeakMap<SupervisedChild, ChildHandle>

  constructor(
    group: ChildGroup,
    requireOpen: () => void,
    beside?: LoopsBeside,
    handles: WeakMap<SupervisedChild, ChildHandle> = new WeakMap(),
  ) {
    this.#group = group
    this.#ports = group.ports
    this.#requireOpen = requireOpen
    this.#beside = beside
    this.#handles = handles
  }

  spawn<Logic extends AnyActorLogic>(logic: Logic, options: SpawnOptions<Logic>): Child<ActorRefFrom<Logic>> {
    checkSpawn(logic, options as SpawnOptions)
    this.#requireOpen()
    const { id, input, restart = 'permanent', shutdownEvent, systemId } = options
    const actor = { id, logic, input, restart, shutdownEvent, systemId }
    const spec = new ActorChild(this.#group, actor, options.shutdownMs)
    return this.#handleOf(this.#group.add(spec)) as Child as Child<ActorRefFrom<Logic>>
  }

  group(id: string, options: GroupOptions = {}): Group {
    checkGroup(id, options)
    this.#requireOpen()
    const above = this.#group
    const group = new ChildGroup({
      id,
      path: above.path === '' ? id : `${above.path}/${id}`,
      policy: policyOf(options),
      ports: this.#ports,
      parent: () => above.actor,
    })
    const { restart = 'permanent', shutdownMs = GROUP_SHUTDOWN_MS } = options
    return this.#handleOf(above.add(new GroupChild(group, { restart, shutdownMs }))) as GroupHandle
  }

  child(path: string): Child | undefined {
    const [id = '', ...rest] = String(path).split('/')
    const child = this.#group.children.get(id) ?? this.#beside?.group.children.get(id)
    if (child === undefined) return undefined
    const handle = this.#handleOf(child)
    if (rest.length === 0) return handle
    return handle instanceof GroupHandle ? handle.child(rest.join('/')) : undefined
  }

  which(): ChildRow[] {
    const rows: ChildRow[] = []
    for (const { path, id, spec, state, restartType, restarts, startedAt } of this.#all()) {
      const row = {
        path,
        id,
        kind: spec.kind,
        state: state as ChildState,
        restart: restartType,
        restarts,
        startedAt,
      }
      rows.push(row)
    }
    return rows
  }

  count(): ChildCounts {
    let specs = 0
    let active = 0
    const kinds: Partial<Record<ChildKind, number>> = {}
    for (const { lives, spec } of this.#all()) {
      specs += 1
      if (lives) active += 1
      kinds[spec.kind] = (kinds[spec.kind] ?? 0) + 1
    }
    return { specs, active, kinds }
  }

  *#all(): Generator<SupervisedChild> {
    if (this.#beside !== undefined) yield* childrenOf(this.#beside.group)
    yield* childrenOf(this.#group)
  }

  #handleOf(child: SupervisedChild): ChildHandle {
    let handle = this.#handles.get(child)
    if (handle === undefined) {
      handle = this.#makeHandle(child)
      this.#handles.set(child, handle)
    }
    return handle
  }

  #makeHandle(child: SupervisedChild): ChildHandle {
    const { spec } = child
    if (spec instanceof GroupChild)
      return new GroupHandle(child, new Children(spec.group, this.#requireOpen, undefined, this.#handles))
    if (this.#beside !== undefined && spec.kind === 'loop') return new LoopChildHandle(child, this.#beside)
    return new ChildHandle(child)
  }
}

/** Every child of the group, those of nested groups behind them. */
function* childrenOf(group: ChildGroup): Generator<SupervisedChild> {
  for (const child of group.children.values()) {
    yield child
    if (child.spec instanceof GroupChild) yield* childrenOf(child.spec.group)
  }
}

class ChildHandle implements Child {
  readonly #child: SupervisedChild

  constructor(child: SupervisedChild) {
    this.#child = child
  }

  get id(): string {
    return this.#child.id
  }

  get path(): string {
    return this.#child.path
  }

  get kind(): ChildKind {
    return this.#child.spec.kind
  }

  get state(): ChildState {
    return this.#child.state as ChildState
  }

  get restartType(): RestartType {
    return this.#child.restartType
  }

  get actor(): AnyActorRef | undefined {
    return this.#child.actor
  }

  get restarts(): number {
    return this.#child.restarts
  }

  get startedAt(): number | undefined {
    return this.#child.startedAt
  }

  get ended(): Promise<ChildExit> {
    return this.#child.whenEnded()
  }

  start(): Promise<void> {
    return handled(async () => this.#child.start())
  }

  async stop(): Promise<ChildExit> {
    return this.#child.stop()
  }

  restart(): Promise<void> {
    return handled(async () => this.#child.restart())
  }

  async remove(): Promise<void> {
    await this.#child.remove()
  }
}

/** It takes its runs along: they are ended first, within its `shutdownMs`. */
class LoopChildHandle extends ChildHandle {
  readonly #child: SupervisedChild
  readonly #loops: LoopsBeside['loops']

  constructor(child: SupervisedChild, { loops }: LoopsBeside) {
    super(child)
    this.#child = child
    this.#loops = loops
  }

  override start(): Promise<void> {
    return handled(async () => this.#loops.start(this.id))
  }

  override async stop(): Promise<ChildExit> {
    await this.#loops.stop(this.id, { wait: this.#child.spec.shutdownMs })
    return this.ended
  }

  override restart(): Promise<void> {
    return handled(async () => {
      await this.stop()
      await this.start()
    })
  }

  override async remove(): Promise<void> {
    await this.#loops.remove(this.id, { wait: this.#child.spec.shutdownMs })
  }
}

class GroupHandle extends ChildHandle implements Group {
  readonly #children: Children

  constructor(child: SupervisedChild, children: Children) {
    super(child)
    this.#children = children
  }

  spawn<Logic extends AnyActorLogic>(logic: Logic, options: SpawnOptions<Logic>): Child<ActorRefFrom<Logic>> {
    return this.#children.spawn(logic, options)
  }

  group(id: string, options: GroupOptions = {}): Group {
    return this.#children.group(id, options)
  }

  child(path: string): Child | undefined {
    return this.#children.child(path)
  }

  which(): ChildRow[] {
    return this.#children.which()
  }

  count(): ChildCounts {
    return this.#children.count()
  }
}

/** Somebody who only starts it need not await it: a failure reaches events and log. */
function handled(act: () => Promise<void>): Promise<void> {
  const acted = act()
  acted.catch(() => {})
  return acted
}
