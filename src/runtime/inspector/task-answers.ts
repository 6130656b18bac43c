/** What a page is told of the runs of one supervisor, and what is done to them for it. */
import type { TaskRun } from '../../actors/task-run.ts'
import { OptionError } from '../errors.ts'
import { outcomeError } from '../outcome-error.ts'
import type { Run } from '../run.ts'
import type { SupervisorParts } from '../wire.ts'
import type { Act, Ask, Retried, TaskDetail, TaskQuery, TaskRow } from './messages.ts'
import type { ShownSupervisor } from './shown-supervisor.ts'
import { toJson } from './to-json.ts'

export class TaskAnswers {
  readonly #shown: ShownSupervisor

  constructor(shown: ShownSupervisor) {
    this.#shown = shown
  }

  get #parts(): SupervisorParts {
    return this.#shown.supervisor.parts
  }

  /**
   * Live runs, and the last that have ended; the newest first.
   *
   * @param before - position in the order of submissions of the last one that is known already
   */
  matching({ states = [], text = '', limit = 50 }: TaskQuery, before: number): TaskRun[] {
    const { registry } = this.#parts.pool
    const needle = text.toLowerCase()
    const isHere = this.#shown.ids.place.within?.toLowerCase().includes(needle) === true
    return [...registry.ended(), ...registry.live()]
      .filter(
        (run) =>
          run.order < before &&
          (states.length === 0 || states.includes(run.state)) &&
          (needle === '' ||
            isHere ||
            run.definition.name.toLowerCase().includes(needle) ||
            run.knownId?.toLowerCase().includes(needle) === true),
      )
      .sort((one, other) => other.order - one.order)
      .slice(0, limit)
  }

  task({ task, values = false }: Extract<Ask, { ask: 'task' }>): TaskDetail {
    const run = this.#find(task)
    const { outcome, input } = run
    const result = outcome?.kind === 'finished' ? outcome.value : undefined
    const records = this.#shown.supervisor.records({ runId: run.id })
    return {
      ...this.row(run),
      log: records.map(({ at, action, error }) => ({
        at,
        what: error === undefined ? action : `${action}: ${error}`,
        by: null,
      })),
      values: values ? { input: toJson(input), result: toJson(result) } : null,
    }
  }

  /** @throws OptionError (`ERR_RUN_UNKNOWN`, `ERR_RUN_STATE`), and what the call itself throws */
  act(act: Extract<Act, { task: string }>): Retried | undefined {
    if (act.act === 'retry') return this.#retry(act.task)
    this.#cancel(act.task, act.reason)
    return undefined
  }

  #cancel(id: string, reason: string = 'cancelled in the inspector'): void {
    const run = this.#find(id)
    if (!run.live) throw this.#wrongState(run, 'has ended')
    this.#parts.pool.deliver(run, { type: 'task.cancel', reason })
  }

  #retry(id: string): Retried {
    const run = this.#find(id)
    if (!mayRetry(run)) throw this.#wrongState(run, `is ${run.state}`)
    const { priority } = run.plan
    const again = this.#shown.supervisor.submit(run.definition as never, run.input as never, { priority })
    return { task: again.id }
  }

  #find(id: string): TaskRun {
    const run = this.#parts.pool.registry.get(id)
    if (run !== undefined) return run
    throw new OptionError(`Run ${id} is not known (any more).`, { code: 'ERR_RUN_UNKNOWN', runId: id })
  }

  #wrongState(run: TaskRun, what: string): OptionError {
    return new OptionError(`Run ${run.id} ${what}.`, {
      code: 'ERR_RUN_STATE',
      runId: run.id,
      taskName: run.definition.name,
    })
  }

  row(run: TaskRun): TaskRow {
    const handle: Run = this.#parts.handleOf(run)
    const { percent = null, note } = run.progress ?? {}
    return {
      id: run.id,
      of: 'supervisor',
      ...this.#shown.ids.place,
      name: handle.name,
      description: handle.description,
      state: handle.state,
      priority: handle.priority,
      execution: handle.execution,
      attempt: handle.attempt,
      percent,
      note: note ?? null,
      createdAt: handle.submittedAt,
      startedAt: handle.startedAt ?? null,
      endedAt: handle.endedAt ?? null,
      runAt: null,
      from: run.worker ?? run.parent?.id ?? null,
      holder: null,
      error: errorOf(run),
      reason: reasonOf(run),
      acts: run.live ? ['cancel'] : mayRetry(run) ? ['retry'] : [],
    }
  }
}

/** Again: what did not finish, and is nobody else's to try again. */
function mayRetry(run: TaskRun): boolean {
  return !run.live && run.state !== 'finished' && run.kept === undefined
}

function errorOf(run: TaskRun): TaskRow['error'] {
  const { state } = run
  if (state !== 'failed' && state !== 'terminated') return null
  const error = outcomeError(run)
  if (error === undefined) return null
  const { cause } = error
  const shown = cause instanceof Error ? cause : error
  return { name: shown.name, message: shown.message, code: error.code }
}

function reasonOf({ outcome }: TaskRun): string | null {
  if (outcome?.kind === 'failed') return outcome.failure.kind
  if (outcome?.kind === 'terminated') return outcome.reason
  if (outcome?.kind === 'finished') return outcome.skipped ?? null
  if (outcome?.kind !== 'cancelled' || outcome.reason === undefined) return null
  const { reason } = outcome
  return reason instanceof Error ? reason.message : String(reason)
}
