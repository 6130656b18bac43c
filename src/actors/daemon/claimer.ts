/** Claims tasks for one daemon: all its lanes in one commit, at the end of the turn in which there was a reason to. */
import {
  type ClaimCare,
  type ClaimedShare,
  nextCare,
  type SortedClaim,
  sortClaimed,
} from '../../machines/claim-care.ts'
import { askedRoom } from '../../machines/claim-room.ts'
import type { ClaimAnswer, ClaimOperation } from '../store/operations.ts'
import type { ClaimedTask } from '../store/task-record.ts'
import type { TaskRun } from '../task-run.ts'
import { CLAIM_LIMIT, ClaimLane } from './claim-lane.ts'
import type { DaemonPorts } from './daemon-ports.ts'
import type { AskedLease, LeaseTerm } from './lease-term.ts'
import type { Outbox } from './outbox.ts'

/** Where nothing could be taken, the store is asked only so often what is to be ended. */
const ASK_MS = 25
/** Tasks whose names it does not know fail here, so many at a time. */
const STRANGERS = 20

/** What a claim has brought. */
export interface Claimed
  extends Pick<ClaimAnswer, 'tasks' | 'asked' | 'nextAt' | 'scheduleAt' | 'overdueAt'> {
  readonly lease: AskedLease
  /** More may be due than was asked for. */
  readonly isFull: boolean
  /** What is to begin of it, where some have lost leases. Default: all. */
  readonly sorted: SortedClaim<ClaimedTask> | undefined
  /** To be called when its tasks are in the pool, or back in the store. */
  arrived(): void
}

export class Claimer {
  readonly #ports: DaemonPorts
  readonly #holder: string
  readonly #outbox: Outbox
  readonly #term: LeaseTerm
  readonly #main: ClaimLane
  readonly #processes: ClaimLane | undefined
  readonly #holdsLast: () => boolean
  #care: ClaimCare = 'normal'
  /** The task that is alone. */
  #suspect: string | undefined = undefined
  #askedMono = Number.NEGATIVE_INFINITY
  /** How long the last claim took. */
  #answerMs = 0
  /** Since when tasks are held, as far as it was not counted yet. */
  #busyMono: number | undefined = undefined
  #busyMs = 0
  /** Claims whose tasks are about to begin. */
  #coming = 0

  /**
   * @param outbox - what shares its commits
   * @param holdsLast - see `CareFacts`
   */
  constructor(ports: DaemonPorts, holder: string, outbox: Outbox, term: LeaseTerm, holdsLast: () => boolean) {
    this.#ports = ports
    this.#holder = holder
    this.#outbox = outbox
    this.#term = term
    this.#holdsLast = holdsLast
    const { pool, settings } = ports
    const { prefetch, names, processNames, unknownTasks } = settings
    const options = { prefetch, takesTurns: ports.store.isServer }
    const splits = processNames.length > 0
    const all = splits || unknownTasks === 'leave' ? names : undefined
    this.#main = new ClaimLane(pool.pool, all, options)
    this.#processes = splits ? new ClaimLane(pool.processes, processNames, options) : undefined
  }

  /** A task has ended here. @param isLast - no other one is held */
  noteEnd(run: TaskRun | undefined, isLast: boolean): void {
    const isProcess = run?.execution === 'process'
    ;((isProcess ? this.#processes : undefined) ?? this.#main).noteEnd()
    if (isLast) {
      this.#countBusy()
      this.#busyMono = undefined
    }
  }

  /** There are tasks to run, if there were none. */
  noteTaken(): void {
    this.#busyMono ??= this.#ports.clock.monotonic()
  }

  /** A task has ended here, lives on with a renewed lease, or went back. @returns whether others had to wait for that */
  cleared(id: string): boolean {
    if (id !== this.#suspect) return false
    this.#suspect = undefined
    this.#care = nextCare(this.#care, { type: 'suspect.cleared' })
    return true
  }

  /** Whether a claim may bring what the last one has left for want of room. */
  get hasRoomForMore(): boolean {
    return this.#isOpen && this.#lanes.some((lane) => lane.hasRoomForMore)
  }

  /** Rejects when the store does not answer. */
  async claim(): Promise<Claimed> {
    // What was claimed before waits until this claim is on its way.
    if (this.#coming === 0) await this.#turn()
    this.#outbox.flush()
    const { store, clock, settings, now } = this.#ports
    const at = now()
    const mono = clock.monotonic()
    const lease = this.#term.ask(mono)
    const lanes = this.#isOpen ? this.#lanes : []
    this.#countBusy()
    const asks = lanes.map((lane): ClaimOperation => {
      lane.claimsAhead = this.#care === 'normal'
      lane.look(this.#busyMs, this.#answerMs)
      return this.#operation(at, lease, askedRoom(lane.room()), lane.names)
    })
    this.#busyMs = 0
    if (asks.length === 0) asks.push(this.#operation(at, lease, NO_ROOM, undefined))
    else if (this.#processes !== undefined && settings.unknownTasks === 'fail') {
      const except = [...settings.names, ...settings.processNames]
      asks.push({ ...this.#operation(at, lease, SOME_ROOM, undefined), limit: STRANGERS, except })
    }
    const answers = await Promise.all(asks.map((ask) => store.submit(ask)))
    this.#answerMs = clock.monotonic() - mono
    // What shared the commit is heard first: the ends of the tasks that begin now must go before the next claim. Where they
    // went beside it, they are not waited for.
    await (store.isServer ? Promise.race([this.#outbox.answered, nextTurn()]) : this.#outbox.answered)
    const sorted = this.#sort(answers)
    const strangers = answers[this.#lanes.length]?.tasks.length ?? 0
    for (const [index, lane] of this.#lanes.entries()) {
      const [ask, answer] = [asks[index], answers[index]]
      if (ask !== undefined && answer !== undefined && lanes.length > 0 && strangers < STRANGERS)
        lane.answered(ask.room, answer.tasks)
      else lane.unanswered(answer?.tasks.length ?? 0)
    }
    this.#coming += 1
    const [{ asked, nextAt, scheduleAt, overdueAt }] = answers as [ClaimAnswer]
    const tasks = answers.length === 1 ? answers[0]?.tasks : answers.flatMap((answer) => answer.tasks)
    return {
      tasks: tasks ?? [],
      asked,
      nextAt,
      scheduleAt,
      overdueAt,
      lease,
      isFull: this.#lanes.some((lane) => lane.isFull),
      sorted,
      arrived: () => {
        this.#coming -= 1
        for (const [index, lane] of this.#lanes.entries()) lane.arrived(answers[index]?.tasks.length ?? 0)
      },
    }
  }

  /** Where no lease was lost, this is all that care costs. */
  #sort(answers: readonly ClaimAnswer[]): SortedClaim<ClaimedTask> | undefined {
    const hasSuspects = answers.some(({ tasks }) => tasks.some(({ lost }) => lost > 0))
    const sorted = hasSuspects ? this.#sorted(answers) : undefined
    this.#care = nextCare(this.#care, { type: 'claim.sorted', care: sorted?.care ?? 'normal' })
    if (sorted?.care === 'alone') this.#suspect = sorted.begin[0]?.id
    return sorted
  }

  #sorted(answers: readonly ClaimAnswer[]): SortedClaim<ClaimedTask> {
    const shares = answers.map(({ tasks }, index): ClaimedShare<ClaimedTask> => {
      const lane = this.#lanes[index]
      return { tasks, places: lane === undefined ? SOME_ROOM : lane.places() }
    })
    return sortClaimed(shares, {
      lostLimit: this.#ports.settings.lostLimit,
      holdsLast: this.#holdsLast(),
    })
  }

  /** Whether anything may be claimed. */
  get #isOpen(): boolean {
    return this.#ports.pool.open && this.#care !== 'alone'
  }

  #countBusy(): void {
    const now = this.#ports.clock.monotonic()
    if (this.#busyMono === undefined) return
    this.#busyMs += now - this.#busyMono
    this.#busyMono = now
  }

  get #lanes(): readonly ClaimLane[] {
    return this.#processes === undefined ? [this.#main] : [this.#processes, this.#main]
  }

  #operation(
    at: number,
    lease: AskedLease,
    room: ClaimOperation['room'],
    names: readonly string[] | undefined,
  ): ClaimOperation {
    const operation: ClaimOperation = {
      type: 'claim',
      at,
      holder: this.#holder,
      leaseUntil: at + Math.round(lease.ms),
      room,
      limit: CLAIM_LIMIT,
    }
    return names === undefined ? operation : { ...operation, names }
  }

  /** Until the turn ends, in which more may end and make room; longer where there is none and it was asked just now. */
  async #turn(): Promise<void> {
    await nextTurn()
    const { clock, pool } = this.#ports
    const waitMs = this.#askedMono + ASK_MS - clock.monotonic()
    const hasRoom = this.#isOpen && this.#lanes.some((lane) => lane.hasRoom)
    if (waitMs > 0 && !hasRoom) {
      await new Promise<void>((resolve) => {
        pool.timers.arm(clock.monotonic() + waitMs, { onTimer: () => resolve() }, 'ask')
      })
    }
    this.#askedMono = clock.monotonic()
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const NO_ROOM: ClaimOperation['room'] = { critical: 0, high: 0, normal: 0, low: 0 }
const SOME_ROOM: ClaimOperation['room'] = {
  critical: STRANGERS,
  high: STRANGERS,
  normal: STRANGERS,
  low: STRANGERS,
}
