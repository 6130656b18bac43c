/**
 * Tasks whose work goes on somewhere else: they pass admission and hold a slot like every other, and end
 * when somebody reports it.
 */

import type { HandlerContext } from '../actors/handler-context.ts'
import { check, checkOptions, refuse } from './check.ts'
import { defineTask, type TaskDefinition } from './define-task.ts'
import { OptionError } from './errors.ts'
import type { Run } from './run.ts'
import { type SubmitOptions, submitChecks } from './task-options.ts'

/** A task that ends when `complete(id, value)` or `fail(id, error)` is called. */
export interface ExternalTask extends Omit<SubmitOptions, 'execution'> {
  /** @defaultValue 'external' */
  readonly name?: string
  /** Called when it is admitted: begin the work. What it throws fails the task. */
  readonly start: (ctx: HandlerContext) => void | Promise<void>
}

const { execution: _, ...withoutExecution } = submitChecks
const externalChecks = { ...withoutExecution, name: check.text, start: check.fn }

type Start = ExternalTask['start']
type ExternalDefinition = TaskDefinition<Start, unknown>

export class ExternalTasks {
  readonly #definitions: Map<string, ExternalDefinition> = new Map()
  readonly #waiting: Map<string, PromiseWithResolvers<unknown>> = new Map()

  /** @throws OptionError */
  submit(
    task: ExternalTask,
    submit: (definition: ExternalDefinition, start: Start, options: SubmitOptions) => Run,
  ): Run {
    checkOptions('submitExternal()', task, externalChecks)
    if (task.start === undefined) refuse('submitExternal().start', 'a function', task.start)
    const { name = 'external', start, ...options } = task
    return submit(this.#definition(name), start, options)
  }

  #definition(name: string): ExternalDefinition {
    let definition = this.#definitions.get(name)
    if (definition === undefined) {
      definition = defineTask<Start, unknown>({ name, execution: 'async' }, (start, ctx) =>
        this.#run(start, ctx),
      )
      this.#definitions.set(name, definition)
    }
    return definition
  }

  async #run(start: Start, ctx: HandlerContext): Promise<unknown> {
    const report = Promise.withResolvers<unknown>()
    report.promise.catch(() => {})
    // Known before `start` is called: the work may be done at once.
    this.#waiting.set(ctx.runId, report)
    ctx.signal.addEventListener('abort', () => report.reject(ctx.signal.reason), { once: true })
    const started = (async () => start(ctx))()
    try {
      // The work may be reported while `start` still goes on; a `start` that throws fails it.
      return await Promise.race([report.promise, started.then(() => report.promise)])
    } finally {
      if (this.#waiting.get(ctx.runId) === report) this.#waiting.delete(ctx.runId)
    }
  }

  complete(id: string, value: unknown): void {
    this.#take(id).resolve(value)
  }

  fail(id: string, error: unknown): void {
    this.#take(id).reject(error)
  }

  #take(id: string): PromiseWithResolvers<unknown> {
    const report = this.#waiting.get(id)
    if (report === undefined) {
      throw new OptionError(
        `Run ${id} is not an external task that waits for its end: it has ended, was reported already, or has not begun.`,
        { code: 'ERR_EXTERNAL_UNKNOWN', runId: id },
      )
    }
    this.#waiting.delete(id)
    return report
  }
}
