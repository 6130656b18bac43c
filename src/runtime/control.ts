/** Answers the control calls of handlers in threads and processes, and is `ctx.supervisor` on this loop. */
import type { ControlMethod, RemoteCall } from '../actors/attempt.ts'
import type { SupervisorControl } from '../actors/handler-context.ts'
import type { SubmitArgs } from '../actors/remote/wire.ts'
import type { TaskRun } from '../actors/task-run.ts'
import type { Definitions } from './definitions.ts'
import { OptionError } from './errors.ts'
import { checkStopOptions, type StopOptions } from './stop-options.ts'
import type { Submissions } from './submissions.ts'
import type { Supervisor } from './supervisor.ts'
import type { ResizeOptions } from './supervisor-options.ts'
import { checkSubmitOptions, type SubmitOptions } from './task-options.ts'

/** The workers as control calls reach them: by their names. */
export interface ControlledWorkers {
  /** @throws OptionError (`ERR_WORKER_UNKNOWN`), and what the worker's own `trigger` throws */
  trigger(worker: string, options: object | undefined): void
  /** @param by - the run whose handler waits for room; it lends its slot to what makes room */
  put(worker: string, item: unknown, by: TaskRun): Promise<void>
}

export interface ControlOptions {
  readonly supervisor: Supervisor
  readonly definitions: Definitions
  readonly submissions: Submissions
  readonly workers: ControlledWorkers
  /** The live run with this id. */
  find(id: string): TaskRun | undefined
  /** Marks that the handler of `waiter` reads the result of `run`. */
  awaited(waiter: TaskRun, run: TaskRun): void
}

export class Control {
  readonly #options: ControlOptions

  constructor(options: ControlOptions) {
    this.#options = options
  }

  /** `ctx.supervisor` of a handler on this loop. What it awaits may run on its slot. */
  for(run: TaskRun): SupervisorControl {
    const { supervisor, find, awaited } = this.#options
    return {
      id: supervisor.id,
      submit: async (call) => {
        const submitted = supervisor.submit(call)
        return {
          id: submitted.id,
          get result() {
            const live = find(submitted.id)
            if (live !== undefined) awaited(run, live)
            return submitted.result
          },
          cancel: (reason) => void submitted.cancel(reason),
        }
      },
      cancel: (runId, reason) => this.cancel(runId, reason),
      resize: (sizes) => this.resize(sizes),
      info: () => this.info(),
      trigger: (worker, given) => this.trigger(worker, given),
      put: (worker, item) => this.put(run, worker, item),
      stop: (given) => this.stop(given),
    }
  }

  async cancel(runId: string, reason?: unknown): Promise<boolean> {
    return this.#options.supervisor.get(runId)?.cancel(reason) ?? false
  }

  async resize(sizes: object): Promise<void> {
    this.#options.supervisor.resize(sizes as ResizeOptions)
  }

  async info(): Promise<unknown> {
    return this.#options.supervisor.info()
  }

  async trigger(worker: string, options?: object): Promise<void> {
    this.#options.workers.trigger(worker, options)
  }

  /** Resolves when the item was accepted. */
  async put(run: TaskRun, worker: string, item: unknown): Promise<void> {
    await this.#options.workers.put(worker, item, run)
  }

  async endSchedule(run: TaskRun): Promise<void> {
    if ((await run.kept?.endSchedule()) === true) return
    throw new OptionError(
      `Expected ctx.endSchedule() in a run that a schedule of a durable queue has made, or a child of one; run ${run.id} is none.`,
      { code: 'ERR_SCHEDULE_UNKNOWN', runId: run.id, taskName: run.definition.name },
    )
  }

  /** The stop waits for the run that calls, so the call must not wait for the stop. */
  async stop(options: StopOptions = {}): Promise<void> {
    checkStopOptions(options)
    void this.#options.supervisor.stop(options)
  }

  /** Rejects with what the call throws. `run` is the run whose handler calls. */
  async serve(run: TaskRun, method: ControlMethod, args: unknown): Promise<unknown> {
    if (method === 'submit') return this.#submit(run, args as SubmitArgs)
    if (method === 'result') return this.#result(run, (args as { id: string }).id)
    if (method === 'cancel') {
      const { id, reason } = args as { id: string; reason?: unknown }
      return this.cancel(id, reason)
    }
    if (method === 'resize') return this.resize(args as object)
    if (method === 'info') return this.info()
    if (method === 'endSchedule') return this.endSchedule(run)
    if (method === 'stop') return this.stop(args as StopOptions | undefined)
    return this.#toWorker(run, method, args as { worker: string; options?: object; item?: unknown })
  }

  #toWorker(
    run: TaskRun,
    method: 'trigger' | 'put',
    { worker, options, item }: { worker: string; options?: object; item?: unknown },
  ): Promise<void> {
    return method === 'put' ? this.put(run, worker, item) : this.trigger(worker, options)
  }

  async #submit(run: TaskRun, { call, id, child }: SubmitArgs): Promise<{ id: string }> {
    const { definitions, submissions, supervisor } = this.#options
    const options = (call.options ?? {}) as SubmitOptions
    checkSubmitOptions(options)
    const entry = await definitions.entryOfCall(call as RemoteCall)
    const input = await definitions.inputOfCall(call as RemoteCall)
    const own = (entry.definition as { options?: { runId?: unknown } }).options?.runId
    const named = options.runId === undefined && own === undefined ? { ...options, runId: id } : options
    if (!child) return { id: supervisor.submit(entry.definition as never, input as never, named).id }
    return { id: submissions.submitChild(run, entry.definition, input, named).id }
  }

  #result(waiter: TaskRun, id: string): Promise<unknown> {
    const run = this.#options.find(id)
    if (run !== undefined) this.#options.awaited(waiter, run)
    const handle = this.#options.supervisor.get(id)
    if (handle !== undefined) return handle.result
    throw new OptionError(`Run ${id} is not known any more.`, { code: 'ERR_RUN_UNKNOWN', runId: id })
  }
}
