/** Looks at every admission as it happens, with nothing but public facts. */
import assert from 'node:assert/strict'
import { threshold } from '../../src/machines/admission.ts'
import { PRIORITIES } from '../../src/machines/model.ts'
import type { TaskEventBase } from '../../src/runtime/events.ts'
import type { Run } from '../../src/runtime/run.ts'
import type { Supervisor } from '../../src/runtime/supervisor.ts'

const ENDS = ['task.finished', 'task.skipped', 'task.failed', 'task.cancelled', 'task.terminated'] as const

export class AdmissionWatch {
  readonly #supervisor: Supervisor
  readonly #order: Map<string, number> = new Map()
  readonly #ends: Map<string, number> = new Map()
  readonly #problems: unknown[] = []
  #counter = 0

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor
    supervisor.on('task.queued', ({ runId }) => void this.#order.set(runId, this.#counter++))
    // What a listener throws is isolated: it is kept here until somebody asks.
    supervisor.on('task.admitted', (event) => {
      try {
        this.#admitted(event)
      } catch (error) {
        this.#problems.push(error)
      }
    })
    for (const end of ENDS) {
      supervisor.on(end, ({ runId }) => void this.#ends.set(runId, (this.#ends.get(runId) ?? 0) + 1))
    }
  }

  /** @throws the first thing that was wrong */
  check(): void {
    if (this.#problems.length > 0) throw this.#problems[0]
  }

  ends(runId: string): number {
    return this.#ends.get(runId) ?? 0
  }

  #admitted({ runId, priority, execution }: TaskEventBase): void {
    const info = this.#supervisor.info()
    const inProcess = execution === 'process'
    const pool = inProcess ? info.processes : info.pool
    // It is counted already.
    assert.ok(pool.active - 1 < threshold(pool, priority), `${priority} over its threshold`)
    const running = this.#supervisor.list({ state: 'running' }).filter(({ id }) => id !== runId)
    const exclusive = running.some((run) => run.execution === 'main')
    const remote = inProcess || execution === 'thread'
    assert.ok(!exclusive || (remote && priority === 'critical'), 'started beside a main task')
    for (const waiting of this.#supervisor.list({ state: 'queued' })) {
      this.#notOvertaken(waiting, runId, priority, execution, exclusive)
    }
  }

  #notOvertaken(
    waiting: Run,
    runId: string,
    priority: TaskEventBase['priority'],
    execution: TaskEventBase['execution'],
    exclusive: boolean,
  ): void {
    const samePool = (waiting.execution === 'process') === (execution === 'process')
    const sameLane = waiting.execution === execution
    const [waits, admitted] = [PRIORITIES.indexOf(waiting.priority), PRIORITIES.indexOf(priority)]
    if (waits === admitted && sameLane) {
      assert.ok(this.#orderOf(waiting.id) > this.#orderOf(runId), `${waiting.id} was overtaken by ${runId}`)
    }
    // A task of this loop needs nothing but a slot and, below critical, no main task.
    const couldRun = sameLane || (samePool && !exclusive && isLocal(waiting.execution))
    if (couldRun) assert.ok(waits >= admitted, `${waiting.priority} waits while ${priority} is admitted`)
  }

  #orderOf(runId: string): number {
    return this.#order.get(runId) ?? Number.NaN
  }
}

function isLocal(execution: TaskEventBase['execution']): boolean {
  return execution === 'main' || execution === 'async'
}
