/**
 * A group of supervised children: their list, and what its machine (machines/child-group.ts) asks for.
 *
 * Children are kept in order of listing, which is the order of their start. Whatever concerns one child costs the
 * same however many there are; starting, stopping and recovering go through the list once.
 *
 * A group is itself an {@link Incarnation}: of its parent group, or the whole of a supervisor's children.
 */
import type { AnyActorRef } from 'xstate'
import { backoffMs } from '../machines/backoff.ts'
import type { ChildEvent } from '../machines/child.ts'
import { type ChildGroupEvent, type ChildGroupFact, childGroupMachine } from '../machines/child-group.ts'
import { compile } from '../machines/compile.ts'
import { affectedRange, type ChildExit, decide } from '../machines/restart.ts'
import type { Timer, TimerOwner } from './armed-timers.ts'
import { ChildWork } from './child-work.ts'
import { GroupChild } from './group-child.ts'
import { GROUP_EFFECTS } from './group-effects.ts'
import type { GroupPolicy, GroupPorts } from './group-ports.ts'
import { MachineDriver } from './machine-driver.ts'
import type { ChildListener, ChildSpec, Incarnation } from './supervised.ts'
import { type ChildDriverOptions, childDriverOptions, SupervisedChild } from './supervised-child.ts'

export interface ChildGroupOptions {
  readonly id: string
  /** Where its children stand: `''` for those of the supervisor itself. */
  readonly path: string
  readonly policy: GroupPolicy
  readonly ports: GroupPorts
  /** The actor above its own. */
  parent(): AnyActorRef
  /** Told of its end if that comes before its first start. */
  readonly listener?: ChildListener
  /** A group whose children stand at the same path: no id is in both. */
  beside?(): ChildGroup
}

/** Told of the end of an XState actor below the group. */
export type ActorEndListener = (exit: ChildExit) => void

/** What XState tells a parent of the end of a child. */
interface ActorEnd {
  readonly type: string
  readonly actorId?: unknown
  readonly output?: unknown
  readonly error?: unknown
}

const logic = compile(childGroupMachine)
const NOBODY: ChildListener = { ready() {}, exited() {} }
/** Failures that an escalation tells of. */
const CAUSES = 8

export class ChildGroup implements Incarnation, TimerOwner {
  readonly id: string
  readonly path: string
  readonly policy: GroupPolicy
  readonly ports: GroupPorts
  readonly children: Map<string, SupervisedChild> = new Map()
  /** Told of the ends of XState actors below, by the actor's id. */
  readonly actorEnds: Map<string, ActorEndListener> = new Map()
  /** Why it gave up last. */
  error: Error | undefined = undefined

  readonly #parent: () => AnyActorRef
  readonly #beside: (() => ChildGroup) | undefined
  readonly #driver: MachineDriver<ChildGroup, typeof childGroupMachine>
  readonly #childOptions: ChildDriverOptions
  #listener: ChildListener
  #isReady = false
  readonly #work: ChildWork = new ChildWork()
  /** Those that a restart takes along. */
  #affected: Set<SupervisedChild> = new Set()
  #culprit: SupervisedChild | undefined = undefined
  /** The child that is being added: its failure is its adder's business. */
  #adding: SupervisedChild | undefined = undefined
  #timer: Timer | undefined = undefined
  #calmSince = 0
  #causes: unknown[] = []

  constructor({ id, path, policy, ports, parent, listener, beside }: ChildGroupOptions) {
    this.id = id
    this.path = path
    this.policy = policy
    this.ports = ports
    this.#parent = parent
    this.#listener = listener ?? NOBODY
    this.#beside = beside
    this.#childOptions = childDriverOptions(ports)
    const { strategy, intensity, periodMs } = policy
    this.#driver = new MachineDriver<ChildGroup, typeof childGroupMachine>(this, {
      logic,
      input: { strategy, intensity, periodMs },
      effects: GROUP_EFFECTS,
      onError: ports.onError,
      traced: { tracer: ports.tracer, machine: 'group', idOf: (group) => group.path || group.id },
    })
  }

  /** The top-level state of its machine. */
  get state(): string {
    return this.#driver.state.split('.', 1)[0] as string
  }

  /** No child lives, and none will by itself. */
  get rests(): boolean {
    const { state } = this.#driver
    return state === 'idle' || state === 'stopped' || state === 'failed' || state === 'removed'
  }

  /** No child lives, here or elsewhere. */
  get isOver(): boolean {
    return this.rests && ![...this.children.values()].some((child) => !child.isOver)
  }

  get actor(): AnyActorRef {
    return this.#driver.actorOf(this.#parent(), this.id, 'group')
  }

  /** Starts its children in order. The listener hears when all are up, and when the group has ended. */
  start(listener: ChildListener): void {
    this.#listener = listener
    this.#isReady = false
    this.#send({ type: 'group.start' })
  }

  stop(): void {
    this.#send({ type: 'group.stop' })
  }

  hurry(): void {
    this.#send({ type: 'group.hurry' })
  }

  kill(): void {
    this.#send({ type: 'group.kill' })
  }

  /**
   * Lists a child, and starts it if the group runs; else it is started with the group.
   *
   * @param isWanted - false: it waits until somebody starts it
   * @throws what `ports.errors` makes, when the id is taken, the group stops, or the child fails to start while
   *   this call lasts. Nothing is listed then.
   */
  add(spec: ChildSpec, isWanted: boolean = true): SupervisedChild {
    const path = this.path === '' ? spec.id : `${this.path}/${spec.id}`
    if (this.children.has(spec.id) || this.#beside?.().children.has(spec.id) === true)
      throw this.ports.errors.idTaken(path)
    this.requireOpen(path)
    const child = new SupervisedChild(this, spec, this.#childOptions, isWanted)
    this.children.set(spec.id, child)
    if (isWanted) this.#startAdded(child)
    return child
  }

  /** It is listed no longer, and so is nobody in it. */
  remove(): void {
    this.#send({ type: 'group.remove' })
  }

  /** @throws what `ports.errors` makes when it stops, gives up or was removed */
  requireOpen(path: string): void {
    const { state } = this
    if (state === 'removed') throw this.ports.errors.unknown(this.path)
    if (state === 'stopping' || state === 'escalating') throw this.ports.errors.stopped(path, state)
  }

  /** Starts a child that is listed, now or in its turn. */
  startChild(child: SupervisedChild, event: ChildEvent): void {
    // Others have their turn first.
    if (this.state === 'starting' && child.rests) this.#work.add(child)
    else child.send(event)
  }

  /** A child has ended by itself. */
  childEnded(child: SupervisedChild, exit: ChildExit): void {
    if (child === this.#adding) return
    const isStartFailure = exit.kind === 'failed' && !child.cameUp && child === this.#work.current
    // Whoever asked for its start has the error; with the whole group it is another matter.
    const isTold = child.isAsked && exit.kind === 'failed' && !(isStartFailure && this.state === 'starting')
    if (isTold) child.isWanted = false
    if (exit.kind === 'failed') {
      this.ports.announce(child, { fact: 'failed', error: exit.error })
      if (!isTold) this.#causes.push(exit.error)
      if (this.#causes.length > CAUSES) this.#causes.shift()
    } else if (exit.kind === 'done') this.ports.announce(child, { fact: 'ended', output: exit.output })
    const at = this.ports.clock.monotonic()
    this.#send({
      type: 'child.ended',
      child,
      exit,
      at,
      calmMs: at - this.#calmSince,
      isAffected: this.#affected.has(child),
      isStartFailure,
      isUnwanted: !child.isWanted,
      account: child.account(exit, at),
    })
    if (isTold) child.spec.gaveUp?.(this.ports.errors.startFailed(child.path, exit))
  }

  /** A child is up, held, or stopped as it was asked to. */
  childSettled(child: SupervisedChild): void {
    if (child === this.#adding) return
    if (child.restartType === 'temporary' && child.state === 'stopped') child.send({ type: 'child.remove' })
    const { state } = this
    if (state !== 'running' && !this.rests) this.#send({ type: 'child.settled' })
  }

  /** A child is no longer listed. */
  forget(child: SupervisedChild): void {
    if (this.children.get(child.id) === child) this.children.delete(child.id)
    this.#affected.delete(child)
  }

  onTimer(): void {
    this.#timer = undefined
    this.#send({ type: 'timer.backoff' })
  }

  /** Makes the actors of all that live below. */
  reveal(): void {
    void this.actor
    for (const child of this.children.values()) {
      if (child.spec instanceof GroupChild) child.spec.group.reveal()
      else void child.actor
    }
  }

  // From here on: what the machine asks for.

  listStarts(): void {
    this.#causes = []
    this.#calmSince = this.ports.clock.monotonic()
    this.error = undefined
    this.#affected.clear()
    const wanted = [...this.children.values()].filter((child) => child.isWanted && child.rests)
    this.#work.set(wanted)
    for (const child of wanted) {
      child.forgetRestarts()
      this.#work.unstarted.add(child)
    }
  }

  listHeld(): void {
    this.#affected.clear()
    this.#work.set(
      [...this.children.values()].filter((child) => child.isHeld || this.#work.unstarted.has(child)),
    )
  }

  listAffected(event: ChildGroupEvent): void {
    if (event.type === 'child.ended') this.#culprit = event.child as SupervisedChild
    const all = [...this.children.values()]
    const position = this.#culprit === undefined ? 0 : Math.max(0, all.indexOf(this.#culprit))
    const [from, to] = affectedRange(this.policy.strategy, position, all.length)
    const affected = all.slice(from, to).filter((child) => child.lives || child.state === 'backingOff')
    this.#culprit?.follow(Number.POSITIVE_INFINITY)
    // One that counts alone may wait out its backoff: no life is to be ended, it only waits for the others now.
    for (const child of affected) if (child.state === 'backingOff') child.send({ type: 'child.hold' })
    this.#affected = new Set([...this.#affected, ...affected])
    this.#work.set(affected)
  }

  listStops(): void {
    this.#affected.clear()
    for (const child of this.#work.unstarted) child.giveUpStart({ kind: 'stopped' })
    this.#work.unstarted.clear()
    this.#work.set([...this.children.values()].filter((child) => !child.isOver))
  }

  restUnstarted(): void {
    for (const child of this.children.values()) if (child.state === 'waiting') child.rest()
  }

  removeAll(): void {
    for (const child of this.children.values()) child.send({ type: 'child.remove' })
  }

  startNext(): void {
    // A stop is on its way through the groups. What has lived may recover until it is here, nothing else comes up.
    if (this.state === 'starting' && this.ports.ending()) return
    if (!this.#work.startNext()) this.#driver.raise({ type: 'work.done' })
  }

  stopNext(): void {
    const left = this.#work.endNext(
      (child) => child.isOver,
      (child) => child.send({ type: 'child.stop' }),
    )
    if (!left) this.#driver.raise({ type: 'work.done' })
  }

  holdNext(): void {
    const left = this.#work.endNext(
      (child) => child.rests || child.isHeld,
      (child) => child.send({ type: child.restartType === 'temporary' ? 'child.remove' : 'child.hold' }),
    )
    if (!left) this.#driver.raise({ type: 'work.done' })
  }

  /** All that are left, whose turn has come or not. */
  endAll(how: 'child.hurry' | 'child.kill'): void {
    for (const child of this.#work.left()) {
      child.send({ type: 'child.stop' })
      child.send({ type: how })
    }
  }

  /** Under one-for-one: it waits out its backoff by itself. */
  follow(child: SupervisedChild): void {
    child.follow(this.#backoff(child.noteStreak(this.policy.periodMs)))
  }

  leave(child: SupervisedChild): void {
    child.settle(child.exit)
    if (child.restartType === 'temporary') child.send({ type: 'child.remove' })
  }

  /** Its own restarts are used up: it rests, and nobody else notices. */
  giveUp(child: SupervisedChild, exit: ChildExit): void {
    const { limits } = child.spec
    this.leave(child)
    if (limits !== undefined) child.spec.gaveUp?.(this.ports.errors.spent(child.path, limits, exit))
  }

  /** It ended while its turn to be stopped had not come. */
  hold(child: SupervisedChild, exit: ChildExit): void {
    if (child.isWanted && decide(exit, child.restartType) === 'restart')
      child.follow(Number.POSITIVE_INFINITY)
    else this.leave(child)
  }

  armBackoff(): void {
    const delayMs = this.#backoff(this.#driver.snapshot.context.streak)
    const { clock, timers } = this.ports
    this.#timer = timers.arm(clock.monotonic() + delayMs, this, 'timer.backoff')
    if (this.#culprit !== undefined) this.ports.announce(this.#culprit, { fact: 'restarting', delayMs })
  }

  disarmBackoff(): void {
    if (this.#timer !== undefined) this.ports.timers.cancel(this.#timer)
    this.#timer = undefined
  }

  actorEnded(event: ActorEnd): void {
    const listener = this.actorEnds.get(String(event.actorId))
    if (event.type.startsWith('xstate.done.')) listener?.({ kind: 'done', output: event.output })
    else listener?.({ kind: 'failed', error: event.error })
  }

  tell(fact: ChildGroupFact): void {
    const { failure } = this.#driver.snapshot.context
    if (fact === 'started' || fact === 'recovered') {
      this.#calmSince = this.ports.clock.monotonic()
      if (this.#isReady) return
      this.#isReady = true
      this.#listener.ready()
    } else if (fact === 'escalated') {
      if (failure === undefined) return
      this.error = this.ports.errors.gaveUp(this, failure, this.#causes)
      this.ports.escalated(this, this.error)
      this.#listener.escalating?.(this.error)
    } else {
      const listener = this.#listener
      this.#listener = NOBODY
      this.#work.set([])
      listener.exited(fact === 'failed' ? { kind: 'failed', error: this.error } : { kind: 'stopped' })
    }
  }

  #send(event: ChildGroupEvent): void {
    this.#driver.send(event)
  }

  #startAdded(child: SupervisedChild): void {
    const { state } = this.#driver
    child.isAsked = true
    // In its turn, behind the others.
    if (state === 'starting' || state === 'recovering.starting') this.#work.add(child)
    else if (state.startsWith('recovering')) this.#work.unstarted.add(child)
    if (state !== 'running') return
    // Its start may add another one.
    const outer = this.#adding
    this.#adding = child
    child.send({ type: 'child.start' })
    this.#adding = outer
    if (child.state === 'done') this.childEnded(child, child.exit as ChildExit)
    if (child.state === 'stopped') this.childSettled(child)
    if (child.state !== 'failed') return
    const { exit } = child
    child.send({ type: 'child.remove' })
    throw this.ports.errors.startFailed(child.path, exit as ChildExit)
  }

  #backoff(streak: number): number {
    return backoffMs(this.policy.backoff, streak, this.ports.random())
  }
}
