/**
 * One life of a daemon: carries out what its machine (machines/daemon.ts) asks for. The claimer brings tasks, the
 * supervisor's pool runs them, the outbox tells what became of them, the lease keeper keeps them meanwhile.
 */
import { backoffMs } from '../../machines/backoff.ts'
import type { SortedClaim } from '../../machines/claim-care.ts'
import { compile } from '../../machines/compile.ts'
import {
  type DaemonEvent,
  type DaemonFact,
  type DaemonStopPlan,
  daemonMachine,
} from '../../machines/daemon.ts'
import type { Timer, TimerKind, TimerOwner } from '../armed-timers.ts'
import { type DriverEffects, MachineDriver } from '../machine-driver.ts'
import type { ClaimedTask } from '../store/task-record.ts'
import type { ChildListener, Incarnation } from '../supervised.ts'
import { type Claimed, Claimer } from './claimer.ts'
import type { DaemonNumbers } from './daemon-child.ts'
import type { DaemonIdentity, DaemonPorts } from './daemon-ports.ts'
import type { DueLook } from './due-look.ts'
import { HeldTasks } from './held-tasks.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { LeaseTerm } from './lease-term.ts'
import { Outbox } from './outbox.ts'
import { overdueLook } from './overdue.ts'
import { scheduleLook } from './schedules.ts'
import { STORE_BACKOFF } from './store-backoff.ts'
import { StoreWatch } from './store-watch.ts'
import { Upkeep } from './upkeep.ts'

/** The last moment of a stop: for the word of what was just killed. */
const END_MS = 150
/** The wall clock may be set: what is due is looked for at least so often. */
const MAX_REST_MS = 30_000

const NEVER = Number.POSITIVE_INFINITY
const logic = compile(daemonMachine)

type BoundTimer = 'timer.signal' | 'timer.kill' | 'timer.end'

export class DaemonLife implements Incarnation, TimerOwner {
  readonly identity: DaemonIdentity
  readonly driver: MachineDriver<DaemonLife, typeof daemonMachine>
  readonly tasks: HeldTasks
  readonly #ports: DaemonPorts
  readonly #watch: StoreWatch
  readonly #listener: ChildListener
  readonly #claimer: Claimer
  readonly #outbox: Outbox
  readonly #term: LeaseTerm
  readonly #keeper: LeaseKeeper
  readonly #upkeep: Upkeep
  readonly #schedules: DueLook
  readonly #overdue: DueLook
  /** Claims on their way. */
  #claims = 0
  /** Claims whose tasks are about to begin. */
  #coming = 0
  /** When the next task becomes due that the last claim did not bring, epoch ms. */
  #nextAt: number | null = null
  #unlisten: (() => void) | undefined = undefined
  #due: Timer | undefined = undefined
  #backoff: Timer | undefined = undefined
  #bound: Timer | undefined = undefined

  constructor(given: DaemonPorts, listener: ChildListener) {
    this.#watch = new StoreWatch(given, {
      silent: (error) => this.send({ type: 'store.silent', error }),
      answered: () => {
        if (this.driver.state === 'backingOff.waiting') this.send({ type: 'store.answered' })
      },
    })
    const ports: DaemonPorts = { ...given, store: this.#watch.store }
    this.#ports = ports
    this.#listener = listener
    this.identity = ports.identify()
    const { id } = this.identity
    this.#outbox = new Outbox(ports, id, {
      emptied: () => this.send({ type: 'outbox.emptied' }),
      recovered: () => this.send({ type: 'daemon.nudge' }),
      fenced: ({ id }) => ports.fenced(this.identity, id),
    })
    this.#term = new LeaseTerm(ports.settings.leaseMs)
    this.#claimer = new Claimer(ports, id, this.#outbox, this.#term, () => this.tasks.holdsLast)
    this.tasks = new HeldTasks(ports, this.#outbox, {
      goesOn: () => this.send({ type: 'daemon.nudge' }),
      endSchedule: ({ task }) => ports.endSchedule(this.identity, task),
      lost: (held) => ports.leaseLost(this.identity, held),
      taken: () => {
        this.#keeper.taken()
        this.#claimer.noteTaken()
      },
      renewed: ({ id }) => this.#cleared(id),
      gone: ({ id, run }) => {
        this.#claimer.noteEnd(run, this.tasks.size === 0)
        this.#cleared(id)
        this.#lookDrained()
      },
    })
    this.#keeper = new LeaseKeeper(ports, this.identity, this.tasks, {
      term: this.#term,
      calm: () => this.#upkeep.calmed(),
    })
    this.#upkeep = new Upkeep(ports, this.identity, {
      look: () => ({ state: this.state, counts: this.#counts() }),
      isCalm: () => this.#keeper.look(),
      failed: () => this.send({ type: 'daemon.nudge' }),
    })
    const nudge = (): void => this.send({ type: 'daemon.nudge' })
    this.#schedules = scheduleLook(ports, this.identity, nudge)
    this.#overdue = overdueLook(ports, this.identity, nudge)
    this.driver = new MachineDriver<DaemonLife, typeof daemonMachine>(this, {
      logic,
      input: undefined,
      effects,
      onError: (error) => ports.onError(error, 'daemon'),
      traced: { tracer: ports.pool.tracer, machine: 'daemon', idOf: ({ identity }) => identity.name },
    })
  }

  get state(): string {
    return this.driver.state.split('.')[0] as string
  }

  get numbers(): DaemonNumbers {
    const { size: held, running, counts } = this.tasks
    const { renewals } = this.#keeper
    return { state: this.state, held, running, untold: this.#outbox.untold, counts, renewals }
  }

  get plan(): DaemonStopPlan {
    return this.driver.snapshot.context.plan
  }

  send(event: DaemonEvent): void {
    this.driver.send(event)
  }

  stop(): void {
    this.send({ type: 'daemon.stop', plan: { at: this.#now, signalAt: NEVER, killAt: NEVER } })
  }

  hurry(): void {
    this.send({ type: 'daemon.hurry' })
  }

  kill(): void {
    this.send({ type: 'daemon.kill', at: this.#now })
  }

  onTimer(kind: TimerKind): void {
    if (kind === 'due') {
      this.#due = undefined
      this.send({ type: 'daemon.nudge' })
    } else if (kind === 'backoff') {
      this.#backoff = undefined
      this.send({ type: 'timer.backoff' })
    } else {
      this.#bound = undefined
      this.send({ type: kind as BoundTimer })
    }
  }

  // From here on: what the machine asks for.

  listen(): void {
    const { store, pool } = this.#ports
    const unwake = store.wake('work', () => {
      this.send({ type: 'daemon.nudge' })
      this.#upkeep.hear()
    })
    const freed = (): void => {
      if (this.driver.state === 'working.full' && this.#claimer.hasRoomForMore)
        this.send({ type: 'place.freed' })
    }
    pool.freed.add(freed)
    this.#unlisten = () => {
      unwake()
      pool.freed.delete(freed)
    }
    this.#upkeep.start()
  }

  unlisten(): void {
    this.#unlisten?.()
    this.#unlisten = undefined
    this.#due = this.#cancel(this.#due)
    this.#schedules.stop()
    this.#overdue.stop()
  }

  register(): void {
    this.#upkeep.beat().then(
      () => this.send({ type: 'daemon.registered' }),
      (error: unknown) => this.send({ type: 'store.failed', error }),
    )
  }

  claim(): void {
    this.#due = this.#cancel(this.#due)
    this.#claims += 1
    const over = (event: DaemonEvent): void => {
      this.#claims -= 1
      this.send(event)
      this.#lookDrained()
    }
    this.#claimer.claim().then(
      (claimed) => over({ type: 'claim.answered', isFull: claimed.isFull, answer: claimed }),
      (error: unknown) => over({ type: 'store.failed', error }),
    )
  }

  takeClaimed(claimed: Claimed): void {
    this.#nextAt = claimed.nextAt
    this.#schedules.planned(claimed.scheduleAt)
    this.#overdue.planned(claimed.overdueAt)
    if (claimed.isFull && this.#ports.store.isServer) this.#takeLater(claimed)
    else this.#take(claimed)
    this.tasks.end(claimed.asked)
  }

  returnClaimed({ tasks, arrived }: Claimed): void {
    arrived()
    this.tasks.return(tasks)
    for (const { id } of tasks) this.#cleared(id)
  }

  #take(claimed: Claimed): void {
    const { tasks, lease, sorted, arrived } = claimed
    // The store took so long that nobody can say whether the lease will hold.
    if (tasks.length > 0 && this.#term.granted(lease, this.#now)) return this.returnClaimed(claimed)
    if (sorted !== undefined) return this.#takeWithCare(claimed, sorted)
    arrived()
    this.tasks.take(tasks, lease.endMono)
  }

  /** What is not to begin has gone back before one of the others can end this process. */
  #takeWithCare({ lease, arrived }: Claimed, { care, begin, back, later }: SortedClaim<ClaimedTask>): void {
    this.#coming += 1
    if (care === 'alone') this.returnUnstarted()
    void this.tasks.handBack(back, later).then((isStored) => {
      this.#coming -= 1
      arrived()
      if (isStored && isAtWork(this.state)) this.tasks.take(begin, lease.endMono)
      else this.tasks.return(begin)
      for (const { id } of begin) if (!this.tasks.byId.has(id)) this.#cleared(id)
      this.#lookFree()
    })
  }

  /** Others need not wait for it any more. */
  #cleared(id: string): void {
    if (this.#claimer.cleared(id)) this.send({ type: 'daemon.nudge' })
  }

  /** More is due: they begin when the next claim is on its way, so that the server works on that while they run. */
  #takeLater(claimed: Claimed): void {
    this.#coming += 1
    const begin = (): void => {
      this.#coming -= 1
      if (isAtWork(this.state)) this.#take(claimed)
      else this.returnClaimed(claimed)
      this.#lookFree()
    }
    // A claim goes at the end of the turn in which it is made.
    setImmediate(() => setImmediate(begin))
  }

  /** Those that were refused, or handed back, have freed no place: there was one all the time. */
  #lookFree(): void {
    if (this.driver.state === 'working.full') this.awaitPlace()
    this.#lookDrained()
  }

  awaitDue(): void {
    if (this.#nextAt === null) return
    const waitMs = Math.min(MAX_REST_MS, Math.max(0, this.#nextAt - this.#ports.now()))
    this.#due = this.#arm('due', this.#now + waitMs)
  }

  /** A place may have been freed since the claim was sent. */
  awaitPlace(): void {
    if (this.#claimer.hasRoomForMore) this.send({ type: 'place.freed' })
  }

  armBackoff(): void {
    const waitMs = backoffMs(STORE_BACKOFF, this.driver.snapshot.context.failures, this.#ports.random())
    this.#backoff = this.#arm('backoff', this.#now + waitMs)
  }

  disarmBackoff(): void {
    this.#backoff = this.#cancel(this.#backoff)
  }

  returnUnstarted(): void {
    this.tasks.broadcast({ type: 'task.terminate', reason: 'handedBack' }, ({ state }) => state !== 'running')
    this.#lookDrained()
  }

  signalRuns(): void {
    const graceMs = Math.max(0, this.plan.killAt - this.#now)
    this.tasks.broadcast({ type: 'task.terminate', reason: 'stop', graceMs }, () => true)
  }

  killRuns(): void {
    this.tasks.broadcast({ type: 'task.kill' }, () => true)
  }

  emptyOutbox(): void {
    if (this.#outbox.isEmpty) this.send({ type: 'outbox.emptied' })
  }

  leave(): void {
    this.#upkeep.stop()
    this.#ports.store.submit({ type: 'leave', ids: [this.identity.id] }).then(
      () => this.send({ type: 'daemon.left' }),
      (error: unknown) => {
        const isClosed = this.#ports.store.isClosed()
        this.send(isClosed ? { type: 'daemon.left' } : { type: 'store.failed', error })
      },
    )
  }

  armBound(kind: BoundTimer, due: number): void {
    this.disarmBound()
    if (due !== NEVER) this.#bound = this.#arm(kind, due)
  }

  disarmBound(): void {
    this.#bound = this.#cancel(this.#bound)
  }

  announce(fact: DaemonFact, event: DaemonEvent): void {
    if (fact === 'stopped') return this.#stopped()
    this.#ports.announce(this.identity, fact, 'error' in event ? event.error : undefined)
    if (fact === 'storeFound') this.#outbox.storeFound()
    if (fact === 'started') this.#listener.ready()
  }

  #stopped(): void {
    this.unlisten()
    this.disarmBackoff()
    this.#upkeep.stop()
    this.#keeper.stop()
    this.#outbox.close()
    this.#watch.stop()
    this.#ports.stopped(this.identity, this.tasks.size, this.#outbox.untold)
    this.#listener.exited({ kind: 'stopped' })
  }

  #counts(): object {
    const { counts, size: held, running } = this.tasks
    return { ...counts, held, running }
  }

  #lookDrained(): void {
    if (this.tasks.size === 0 && this.#claims + this.#coming === 0) this.send({ type: 'daemon.drained' })
  }

  #arm(kind: TimerKind, due: number): Timer {
    return this.#ports.pool.timers.arm(due, this, kind)
  }

  #cancel(timer: Timer | undefined): undefined {
    if (timer !== undefined) this.#ports.pool.timers.cancel(timer)
  }

  get #now(): number {
    return this.#ports.clock.monotonic()
  }
}

const isAtWork = (state: string): boolean => state === 'working' || state === 'backingOff'
const claimedOf = (event: DaemonEvent): Claimed => (event as { answer: Claimed }).answer

const effects: DriverEffects<DaemonLife, typeof daemonMachine> = {
  listen: (life) => life.listen(),
  unlisten: (life) => life.unlisten(),
  register: (life) => life.register(),
  claim: (life) => life.claim(),
  takeClaimed: (life, _, event) => life.takeClaimed(claimedOf(event)),
  returnClaimed: (life, _, event) => life.returnClaimed(claimedOf(event)),
  awaitDue: (life) => life.awaitDue(),
  awaitPlace: (life) => life.awaitPlace(),
  armBackoff: (life) => life.armBackoff(),
  disarmBackoff: (life) => life.disarmBackoff(),
  returnUnstarted: (life) => life.returnUnstarted(),
  signalRuns: (life) => life.signalRuns(),
  killRuns: (life) => life.killRuns(),
  emptyOutbox: (life) => life.emptyOutbox(),
  leave: (life) => life.leave(),
  armSignal: (life) => life.armBound('timer.signal', life.plan.signalAt),
  armKill: (life) => life.armBound('timer.kill', life.plan.killAt),
  armEnd: (life) => life.armBound('timer.end', life.plan.killAt + END_MS),
  disarmBound: (life) => life.disarmBound(),
  announce: (life, { fact }: { fact: DaemonFact }, event) => life.announce(fact, event),
}
