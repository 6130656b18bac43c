/** One attempt in a thread or process: the pool's side of it. */
import type { TaskEvent } from '../machines/task-model.ts'
import type { AttemptHandle, AttemptListener, ControlMethod, Executor, Job, Settlement } from './attempt.ts'
import { finishAttempt } from './finish-attempt.ts'
import type { TaskPool } from './task-pool.ts'
import type { TaskRun } from './task-run.ts'

const STARTED: TaskEvent = { type: 'attempt.started' }

export class RemoteAttempt implements AttemptHandle, AttemptListener {
  readonly #pool: TaskPool
  readonly #run: TaskRun
  #handle: AttemptHandle | undefined = undefined

  constructor(pool: TaskPool, run: TaskRun) {
    this.#pool = pool
    this.#run = run
  }

  start(executor: Executor): void {
    const { ports } = this.#pool
    const { id, definition, input, deadlineMono, snapshot } = this.#run
    const job: Job = {
      runId: id,
      attempt: snapshot.context.attempt,
      name: definition.name,
      module: definition.module ?? '',
      input,
      priority: this.#run.plan.priority,
      deadlineAt:
        deadlineMono === Number.POSITIVE_INFINITY
          ? undefined
          : ports.clock.now() + deadlineMono - ports.clock.monotonic(),
      supervisorId: ports.supervisorId,
    }
    this.#handle = executor.start(job, this)
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

  started(at: number): void {
    if (!this.#current) return
    const { clock } = this.#pool.ports
    // The handler began a little earlier, on another thread's clock; never before it was admitted.
    const agoMs = Math.max(0, clock.now() - at)
    this.#run.startedMono = Math.max(this.#pool.admittedMono, clock.monotonic() - agoMs)
    this.#pool.deliver(this.#run, STARTED)
  }

  progress(percent: number, note: string | undefined): void {
    if (this.#current) this.#pool.progress(this.#run, percent, note)
  }

  log(record: { level: number; msg?: string }): void {
    this.#pool.ports.logRecord(this.#run, record)
  }

  async call(method: ControlMethod, args: unknown): Promise<unknown> {
    if (!this.#current) throw new Error('The run has ended')
    return this.#pool.ports.call(this.#run, method, args)
  }

  settled(settlement: Settlement): void {
    finishAttempt(this.#pool, this.#run, this, settlement)
  }

  get #current(): boolean {
    return this.#run.attempt === this
  }
}
