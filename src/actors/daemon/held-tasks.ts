/**
 * The tasks that a daemon holds: begun in the supervisor's pool when they are claimed, settled when their runs end. The
 * store is authoritative for who holds them.
 */
import { isOnLastLife } from '../../machines/claim-care.ts'
import type { Outcome } from '../../machines/model.ts'
import type { TaskEvent } from '../../machines/task-model.ts'
import { storableText } from '../storable.ts'
import type { AskedTask, Verdict } from '../store/operations.ts'
import type { ClaimedTask, Lease } from '../store/task-record.ts'
import { type Progress, TaskRun } from '../task-run.ts'
import type { DaemonPorts } from './daemon-ports.ts'
import { HeldTask, type HeldTaskOwner } from './held-task.ts'
import type { Outbox } from './outbox.ts'

/** What became of tasks here, by the word the store was told. */
export type DaemonCounts = Record<Verdict['kind'] | 'claimed' | 'lost', number>

/** A task whose former run has not ended here yet comes back after this. */
const LATER_MS = 500

const RETURNED: Verdict = { kind: 'returned' }

export interface HeldTasksListener {
  /** There is one more. */
  taken(): void
  /** There is one less. */
  gone(held: HeldTask): void
  /** What one became leads to something else as soon as it is stored: its next step, or the next run of its schedule. */
  goesOn(): void
  /** No occurrence is to follow it. */
  endSchedule(held: HeldTask): Promise<boolean>
  /** The lease of one is lost. */
  lost(held: HeldTask): void
  /** The lease of one holds for longer. */
  renewed(held: HeldTask): void
}

export class HeldTasks implements HeldTaskOwner {
  readonly byId: Map<string, HeldTask> = new Map()
  readonly counts: DaemonCounts = {
    claimed: 0,
    finished: 0,
    failed: 0,
    cancelled: 0,
    terminated: 0,
    retry: 0,
    snooze: 0,
    step: 0,
    fork: 0,
    returned: 0,
    lost: 0,
  }
  /** Tasks whose handlers were given up and may go on here, and until when they are waited for, on the monotonic clock. */
  readonly #given: Map<string, number> = new Map()
  readonly #ports: DaemonPorts
  readonly #outbox: Outbox
  readonly #listener: HeldTasksListener

  constructor(ports: DaemonPorts, outbox: Outbox, listener: HeldTasksListener) {
    this.#ports = ports
    this.#outbox = outbox
    this.#listener = listener
  }

  get size(): number {
    return this.byId.size
  }

  /** How many have begun. */
  get running(): number {
    let running = 0
    for (const { run } of this.byId.values()) if (run?.state === 'running') running += 1
    return running
  }

  /** Begins claimed tasks. @param leaseEndMono - when their leases end, on the monotonic clock */
  take(tasks: readonly ClaimedTask[], leaseEndMono: number): void {
    this.counts.claimed += tasks.length
    for (const task of tasks) this.#take(task, leaseEndMono)
  }

  /** Hands claimed tasks back that are not to begin here. */
  return(tasks: readonly ClaimedTask[]): void {
    this.counts.claimed += tasks.length
    for (const task of tasks) this.#tell(task, RETURNED)
  }

  /**
   * Hands claimed tasks back before others begin.
   *
   * @param later - are not to be claimed again at once
   * @returns whether that is stored; if not, it is told when the store answers again
   */
  async handBack(back: readonly ClaimedTask[], later: readonly ClaimedTask[]): Promise<boolean> {
    const snooze: Verdict = { kind: 'snooze', runAt: this.#ports.now() + LATER_MS }
    const settlements = [
      ...back.map(({ id, fence }) => ({ id, fence, verdict: RETURNED })),
      ...later.map(({ id, fence }) => ({ id, fence, verdict: snooze })),
    ]
    this.counts.claimed += settlements.length
    this.counts.returned += back.length
    this.counts.snooze += later.length
    try {
      await this.#outbox.settleFirst(settlements)
      return true
    } catch {
      for (const settlement of settlements) this.#outbox.settle(settlement)
      return false
    }
  }

  /** Whether one is held that would be ended if it lost one more lease. */
  get holdsLast(): boolean {
    const { lostLimit } = this.#ports.settings
    return [...this.byId.values()].some(({ task }) => isOnLastLife(task, lostLimit))
  }

  /** Ends what somebody wants to end. */
  end(asked: readonly AskedTask[]): void {
    for (const { id, fence, request } of asked) {
      const held = this.byId.get(id)
      if (held?.fence === fence) held.end(request)
    }
  }

  /** Its lease is lost: it is ended here, and what comes of it is nobody's business. */
  lose(held: HeldTask): void {
    this.#lost(held)
    const { run } = held
    run?.pool.deliver(run, { type: 'task.terminate', reason: 'awol', graceMs: 0 })
  }

  /** Sends an event to the runs that match. */
  broadcast(event: TaskEvent, matches: (run: TaskRun) => boolean): void {
    for (const { run } of [...this.byId.values()]) {
      if (run !== undefined && matches(run)) run.pool.deliver(run, event)
    }
  }

  started(held: HeldTask): void {
    const percent = this.#ports.percentOf(held, undefined)
    if (percent !== undefined) this.#outbox.progress({ ...leaseOf(held), percent, note: null })
  }

  progressed(held: HeldTask, { percent, note }: Progress): void {
    const whole = this.#ports.percentOf(held, percent) ?? null
    this.#outbox.progress({
      ...leaseOf(held),
      percent: whole,
      note: note === undefined ? null : storableText(note),
    })
  }

  renewed(held: HeldTask): void {
    this.#listener.renewed(held)
  }

  endSchedule(held: HeldTask): Promise<boolean> {
    return this.#listener.endSchedule(held)
  }

  left({ id }: HeldTask): void {
    this.#given.delete(id)
  }

  ended(held: HeldTask, outcome: Outcome): void {
    this.byId.delete(held.id)
    if ('step' in outcome && outcome.step === 'abandon') this.#giveUp(held)
    const verdict = this.#ports.verdictOf(held, outcome)
    if (verdict !== undefined) this.#tell(held.task, verdict)
    // What has ended itself with its lease; others that nothing is said of were lost before.
    else if (outcome.kind !== 'terminated' || outcome.reason !== 'awol') this.#lost(held)
    this.#listener.gone(held)
  }

  #take(task: ClaimedTask, leaseEndMono: number): void {
    const { id } = task
    if (this.byId.has(id) || this.#isGiven(id)) {
      return this.#tell(task, { kind: 'snooze', runAt: this.#ports.now() + LATER_MS })
    }
    const held = new HeldTask(task, leaseEndMono, this.#ports.settings.leaseMs / 40, this)
    const begun = this.#ports.begin(held)
    if (!(begun instanceof TaskRun)) return this.#tell(task, begun)
    held.run = begun
    this.byId.set(id, held)
    this.#listener.taken()
    // It may have ended already: the time it had was over before it came here.
    if (begun.outcome !== undefined) return this.ended(held, begun.outcome)
    begun.watchers ??= []
    begun.watchers.push(held)
  }

  #lost(held: HeldTask): void {
    this.counts.lost += 1
    this.#listener.lost(held)
  }

  /** Its handler may still be at work. Whoever claims the task here waits for it, for the length of a lease at most. */
  #giveUp({ id }: HeldTask): void {
    const { clock, settings } = this.#ports
    const now = clock.monotonic()
    for (const [other, until] of this.#given) if (until <= now) this.#given.delete(other)
    this.#given.set(id, now + settings.leaseMs)
  }

  #isGiven(id: string): boolean {
    const until = this.#given.get(id)
    return until !== undefined && until > this.#ports.clock.monotonic()
  }

  #tell({ id, fence, schedule }: ClaimedTask, verdict: Verdict): void {
    this.counts[verdict.kind] += 1
    this.#outbox.settle({ id, fence, verdict })
    // A claim after it in the same commit, so that a step costs one.
    if (verdict.kind === 'step' || verdict.kind === 'fork' || schedule !== null) this.#listener.goesOn()
  }
}

const leaseOf = ({ id, fence }: HeldTask): Lease => ({ id, fence })
