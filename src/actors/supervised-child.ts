/**
 * One child of a group: its listing, its state and the incarnation that lives. Its life is machines/child.ts;
 * this file carries out what that asks for.
 */

import type { AnyActorRef } from 'xstate'
import { type ChildEvent, type ChildFact, type ChildStopStep, childMachine } from '../machines/child.ts'
import { compile } from '../machines/compile.ts'
import {
  type ChildExit,
  decide,
  nextStreak,
  type RestartAccount,
  type RestartType,
} from '../machines/restart.ts'
import type { Timer, TimerKind, TimerOwner } from './armed-timers.ts'
import type { ChildGroup } from './child-group.ts'
import { Life } from './child-life.ts'
import type { GroupPorts } from './group-ports.ts'
import { type DriverEffects, type DriverOptions, MachineDriver } from './machine-driver.ts'
import { OwnRestarts } from './own-restarts.ts'
import type { ChildSpec } from './supervised.ts'

/** Who waits for a start or an end. */
interface Wait<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(error: unknown): void
}

type StopTimer = 'timer.signal' | 'timer.shutdown'

const logic = compile(childMachine)
const NEVER_LIVED: ChildExit = { kind: 'stopped' }
/** Somebody asked it to end: how it then did so is not why it does not come up. */
const STOPPED: ChildExit = { kind: 'stopped' }

/** What the drivers of all children of a group share. */
export type ChildDriverOptions = DriverOptions<SupervisedChild, typeof childMachine>

export function childDriverOptions({ onError, tracer }: GroupPorts): ChildDriverOptions {
  const traced = { tracer, machine: 'child', idOf: ({ path }: SupervisedChild) => path }
  return { logic, input: undefined, effects, onError, traced }
}

export class SupervisedChild implements TimerOwner {
  readonly group: ChildGroup
  readonly spec: ChildSpec
  /** The incarnation that lives. */
  life: Life | undefined = undefined
  /** Whether the last incarnation that ended had come up. */
  cameUp = false
  /** Whether it is to live while its group does: false once somebody stopped it. */
  isWanted: boolean
  /** Epoch ms of when the incarnation that lives came up. */
  startedAt: number | undefined = undefined
  /** Its coming up was somebody's wish, who is told if it fails: that is no crash. */
  isAsked = false
  /** Restarts in a row. */
  streak = 0
  #own: OwnRestarts | undefined = undefined

  readonly #driver: MachineDriver<SupervisedChild, typeof childMachine>
  #timer: Timer | undefined = undefined
  #turn: NodeJS.Immediate | undefined = undefined
  #begunMono = 0
  /** When it was asked to end. */
  #stopMono: number | undefined = undefined
  /** When it is killed if it has not ended by then. */
  #killMono = Number.POSITIVE_INFINITY
  #toldRestarts = 0
  #start: Wait<void> | undefined = undefined
  #lifeEnd: Wait<ChildExit> | undefined = undefined
  #end: Wait<ChildExit> | undefined = undefined

  constructor(group: ChildGroup, spec: ChildSpec, options: ChildDriverOptions, isWanted: boolean) {
    this.group = group
    this.spec = spec
    this.isWanted = isWanted
    this.#driver = new MachineDriver<SupervisedChild, typeof childMachine>(this, options)
    if (spec.isOutside === true) this.send({ type: 'child.outside' })
  }

  get id(): string {
    return this.spec.id
  }

  get restartType(): RestartType {
    return this.spec.restart
  }

  /** Where it stands: ids from the supervisor down, joined by `/`. */
  get path(): string {
    const { path } = this.group
    return path === '' ? this.spec.id : `${path}/${this.spec.id}`
  }

  /** The top-level state of its machine. */
  get state(): string {
    const { state } = this.#driver
    if (state.startsWith('stopping')) return 'stopping'
    return state.startsWith('waiting') ? 'waiting' : state
  }

  /** An incarnation lives. */
  get lives(): boolean {
    const { state } = this
    return state === 'running' || state === 'starting' || state === 'stopping'
  }

  /** Nothing lives and nothing follows by itself. */
  get rests(): boolean {
    return !this.lives && this.state !== 'backingOff'
  }

  /** Nothing lives, here or elsewhere, and nothing follows by itself. */
  get isOver(): boolean {
    return this.rests && this.#driver.state !== 'waiting.outside'
  }

  /** It waits until its group starts it again. */
  get isHeld(): boolean {
    return this.state === 'backingOff' && this.#driver.snapshot.context.delayMs === Number.POSITIVE_INFINITY
  }

  get restarts(): number {
    return this.#driver.snapshot.context.restarts
  }

  get exit(): ChildExit | undefined {
    return this.#driver.snapshot.context.exit
  }

  /** The step its last stop took. */
  get step(): ChildStopStep {
    return this.#driver.snapshot.context.step
  }

  /** How long the last incarnation lived, ms, or the present one has. */
  get livedMs(): number {
    return this.cameUp ? this.group.ports.clock.monotonic() - this.#begunMono : 0
  }

  /** The actor that shows it, made now if need be. */
  get actor(): AnyActorRef | undefined {
    return this.life === undefined ? undefined : this.spec.actor(this.group.actor)
  }

  send(event: ChildEvent): void {
    this.#driver.send(event)
  }

  onTimer(kind: TimerKind): void {
    this.#timer = this.#turn = undefined
    this.send({ type: kind as StopTimer | 'timer.backoff' })
  }

  /** Starts it unless it lives. Resolves when it is up; at once when its group rests, which starts it later. */
  start(): Promise<void> {
    return this.state === 'running' ? Promise.resolve() : this.#startBy({ type: 'child.start' })
  }

  /** Ends it if it lives, and starts it. Resolves when it is up again. */
  restart(): Promise<void> {
    return this.#startBy({ type: 'child.restart' })
  }

  /**
   * Ends its life within its shutdown time; it stays listed (unless it is temporary). Resolves at the end.
   *
   * @param withinMs - a sooner bound; a second call may escalate the first
   */
  stop(withinMs: number = Number.POSITIVE_INFINITY): Promise<ChildExit> {
    this.isWanted = this.isAsked = false
    if (!this.isOver) {
      const ended = this.#endBy({ type: 'child.stop' })
      this.#bound(withinMs)
      return ended
    }
    this.rest()
    return Promise.resolve(this.exit ?? NEVER_LIVED)
  }

  /** Nothing lives: whoever waits for its end is told, also of one that never lived. */
  rest(): void {
    if (this.state === 'waiting')
      this.send({ type: this.restartType === 'temporary' ? 'child.remove' : 'child.stop' })
    this.settle()
  }

  /** Ends it and takes it from the list. Resolves when it is gone. */
  async remove(): Promise<void> {
    this.isWanted = false
    if (this.state !== 'removed') await this.#endBy({ type: 'child.remove' })
  }

  /** How it ended, once nothing lives and nothing follows. */
  whenEnded(): Promise<ChildExit> {
    if (this.rests && this.state !== 'waiting') return Promise.resolve(this.exit ?? NEVER_LIVED)
    this.#end ??= Promise.withResolvers<ChildExit>()
    return this.#end.promise
  }

  /** Nothing lives and nothing follows. @param reason - why one that is awaited does not come up */
  settle(reason: ChildExit = STOPPED): void {
    this.#end?.resolve(this.exit ?? NEVER_LIVED)
    this.#end = undefined
    this.giveUpStart(reason)
    this.spec.settled?.()
  }

  /** It is not going to come up now. */
  giveUpStart(reason: ChildExit): void {
    this.#start?.reject(this.group.ports.errors.startFailed(this.path, reason))
    this.#start = undefined
  }

  /** It has ended and is followed after `delayMs`; infinite: when the group says so. */
  follow(delayMs: number): void {
    const { ports } = this.group
    this.isAsked = false
    if (delayMs !== Number.POSITIVE_INFINITY) ports.announce(this, { fact: 'restarting', delayMs })
    this.send({ type: 'child.backOff', delayMs })
  }

  /** The number of the restart that is due among those in a row. */
  noteStreak(periodMs: number): number {
    this.streak = nextStreak(this.streak, this.livedMs, this.spec.limits?.periodMs ?? periodMs)
    return this.streak
  }

  /** Whose restarts the one counts towards that this end asks for. One of its own is counted. */
  account(exit: ChildExit, at: number): RestartAccount {
    if (this.spec.limits === undefined) return 'shared'
    this.#own ??= new OwnRestarts(this.spec.limits)
    return this.isWanted && decide(exit, this.restartType) === 'restart' ? this.#own.note(at) : 'own'
  }

  /** Somebody starts it, or its group does: what was before counts no longer. */
  forgetRestarts(): void {
    this.#own?.forget()
    this.streak = 0
  }

  kill(): void {
    this.#stopMono ??= this.group.ports.clock.monotonic()
    this.life?.incarnation?.kill()
  }

  begin(): void {
    const life = new Life(this)
    this.life = life
    try {
      life.incarnation = this.spec.start(life)
    } catch (error) {
      life.exited({ kind: 'failed', error })
    }
  }

  askToStop(): void {
    const { shutdownMs } = this.spec
    this.#stopMono = this.group.ports.clock.monotonic()
    this.#killMono = this.#stopMono + shutdownMs
    if (shutdownMs > 0) this.life?.incarnation?.stop()
  }

  /** What has a grace is hurried first, be it at the last moment: nothing is killed that was never told to end. */
  armSignal(): void {
    const { graceMs } = this.spec
    const signalMono = this.#killMono - (graceMs ?? 0)
    if (graceMs === undefined && this.#leftUntil(signalMono) > 0) this.#arm(signalMono, 'timer.shutdown')
    else if (graceMs === undefined) this.send({ type: 'child.kill' })
    else if (this.#leftUntil(signalMono) > 0) this.#arm(signalMono, 'timer.signal')
    else this.send({ type: 'timer.signal' })
  }

  armShutdown(): void {
    if (this.#leftUntil(this.#killMono) > 0) return this.#arm(this.#killMono, 'timer.shutdown')
    this.disarm()
    // What goes when it is told to needs a turn of the event loop, whatever the clock says.
    this.#turn = setImmediate(() => this.onTimer('timer.shutdown'))
  }

  armBackoff(): void {
    this.#arm(this.#now() + this.#driver.snapshot.context.delayMs, 'timer.backoff')
  }

  disarm(): void {
    if (this.#timer !== undefined) this.group.ports.timers.cancel(this.#timer)
    clearImmediate(this.#turn)
    this.#timer = this.#turn = undefined
  }

  tell(fact: ChildFact): void {
    const { group } = this
    const exit = this.exit ?? NEVER_LIVED
    if (fact === 'started') {
      this.#cameUp()
      return group.childSettled(this)
    }
    this.startedAt = undefined
    this.#lifeEnd?.resolve(exit)
    this.#lifeEnd = undefined
    if (fact === 'done' || fact === 'failed') {
      if (fact === 'failed') this.giveUpStart(exit)
      group.childEnded(this, exit)
    } else if (fact === 'removed') {
      this.settle()
      group.forget(this)
      this.spec.removed?.()
    } else {
      if (fact !== 'rested') this.#announceStop()
      if (fact === 'held') this.isAsked = false
      // Whoever restarts it, or its group, waits for what follows.
      if (fact !== 'held' && this.state !== 'starting') this.settle()
      group.childSettled(this)
    }
  }

  #announceStop(): void {
    const { ports } = this.group
    const ms = this.#stopMono === undefined ? 0 : ports.clock.monotonic() - this.#stopMono
    this.#stopMono = undefined
    ports.announce(this, { fact: 'stopped', step: this.step, ms })
  }

  #cameUp(): void {
    const { ports } = this.group
    this.startedAt = ports.clock.now()
    this.#begunMono = ports.clock.monotonic()
    this.cameUp = true
    this.isAsked = false
    this.#start?.resolve()
    this.#start = undefined
    const { restarts } = this
    if (restarts === this.#toldRestarts) ports.announce(this, { fact: 'started' })
    else ports.announce(this, { fact: 'restarted', restarts })
    this.#toldRestarts = restarts
    if (ports.inspected()) void this.actor
  }

  #startBy(event: ChildEvent): Promise<void> {
    const { group } = this
    if (this.state === 'removed') throw group.ports.errors.unknown(this.path)
    group.requireOpen(this.path)
    this.isWanted = true
    if (this.rests) this.forgetRestarts()
    // Who is coming up already, or waits to, does so for another reason.
    if (event.type === 'child.restart' || this.rests || this.state === 'stopping')
      this.isAsked = this.state !== 'backingOff'
    if (group.rests && !this.lives) return Promise.resolve()
    if (this.#start === undefined) {
      this.#start = Promise.withResolvers<void>()
      this.#start.promise.catch(() => {})
    }
    const { promise } = this.#start
    group.startChild(this, event)
    return promise
  }

  #endBy(event: ChildEvent): Promise<ChildExit> {
    this.#lifeEnd ??= Promise.withResolvers<ChildExit>()
    const { promise } = this.#lifeEnd
    this.send(event)
    return promise
  }

  #bound(withinMs: number): void {
    const killMono = this.#now() + withinMs
    if (killMono >= this.#killMono) return
    this.#killMono = killMono
    this.send({ type: 'child.bound' })
  }

  #now(): number {
    return this.group.ports.clock.monotonic()
  }

  #leftUntil(mono: number): number {
    return mono - this.#now()
  }

  #arm(dueMono: number, kind: StopTimer | 'timer.backoff'): void {
    this.disarm()
    if (dueMono === Number.POSITIVE_INFINITY) return
    this.#timer = this.group.ports.timers.arm(dueMono, this, kind)
  }
}

const effects: DriverEffects<SupervisedChild, typeof childMachine> = {
  begin: (child) => child.begin(),
  askToStop: (child) => child.askToStop(),
  hurry: (child) => child.life?.incarnation?.hurry(),
  kill: (child) => child.kill(),
  armSignal: (child) => child.armSignal(),
  armShutdown: (child) => child.armShutdown(),
  armBackoff: (child) => child.armBackoff(),
  disarmTimer: (child) => child.disarm(),
  announce: (child, { fact }: { fact: ChildFact }) => child.tell(fact),
}
