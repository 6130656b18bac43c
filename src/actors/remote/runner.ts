/**
 * The remote side of every executor: runs attempts in a thread or process, one state per token.
 *
 * A job goes: find or import the definition → report `started` if the host wants it → check the input
 * against the schema → call the handler → settle. `run` never throws and never rejects. It returns a
 * promise only if something in it was asynchronous: that keeps a synchronous handler at the price of
 * the bare call.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isAttemptHeard, tellAttempt } from '../attempt-channel.ts'
import type { AnyDefinition } from '../definition.ts'
import { CONTROL, controlOf } from '../handler-context.ts'
import { scopes } from '../run-scope.ts'
import { toStorable } from '../storable.ts'
import { InvalidInputError } from './invalid-input.ts'
import { toNamedCall } from './named-call.ts'
import { packCalls, toRemoteCall, unpackCalls } from './packed-calls.ts'
import { RemoteContext, type RemoteLink, type RemoteTask } from './remote-context.ts'
import { loadPropagation, withinTrace } from './remote-trace.ts'
import { TaskModules } from './task-modules.ts'
import { fromThrown, toThrown } from './thrown.ts'
import type { ColdJob, HostMessage, WireJob, WireResult, WireSettled } from './wire.ts'

type Result = WireResult | Promise<WireResult>

/** Makes a result of a handler's value; may post it ahead. Throws if the value cannot be sent. */
export type SendValue = (value: unknown, context: RemoteContext) => WireResult

/** Stops that overtook their job; late ones, whose job has ended, are pushed out. */
const MAX_EARLY_STOPS = 64

export class Runner {
  readonly #link: RemoteLink
  readonly #sendValue: SendValue
  readonly #modules = new TaskModules()
  /** What warm jobs refer to. */
  readonly #tasks = new Map<number, RemoteTask>()
  readonly #live = new Map<number, RemoteContext>()
  readonly #earlyStops = new Map<number, unknown>()

  constructor(link: RemoteLink, sendValue: SendValue) {
    this.#link = link
    this.#sendValue = sendValue
  }

  run(job: WireJob): Result {
    if (!isWarm(job)) return this.#load(job)
    const task = this.#tasks.get(job[1])
    if (task === undefined) return unknownTask(new Error(`Definition ${job[1]} was never loaded here.`))
    const context = new RemoteContext(this.#link, task, job[0], job[2], job[3], job[5], job[6])
    if (job[7] !== undefined) context.parameters = Object.freeze(job[7])
    context.trace = job[8]
    return this.#begin(context, job[4])
  }

  /** Takes a message of the host's. */
  receive(message: HostMessage): void {
    const context = this.#live.get(message.token)
    if (message.type !== 'abort') context?.settleCall(message)
    else if (context !== undefined) context.abort(fromThrown(message.reason))
    else this.#rememberStop(message.token, fromThrown(message.reason))
  }

  /** Tells all handlers. */
  abortAll(reason: unknown): void {
    for (const context of this.#live.values()) context.abort(reason)
  }

  async #load(job: ColdJob): Promise<WireResult> {
    try {
      const definition = await this.#modules.load(job.module, job.name)
      if (job.trace !== undefined) await loadPropagation()
      const { name, supervisorId, logLevel, isStored } = job
      this.#tasks.set(job.ref, { definition, name, supervisorId, logLevel, isStored })
    } catch (error) {
      this.#earlyStops.delete(job.token)
      return unknownTask(error)
    }
    const task = this.#tasks.get(job.ref) as RemoteTask
    const { token, runId, attempt, deadlineAt } = job
    const context = new RemoteContext(this.#link, task, token, runId, attempt, deadlineAt, job.context)
    if (job.parameters !== undefined) context.parameters = Object.freeze(job.parameters)
    context.trace = job.trace
    if (job.aborted !== undefined) context.abort(fromThrown(job.aborted))
    context.post({ type: 'started', token: job.token, at: Date.now() })
    return this.#begin(context, job.input)
  }

  #begin(context: RemoteContext, sent: unknown): Result {
    const input = unpackCalls(sent, toNamedCall)
    this.#live.set(context.token, context)
    if (this.#earlyStops.size > 0) this.#applyEarlyStop(context)
    const { schema } = context.task.definition
    return schema === undefined ? this.#call(context, input) : this.#validate(schema, context, input)
  }

  async #validate(schema: StandardSchemaV1, context: RemoteContext, input: unknown): Promise<WireResult> {
    try {
      const result = await schema['~standard'].validate(input)
      if (result.issues !== undefined) throw new InvalidInputError(context.name, result.issues)
      return await this.#call(context, result.value)
    } catch (error) {
      return this.#end(context, { type: 'invalidInput', error: toThrown(error), sent: 0 })
    }
  }

  #call(context: RemoteContext, input: unknown): Result {
    try {
      const { trace } = context
      const value = trace === undefined ? run(context, input) : withinTrace(trace, () => run(context, input))
      if (!isThenable(value)) return this.#finish(context, value)
      return Promise.resolve(value).then(
        (awaited) => this.#finish(context, awaited),
        (error: unknown) => this.#threw(context, error),
      )
    } catch (error) {
      return this.#threw(context, error)
    }
  }

  #threw(context: RemoteContext, error: unknown): WireResult {
    return this.#end(context, { type: 'threw', error: toThrown(error), sent: 0 })
  }

  #finish(context: RemoteContext, value: unknown): WireResult {
    try {
      return this.#end(context, this.#resultOf(context, value))
    } catch (error) {
      return this.#end(context, { type: 'unserializable', error: toThrown(error), sent: 0 })
    }
  }

  #resultOf(context: RemoteContext, value: unknown): WireResult {
    const control = controlOf(value)
    const { isStored, name } = context.task
    if (control === undefined) {
      if (!isStored || value === undefined) return this.#sendValue(value, context)
      toStorable(`the result of task "${name}"`, value)
      return this.#sendValue(packCalls(value), context)
    }
    if (control[CONTROL] === 'skip') return { type: 'skipped', reason: String(control.reason), sent: 0 }
    if (control[CONTROL] === 'snooze') return { type: 'snoozed', delayMs: Number(control.delayMs), sent: 0 }
    const { definition, input, options } = control.call
    if (isStored && input !== undefined) toStorable(`input of task "${definition.name}"`, input)
    // A copy, because a thread's results are beyond catching once they are returned.
    const call = toRemoteCall(definition, input, context.hand(options))
    return { type: 'continued', call: structuredClone(call), sent: 0 }
  }

  #end(context: RemoteContext, result: WireResult): WireResult {
    context.end()
    this.#live.delete(context.token)
    if (!isShort(result)) result.sent = context.sent
    else if (context.sent > 0) return { type: 'returned', value: result[0], sent: context.sent }
    return result
  }

  #rememberStop(token: number, reason: unknown): void {
    this.#earlyStops.set(token, reason)
    const oldest = this.#earlyStops.keys().next()
    if (this.#earlyStops.size > MAX_EARLY_STOPS && oldest.done !== true) this.#earlyStops.delete(oldest.value)
  }

  #applyEarlyStop(context: RemoteContext): void {
    if (!this.#earlyStops.has(context.token)) return
    context.abort(this.#earlyStops.get(context.token))
    this.#earlyStops.delete(context.token)
  }
}

function run(context: RemoteContext, input: unknown): unknown {
  const { handler } = context.task.definition
  const store = scopes()
  const call = isAttemptHeard() ? told(context) : handler
  return store === undefined ? call(input, context) : store.run(context.enter(), call, input, context)
}

function told({ task, runId, name, attempt }: RemoteContext): AnyDefinition['handler'] {
  const { handler } = task.definition
  const message = { supervisor: task.supervisorId, runId, name, attempt }
  return (input, context) => tellAttempt(message, () => handler(input, context))
}

function unknownTask(error: unknown): WireSettled {
  return { type: 'unknownTask', error: toThrown(error), sent: 0 }
}

function isWarm(job: WireJob): job is Exclude<WireJob, ColdJob> {
  return Array.isArray(job)
}

function isShort(result: WireResult): result is Exclude<WireResult, WireSettled> {
  return Array.isArray(result)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
