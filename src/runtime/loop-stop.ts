/**
 * A loop that is being stopped while its supervisor goes on: the runs that were to run on it, and their bound.
 *
 * - before `signalAt`: what runs and what is queued may end by itself; what waits for its time is terminated.
 * - `signalAt`: everything is terminated, with the grace that is left. `killAt`: what is left is killed.
 *
 * It has `ended` when none of these runs is live. A second stop with a sooner bound escalates this one.
 */

import type { Timer, TimerKind, TimerOwner } from '../actors/armed-timers.ts'
import type { TaskPool } from '../actors/task-pool.ts'
import type { TaskRun } from '../actors/task-run.ts'
import type { StopPlan } from '../machines/supervisor.ts'

const WAITING = new Set(['scheduled', 'retrying', 'snoozed'])

export class LoopStop implements TimerOwner {
  readonly #loop: string
  readonly #pool: TaskPool
  /** What the runs that it ends have as their cause. */
  readonly #error: Error
  readonly #runs: TaskRun[]
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers()
  #plan: StopPlan
  #timer: Timer | undefined = undefined

  constructor(loop: string, pool: TaskPool, plan: StopPlan, error: Error) {
    this.#loop = loop
    this.#pool = pool
    this.#plan = plan
    this.#error = error
    this.#runs = pool.registry.live().filter((run) => run.plan.loop === loop)
    this.#proceed()
  }

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** An escalation only ever brings an instant nearer. */
  escalate(plan: StopPlan): void {
    const { signalAt, killAt, endQueued } = this.#plan
    this.#plan = {
      at: plan.at,
      signalAt: Math.min(plan.signalAt, signalAt),
      killAt: Math.min(plan.killAt, killAt),
      endQueued: plan.endQueued || endQueued,
    }
    this.#proceed()
  }

  /** A run that was accepted after all: the child of one that could not end without it. */
  add(run: TaskRun): void {
    this.#runs.push(run)
  }

  /** A run has ended, or moved to another place. */
  look(): void {
    for (let last = this.#runs.at(-1); last !== undefined; last = this.#runs.at(-1)) {
      if (last.live && last.plan.loop === this.#loop) return
      this.#runs.pop()
    }
    this.#disarm()
    this.#ended.resolve()
  }

  onTimer(_kind: TimerKind): void {
    this.#timer = undefined
    this.#proceed()
  }

  #proceed(): void {
    const now = this.#pool.ports.clock.monotonic()
    const { signalAt, killAt, endQueued } = this.#plan
    if (now >= killAt) this.#send({ type: 'task.kill' }, () => true)
    else if (now >= signalAt) this.#terminate(() => true, killAt - now)
    else this.#terminate((run) => WAITING.has(run.state) || (endQueued && run.state === 'queued'))
    this.#disarm()
    const next = now < signalAt ? signalAt : killAt
    if (now < killAt && next !== Number.POSITIVE_INFINITY) {
      this.#timer = this.#pool.timers.arm(next, this, 'loopStop')
    }
    this.look()
  }

  #terminate(matches: (run: TaskRun) => boolean, graceMs?: number): void {
    const bound = graceMs === undefined ? {} : { graceMs }
    this.#send({ type: 'task.terminate', reason: 'stop', detail: this.#error, ...bound }, matches)
  }

  #send(event: Parameters<TaskPool['deliver']>[1], matches: (run: TaskRun) => boolean): void {
    // Those that end meanwhile are taken off the list.
    for (const run of [...this.#runs])
      if (run.plan.loop === this.#loop && matches(run)) this.#pool.deliver(run, event)
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#pool.timers.cancel(this.#timer)
    this.#timer = undefined
  }
}
