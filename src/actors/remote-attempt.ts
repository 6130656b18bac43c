/** One attempt in a thread or process: the pool's side of it. */
import type {
  AttemptHandle,
  AttemptLease,
  AttemptListener,
  ControlMethod,
  Executor,
  Job,
  Settlement,
  SharedAttemptHandle,
} from './attempt.ts'
import { finishAttempt } from './finish-attempt.ts'
import type { TaskRun } from './task-run.ts'

export class RemoteAttempt implements AttemptHandle, AttemptListener {
  readonly #run: TaskRun
  #handle: AttemptHandle | SharedAttemptHandle | undefined = undefined
  /** Which attempt of its run it is. */
  #number = 0

  constructor(run: TaskRun) {
    this.#run = run
  }

  start(executor: Pick<Executor, 'start'>): void {
    const { ports } = this.#run.pool
    const { id, definition, input, deadlineMono, snapshot } = this.#run
    this.#number = snapshot.context.attempt
    const job: Job = {
      runId: id,
      attempt: this.#number,
      name: definition.name,
      module: definition.module ?? '',
      input,
      priority: this.#run.plan.priority,
      deadlineAt:
        deadlineMono === undefined ? undefined : ports.clock.now() + deadlineMono - ports.clock.monotonic(),
      supervisorId: ports.supervisorId,
      context: this.#run.plan.context,
      parameters: this.#run.plan.parameters === undefined ? undefined : this.#run.parameters,
      isStored: this.#run.kept !== undefined,
      lease: this.#run.kept?.lease(ports.clock.monotonic()),
      trace: ports.tracing?.attemptCarrier(this.#run),
    }
    try {
      this.#handle = executor.start(job, this)
    } catch (error) {
      queueMicrotask(() => this.settled({ type: 'crashed', error }))
    }
  }

  signal(reason: unknown): void {
    this.#handle?.signal(reason)
  }

  terminate(): void {
    this.#handle?.terminate()
  }

  kill(): void {
    this.#handle?.kill()
  }

  lease(lease: AttemptLease): void {
    this.#handle?.lease?.(lease)
  }

  /** Asks whether the loop that it shares still turns. */
  probe(): void {
    const { pool } = this.#run
    if (this.#shared === undefined) return
    this.#shared.probe(() => {
      if (this.#current) pool.deliver(this.#run, { type: 'loop.answered' })
    })
  }

  hasAnswered(): boolean {
    return this.#shared?.hasAnswered() ?? false
  }

  started(at: number): void {
    if (!this.#current) return
    const agoMs = Math.max(0, this.#run.pool.ports.clock.now() - at)
    this.#run.pool.deliver(this.#run, { type: 'attempt.started', agoMs })
  }

  progress(percent: number, note: string | undefined): void {
    if (this.#current) this.#run.pool.progress(this.#run, percent, note)
  }

  log(record: { level: number; msg?: string }): void {
    this.#run.pool.ports.logRecord(this.#run, record)
  }

  async call(method: ControlMethod, args: unknown): Promise<unknown> {
    if (!this.#current) throw new Error('The run has ended')
    const { ports } = this.#run.pool
    const call = (): Promise<unknown> => ports.call(this.#run, method, args)
    return ports.tracing === undefined ? call() : ports.tracing.within(this.#run, call)
  }

  settled(settlement: Settlement): void {
    if (finishAttempt(this.#run, this, settlement)) return
    const { step, attempt } = this.#run.snapshot.context
    // A handler that was given up is counted until it ends.
    if (step === 'abandon' && attempt === this.#number) this.#run.pool.ports.abandonedEnded(this.#run)
  }

  get #shared(): SharedAttemptHandle | undefined {
    return this.#handle !== undefined && 'probe' in this.#handle ? this.#handle : undefined
  }

  get #current(): boolean {
    return this.#run.attempt === this
  }
}
