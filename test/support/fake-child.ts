/** Children for tests of groups: nothing lives in them, and the test says when they come up and end. */
import { type AnyActorRef, createActor, createMachine } from 'xstate'
import { ChildGroup } from '../../src/actors/child-group.ts'
import type { ChildNews, GroupPolicy, GroupPorts } from '../../src/actors/group-ports.ts'
import type { ChildKind, ChildListener, ChildSpec, Incarnation } from '../../src/actors/supervised.ts'
import { TimerQueue } from '../../src/actors/timer-queue.ts'
import { Tracer } from '../../src/actors/tracer.ts'
import type { ChildExit, RestartLimits, RestartType } from '../../src/machines/restart.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'

export interface FakeOptions {
  readonly restart?: RestartType
  readonly shutdownMs?: number
  /** Comes up by itself. Default: true. */
  readonly ready?: boolean
  /** `ends` when it is asked to (default), `waits` for the test, `deaf` even when it is killed. */
  readonly manner?: 'ends' | 'waits' | 'deaf'
  readonly isOutside?: boolean
  /** Restarts that count for it alone. */
  readonly limits?: RestartLimits | undefined
}

/** Writes `+id` when a life begins, `-id` when it ends, `?id` when it is asked, `>id` hurried, `x id` killed. */
export class FakeChild implements ChildSpec {
  readonly id: string
  readonly kind: ChildKind = 'worker'
  readonly restart: RestartType
  readonly shutdownMs: number
  readonly isOutside: boolean
  /** A life of it has begun, be it only to be ended. */
  hasBegun = false
  ready: boolean
  manner: NonNullable<FakeOptions['manner']>
  readonly limits?: RestartLimits
  /** What it was given up with. */
  readonly givenUp: Error[] = []
  /** How many of the next lives fail at once. */
  failing = 0
  /** Told that nothing follows its last life. */
  isSettled = false
  isRemoved = false
  readonly #story: string[]
  #listener: ChildListener | undefined = undefined

  constructor(id: string, story: string[], options: FakeOptions = {}) {
    this.id = id
    this.#story = story
    this.restart = options.restart ?? 'permanent'
    this.shutdownMs = options.shutdownMs ?? 100
    this.isOutside = options.isOutside ?? false
    this.ready = options.ready ?? true
    this.manner = options.manner ?? 'ends'
    if (options.limits !== undefined) this.limits = options.limits
  }

  gaveUp(error: Error): void {
    this.givenUp.push(error)
  }

  start(listener: ChildListener): Incarnation {
    this.#story.push(`+${this.id}`)
    this.#listener = listener
    this.isSettled = false
    this.hasBegun = true
    if (this.failing > 0) {
      this.failing -= 1
      this.crash('no start')
    } else if (this.ready) listener.ready()
    return {
      stop: () => this.#told('?', this.manner === 'ends'),
      hurry: () => this.#told('>', this.manner === 'ends'),
      kill: () => this.#told('x', this.manner !== 'deaf'),
    }
  }

  actor(): AnyActorRef | undefined {
    return undefined
  }

  settled(): void {
    this.isSettled = true
  }

  removed(): void {
    this.isRemoved = true
  }

  get lives(): boolean {
    return this.#listener !== undefined
  }

  comeUp(): void {
    this.#listener?.ready()
  }

  end(): void {
    this.exit({ kind: 'done', output: this.id })
  }

  crash(error: unknown = `${this.id} crashed`): void {
    this.exit({ kind: 'failed', error })
  }

  exit(exit: ChildExit): void {
    const listener = this.#listener
    this.#listener = undefined
    if (listener !== undefined) this.#story.push(`-${this.id}`)
    listener?.exited(exit)
  }

  #told(how: string, ends: boolean): void {
    if (this.#listener === undefined) return
    this.#story.push(`${how}${this.id}`)
    if (ends) this.exit({ kind: 'stopped' })
  }
}

export class GroupBench {
  readonly clock: ManualClock = new ManualClock()
  readonly story: string[] = []
  readonly news: string[] = []
  readonly errors: unknown[] = []
  readonly escalations: string[] = []
  readonly timers: TimerQueue = new TimerQueue(this.clock)
  readonly root: AnyActorRef = createActor(createMachine({})).start()
  readonly group: ChildGroup
  readonly fakes: Map<string, FakeChild> = new Map()
  isUp = false
  exit: ChildExit | undefined = undefined

  constructor(policy: Partial<GroupPolicy> = {}) {
    this.group = this.makeGroup('group', '', policy)
  }

  makeGroup(id: string, path: string, policy: Partial<GroupPolicy> = {}): ChildGroup {
    return new ChildGroup({
      id,
      path,
      ports: this.#ports(),
      parent: () => this.root,
      policy: {
        strategy: 'one-for-one',
        intensity: 3,
        periodMs: 1_000,
        backoff: { kind: 'fixed', initialMs: 10, jitter: 'none' },
        ...policy,
      },
    })
  }

  add(id: string, options: FakeOptions = {}, group: ChildGroup = this.group): FakeChild {
    const fake = new FakeChild(id, this.story, options)
    this.fakes.set(id, fake)
    group.add(fake)
    return fake
  }

  start(): this {
    this.isUp = false
    this.exit = undefined
    this.group.start({
      ready: () => {
        this.isUp = true
      },
      exited: (exit) => {
        this.exit = exit
      },
    })
    return this
  }

  /** The story since the last time it was read. */
  read(): string {
    return this.story.splice(0).join(' ')
  }

  get states(): Readonly<Partial<Record<'a' | 'b' | 'c' | 'd' | 't' | 'inner' | 'other', string>>> {
    return Object.fromEntries([...this.group.children].map(([id, { state }]) => [id, state]))
  }

  #ports(): GroupPorts {
    const failed = (code: string, path: string, causes: readonly unknown[] = []): Error =>
      Object.assign(new Error(`${code} ${path}`), { code, causes })
    return {
      clock: this.clock,
      timers: this.timers,
      random: () => 0,
      tracer: new Tracer(),
      inspected: () => false,
      ending: () => false,
      onError: (error) => this.errors.push(error),
      errors: {
        idTaken: (path) => failed('idTaken', path),
        unknown: (path) => failed('unknown', path),
        stopped: (path) => failed('stopped', path),
        startFailed: (path, exit) => failed('startFailed', path, exit.kind === 'failed' ? [exit.error] : []),
        spent: (path, _, exit) => failed('spent', path, exit.kind === 'failed' ? [exit.error] : []),
        gaveUp: (_, { reason, child }, causes) => failed(reason, child.id, [...causes]),
      },
      announce: ({ path }, { fact, ...facts }: ChildNews) =>
        this.news.push([path, fact, ...Object.values(facts)].join(' ')),
      escalated: ({ id }) => this.escalations.push(id),
    }
  }
}
