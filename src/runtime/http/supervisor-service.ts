/** The runs of a supervisor of this process, for HTTP: those that are live, and the last that have ended. */
import type { TaskFilter } from '../../actors/store/records.ts'
import type { TaskRun } from '../../actors/task-run.ts'
import { TASK_STATES } from '../../machines/model.ts'
import { refuse } from '../check.ts'
import type { TaskDefinition } from '../define-task.ts'
import type { QueueCounts, StoredTaskPage } from '../durable/queue.ts'
import type { StoredTask } from '../durable/stored-task.ts'
import { type StoredTaskQuery, toTaskQuery } from '../durable/task-query.ts'
import { OptionError } from '../errors.ts'
import { LiveSupervisor } from '../live-supervisor.ts'
import type { SubmitOptions } from '../task-options.ts'
import { runView } from './run-view.ts'
import { RUN_BODY } from './submission.ts'
import type { TaskService } from './task-service.ts'

/** States in which what is submitted will run. */
const READY_STATES: readonly string[] = ['running', 'paused']

/** @throws OptionError for what is no supervisor */
export function supervisorService(where: string, supervisor: unknown): TaskService {
  if (!(supervisor instanceof LiveSupervisor))
    return refuse(where, 'a supervisor made by createSupervisor()', supervisor)
  return new SupervisorService(supervisor)
}

class SupervisorService implements TaskService {
  readonly clock: TaskService['clock']
  readonly body = RUN_BODY
  readonly statusSchema = 'SupervisorStatus'
  readonly durable = undefined
  readonly #supervisor: LiveSupervisor

  constructor(supervisor: LiveSupervisor) {
    this.#supervisor = supervisor
    this.clock = supervisor.parts.clock
  }

  async get(ids: readonly string[]): Promise<readonly (StoredTask | undefined)[]> {
    const { registry } = this.#supervisor.parts.pool
    return ids.map((id) => {
      const run = registry.get(id)
      return run === undefined ? undefined : this.#view(run)
    })
  }

  async list(query: StoredTaskQuery): Promise<StoredTaskPage> {
    const { filter, page } = toTaskQuery(query)
    const { order, limit, after } = page
    const isBeyond = (run: TaskRun): boolean => {
      if (after === undefined) return true
      return order === 'newest' ? run.order < Number(after) : run.order > Number(after)
    }
    const tasks: StoredTask[] = []
    let last: TaskRun | undefined
    for (const run of this.#inOrder(order)) {
      if (!isBeyond(run) || !mayMatch(run, filter)) continue
      const task = this.#view(run)
      if (!matches(task, filter)) continue
      if (tasks.length === limit) return { tasks, next: String(last?.order) }
      tasks.push(task)
      last = run
    }
    return { tasks, next: undefined }
  }

  async counts(): Promise<QueueCounts> {
    const { runs } = this.#supervisor.info()
    const { created, ...counts } = runs
    return { ...counts, queued: counts.queued + created }
  }

  async submit(...[definition, input, options]: Parameters<TaskService['submit']>) {
    const created = new Set<string>()
    // What it answers may be a run that was live before.
    const off = this.#supervisor.on('task.created', ({ runId }) => void created.add(runId))
    try {
      const task = definition as TaskDefinition<unknown, unknown>
      const { id } = this.#supervisor.submit(task, input, options as SubmitOptions)
      return { id, existing: !created.has(id), replaced: undefined }
    } finally {
      off()
    }
  }

  async cancel(id: string, reason: string | undefined): Promise<'cancelled' | 'asked'> {
    const run = this.#supervisor.get(id)
    if (run === undefined) {
      throw new OptionError(`No run with the id "${id}" is known. It may have ended long ago.`, {
        code: 'ERR_RUN_UNKNOWN',
        runId: id,
      })
    }
    if (!run.cancel(reason)) {
      throw new OptionError(`Task "${id}" is ${run.state}: it cannot be cancelled.`, {
        code: 'ERR_RUN_STATE',
        runId: id,
      })
    }
    return run.outcome === undefined ? 'asked' : 'cancelled'
  }

  async status(): Promise<object> {
    return this.#supervisor.info()
  }

  async readiness(): Promise<string | undefined> {
    const { state } = this.#supervisor
    return READY_STATES.includes(state) ? undefined : `The supervisor is ${state}.`
  }

  news(listener: () => void): () => void {
    return this.#supervisor.on('*', listener)
  }

  #view(run: TaskRun): StoredTask {
    return runView(run, this.#supervisor.parts.handleOf(run), this.#supervisor.id)
  }

  #inOrder(order: 'newest' | 'oldest'): readonly TaskRun[] {
    const { registry } = this.#supervisor.parts.pool
    const runs = [...registry.ended(), ...registry.live()].sort((one, other) => one.order - other.order)
    return order === 'oldest' ? runs : runs.reverse()
  }
}

/** What can be said without looking closer. */
function mayMatch(run: TaskRun, { states, names, key, schedule }: TaskFilter): boolean {
  if (key !== undefined || schedule !== undefined) return false
  const state = TASK_STATES.find((one) => one === (run.state === 'created' ? 'queued' : run.state))
  return (
    (states === undefined || states.some((one) => one === state)) &&
    (names === undefined || names.includes(run.definition.name))
  )
}

function matches(task: StoredTask, filter: TaskFilter): boolean {
  const { parent, metadata = {}, createdFrom, createdBefore, endedFrom, endedBefore } = filter
  return (
    (parent === undefined || task.parent === parent) &&
    Object.entries(metadata).every(([member, value]) => task.metadata[member] === value) &&
    isWithin(task.createdAt, createdFrom, createdBefore) &&
    isWithin(task.endedAt, endedFrom, endedBefore)
  )
}

function isWithin(at: number | undefined, from: number | undefined, before: number | undefined): boolean {
  if (from === undefined && before === undefined) return true
  return at !== undefined && (from === undefined || at >= from) && (before === undefined || at < before)
}
