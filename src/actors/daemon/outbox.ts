/**
 * Tells the store what became of tasks and how far they are, in batches; its life is machines/outbox.ts.
 *
 * What ends in one turn of the event loop goes together. Of progress only the newest report of a task is kept, and none
 * goes more often than every {@link PROGRESS_MS}; the last one of a task goes with its end. An end whose row somebody has locked
 * goes by itself, and no other one waits for it.
 */
import { backoffMs } from '../../machines/backoff.ts'
import { compile } from '../../machines/compile.ts'
import { outboxMachine } from '../../machines/outbox.ts'
import type { Timer, TimerKind, TimerOwner } from '../armed-timers.ts'
import { type DriverEffects, MachineDriver } from '../machine-driver.ts'
import type { ProgressOperation, SettleAnswer, Settlement } from '../store/operations.ts'
import type { Lease } from '../store/task-record.ts'
import type { DaemonPorts } from './daemon-ports.ts'
import { STORE_BACKOFF } from './store-backoff.ts'

type Report = ProgressOperation['reports'][number]

/** How often progress is written at most. */
const PROGRESS_MS = 100

export interface OutboxListener {
  emptied(): void
  /** The store took what it had not taken before: what it says of other tasks may have been asked too early. */
  recovered(): void
  /** The store took no word of this holder: somebody else has the task. */
  fenced(lease: Lease): void
}

const logic = compile(outboxMachine)

export class Outbox implements TimerOwner {
  readonly #ports: DaemonPorts
  readonly #by: string
  readonly #listener: OutboxListener
  readonly #driver: MachineDriver<Outbox, typeof outboxMachine>
  #settlements: Settlement[] = []
  /** Settlements that were sent, and whose answer is still to come. */
  #onTheWay = 0
  #reports: Map<string, Report> = new Map()
  /** Ids of tasks whose end the store refused once. */
  readonly #rescued: Set<string> = new Set()
  #retry: Timer | undefined = undefined
  #progress: Timer | undefined = undefined
  /** What goes at the end of this turn. */
  #sending: NodeJS.Immediate | undefined = undefined
  #sent: Promise<void> = Promise.resolve()
  #untold = 0
  /** Settlements that go by themselves. */
  #locked = 0
  #isClosed = false

  constructor(ports: DaemonPorts, by: string, listener: OutboxListener) {
    this.#ports = ports
    this.#by = by
    this.#listener = listener
    this.#driver = new MachineDriver<Outbox, typeof outboxMachine>(this, {
      logic,
      input: undefined,
      effects,
      onError: (error) => ports.onError(error, 'outbox'),
    })
  }

  get isEmpty(): boolean {
    return this.#driver.state === 'empty' && this.#locked === 0
  }

  /** How many settlements are not known to be stored. */
  get untold(): number {
    return this.#untold + this.#onTheWay + this.#locked + this.#settlements.length
  }

  /** Resolves when the answer to what was sent last has been heard. */
  get answered(): Promise<void> {
    return this.#sent
  }

  /**
   * Sends what would go at the end of this turn. A claim that goes first would not bring the step after one that has ended
   * here, and would be for nothing.
   */
  flush(): void {
    if (this.#sending === undefined) return
    clearImmediate(this.#sending)
    this.#sending = undefined
    this.#sent = this.#send()
  }

  /** Resolves when these are stored, with all that is to be told now. Rejects when they are not: then nobody tells them here. */
  async settleFirst(settlements: readonly Settlement[]): Promise<void> {
    this.flush()
    const { store, now } = this.#ports
    const stored =
      settlements.length === 0
        ? undefined
        : store.submit({ type: 'settle', at: now(), by: this.#by, settlements })
    await Promise.all([stored, this.#sent])
  }

  settle(settlement: Settlement): void {
    this.#settlements.push(settlement)
    if (this.#settlements.length === 1) this.#driver.send({ type: 'report.added' })
  }

  progress(report: Report): void {
    this.#reports.set(report.id, report)
    const { pool } = this.#ports
    this.#progress ??= pool.timers.arm(pool.ports.clock.monotonic() + PROGRESS_MS, this, 'progress')
  }

  /** Its last word: what could not be told is forgotten here, and nothing of it is left. */
  close(): void {
    this.#isClosed = true
    this.disarmRetry()
    this.#disarm(this.#progress)
    this.#progress = undefined
  }

  /** It answers others again. */
  storeFound(): void {
    this.#driver.send({ type: 'store.found' })
  }

  onTimer(kind: TimerKind): void {
    if (kind === 'progress') {
      this.#progress = undefined
      this.#driver.send({ type: 'report.added' })
    } else {
      this.#retry = undefined
      this.#driver.send({ type: 'timer.retry' })
    }
  }

  // From here on: what the machine asks for.

  /** At the end of the turn, so that all that ends in it goes together. */
  send(): void {
    this.#sending = setImmediate(() => this.flush())
  }

  sendEach(): void {
    void this.#sendEach()
  }

  armRetry(): void {
    if (this.#isClosed) return
    const { pool, random } = this.#ports
    const { failures } = this.#driver.snapshot.context
    const waitMs = backoffMs(STORE_BACKOFF, failures, random())
    this.#retry = pool.timers.arm(pool.ports.clock.monotonic() + waitMs, this, 'retry')
  }

  disarmRetry(): void {
    this.#disarm(this.#retry)
    this.#retry = undefined
  }

  reportEmptied(): void {
    if (this.#locked === 0) this.#listener.emptied()
  }

  async #send(): Promise<void> {
    if (this.#isClosed) return
    const { settlements, reports } = this.#takeOut()
    const { store, now } = this.#ports
    const at = now()
    try {
      const [, settled] = await Promise.all([
        reports.size === 0
          ? undefined
          : store.submit({ type: 'progress', at, reports: [...reports.values()] }),
        settlements.length === 0
          ? undefined
          : store.submit({ type: 'settle', at, by: this.#by, settlements }),
      ])
      this.#onTheWay = 0
      this.#hear(settlements, settled?.items ?? [])
      this.#driver.send({ type: 'store.answered', rest: this.#settlements.length })
    } catch (error) {
      this.#failed(settlements, reports, error)
    }
  }

  /** Beside them goes a question that nothing can be wrong with: whether the store answers at all. */
  async #sendEach(): Promise<void> {
    if (this.#isClosed) return
    const { settlements, reports } = this.#takeOut()
    const { store, now } = this.#ports
    const at = now()
    const question = store.submit({ type: 'renew', at, leaseUntil: at, leases: [] })
    const told = [...reports.values()].map((report) =>
      store.submit({ type: 'progress', at, reports: [report] }),
    )
    const settled = settlements.map((settlement) =>
      store.submit({ type: 'settle', at, by: this.#by, settlements: [settlement] }),
    )
    const [answers, progress] = await Promise.all([Promise.allSettled(settled), Promise.allSettled(told)])
    try {
      await question
    } catch (error) {
      return this.#failed(settlements, reports, error)
    }
    this.#onTheWay = 0
    for (const answer of progress) {
      if (answer.status === 'rejected') this.#ports.onError(answer.reason, 'storing the progress of a task')
    }
    for (const [index, answer] of answers.entries()) {
      const settlement = settlements[index] as Settlement
      // One that is lost may be so because it was taken before, and only the answer did not come.
      if (answer.status === 'rejected') this.#refused(settlement, answer.reason)
      else if (answer.value.items[0]?.kind === 'locked') void this.#sendLocked(settlement)
      else this.#rescued.delete(settlement.id)
    }
    this.#listener.recovered()
    this.#driver.send({ type: 'store.answered', rest: this.#settlements.length })
  }

  /** The store does not take this one: it fails as what cannot be stored. */
  #refused({ id, fence }: Settlement, error: unknown): void {
    this.#ports.onError(error, `storing the end of task ${id}`)
    // Not even that: its lease tells it by running out.
    if (this.#rescued.delete(id)) return
    this.#rescued.add(id)
    this.#settlements.push({ id, fence, verdict: this.#ports.unstorable(error) })
  }

  #hear(settlements: readonly Settlement[], answers: readonly SettleAnswer[]): void {
    for (const [index, { kind }] of answers.entries()) {
      const settlement = settlements[index] as Settlement
      if (kind === 'lost') this.#listener.fenced(settlement)
      if (kind === 'locked') void this.#sendLocked(settlement)
    }
  }

  async #sendLocked(settlement: Settlement): Promise<void> {
    const { store, now } = this.#ports
    this.#locked += 1
    const operation = { type: 'settle', at: now(), by: this.#by, settlements: [settlement] } as const
    const answer = await store.submitLocked(operation).catch(() => undefined)
    this.#locked -= 1
    // What is still locked, or was not answered, goes with the others once more.
    if (answer === undefined) return this.settle(settlement)
    this.#hear([settlement], answer.items)
    if (this.isEmpty) this.#listener.emptied()
  }

  #takeOut(): { settlements: Settlement[]; reports: Map<string, Report> } {
    const settlements = this.#settlements
    const reports = this.#reports
    this.#onTheWay = settlements.length
    this.#settlements = []
    this.#reports = new Map()
    return { settlements, reports }
  }

  #failed(settlements: Settlement[], reports: Map<string, Report>, error: unknown): void {
    this.#onTheWay = 0
    if (this.#ports.store.isClosed()) {
      // Nobody will ever take it.
      this.#untold += settlements.length
      return this.#driver.send({ type: 'store.answered', rest: this.#settlements.length })
    }
    this.#settlements = settlements.concat(this.#settlements)
    for (const [id, report] of this.#reports) reports.set(id, report)
    this.#reports = reports
    this.#driver.send({ type: 'store.failed', error })
  }

  #disarm(timer: Timer | undefined): void {
    if (timer !== undefined) this.#ports.pool.timers.cancel(timer)
  }
}

const effects: DriverEffects<Outbox, typeof outboxMachine> = {
  send: (outbox) => outbox.send(),
  sendEach: (outbox) => outbox.sendEach(),
  armRetry: (outbox) => outbox.armRetry(),
  disarmRetry: (outbox) => outbox.disarmRetry(),
  reportEmptied: (outbox) => outbox.reportEmptied(),
}
