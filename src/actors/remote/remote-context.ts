/** `ctx` in a thread or process. Everything in it is made when it is first used: most handlers use little. */
import type { Logger } from 'pino'
import type { RemoteCall } from '../attempt.ts'
import { controls } from '../controls.ts'
import { type AnyDefinition, isDefinition, type TaskCall } from '../definition.ts'
import type { HandlerContext } from '../handler-context.ts'
import { NO_PARAMETERS, type ParameterValues } from '../parameters.ts'
import { RunScope, type RunValues } from '../run-scope.ts'
import type { TraceCarrier } from '../tracing/run-tracing.ts'
import { Calls } from './calls.ts'
import { RemoteChildRun, RemoteSupervisor } from './child-run.ts'
import { toRemoteCall } from './packed-calls.ts'
import { Progress } from './progress.ts'
import { createRemoteLog } from './remote-log.ts'
import type { HostMessage, RemoteMessage } from './wire.ts'

/** The way back to the host. */
export interface RemoteLink {
  /** Throws if the message cannot be cloned. */
  post(message: RemoteMessage, transfer?: readonly object[]): void
  /** Reads the host's messages now, without the event loop. Does nothing where that cannot be done. */
  poll(): void
}

/** A definition that is loaded here, and for whom it runs. */
export interface RemoteTask {
  readonly definition: AnyDefinition
  readonly name: string
  readonly supervisorId: string
  readonly logLevel: string
  /** Its results are stored. */
  readonly isStored: boolean
}

export class RemoteContext implements HandlerContext {
  readonly task: RemoteTask
  readonly token: number
  readonly runId: string
  readonly attempt: number
  readonly deadlineAt: number | undefined
  parameters: ParameterValues = NO_PARAMETERS
  /** The trace that the attempt is a part of. */
  trace: TraceCarrier | undefined = undefined
  readonly #link: RemoteLink
  #controller: AbortController | undefined
  /** Holds the reason once a stop was asked for. */
  #stop: { readonly reason: unknown } | undefined
  #sent = 0
  #stage: 'live' | 'ended' = 'live'
  #progress: Progress | undefined
  #calls: Calls | undefined
  #log: Logger | undefined
  #supervisor: RemoteSupervisor | undefined
  readonly #initial: RunValues | undefined
  /** Where runs are followed. */
  #scope: RunScope | undefined

  constructor(
    link: RemoteLink,
    task: RemoteTask,
    token: number,
    runId: string,
    attempt: number,
    deadlineAt: number | undefined,
    initial: RunValues | undefined,
  ) {
    this.#link = link
    this.task = task
    this.token = token
    this.runId = runId
    this.attempt = attempt
    this.deadlineAt = deadlineAt
    this.#initial = initial
  }

  get name(): string {
    return this.task.name
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#stop !== undefined) this.#controller.abort(this.#stop.reason)
    }
    return this.#controller.signal
  }

  get aborted(): boolean {
    if (this.#stop === undefined) this.#link.poll()
    return this.#stop !== undefined
  }

  get log(): Logger {
    this.#log ??= createRemoteLog(this, (line) => this.post({ type: 'log', token: this.token, line }))
    return this.#log
  }

  get supervisor(): RemoteSupervisor {
    this.#supervisor ??= new RemoteSupervisor(this.task.supervisorId, this.#callsOf())
    return this.#supervisor
  }

  // Getters that return functions: handlers may take them out of `ctx`.
  get progress(): HandlerContext['progress'] {
    return (percent, note) => {
      const { token } = this
      this.#progress ??= new Progress((value, text) =>
        this.post({ type: 'progress', token, percent: value, note: text }),
      )
      this.#progress.report(percent, note)
    }
  }

  get endSchedule(): HandlerContext['endSchedule'] {
    return () => this.#callsOf().request('endSchedule', undefined) as Promise<void>
  }

  get submit(): HandlerContext['submit'] {
    return <Output>(definition: AnyDefinition, input?: unknown, options?: object) =>
      new RemoteChildRun<Output>(this.#callsOf(), this.#toCall(definition, input, options), true)
  }

  get skip(): HandlerContext['skip'] {
    return controls.skip
  }

  get snooze(): HandlerContext['snooze'] {
    return controls.snooze
  }

  get next(): HandlerContext['next'] {
    return controls.next
  }

  /** The scope of the handler, which is about to be called. */
  enter(): RunScope {
    this.#scope = new RunScope(this, this.task.supervisorId, this.#initial)
    return this.#scope
  }

  /** Options of a call with what it inherits: children and next steps begin with this run's values. */
  hand(options: object | undefined): object | undefined {
    const values = this.#scope === undefined ? this.#initial : this.#scope.inheritance
    if (values === undefined) return options
    const { context } = (options ?? {}) as { context?: RunValues }
    return { ...options, context: { ...values, ...context } }
  }

  /** Sends a message about this attempt. Throws if it cannot be cloned. */
  post(message: RemoteMessage, transfer?: readonly object[]): void {
    this.#link.post(message, transfer)
    this.#sent += 1
  }

  /** How many messages about this attempt went out. */
  get sent(): number {
    return this.#sent
  }

  abort(reason: unknown): void {
    if (this.#stop !== undefined) return
    this.#stop = { reason }
    this.#controller?.abort(reason)
  }

  settleCall(message: Extract<HostMessage, { type: 'reply' | 'refusal' }>): void {
    this.#calls?.settle(message)
  }

  /** The handler has ended: what it still wanted to say is sent, what it waited for is given up. */
  end(): void {
    this.#scope?.end()
    this.#progress?.flush()
    if (this.#calls !== undefined) this.#calls.abandon()
    this.#stage = 'ended'
  }

  /** `submit(definition, input, options)` or `submit(call)`. */
  #toCall(definition: AnyDefinition | TaskCall, input: unknown, options: object | undefined): RemoteCall {
    if (isDefinition(definition)) return toRemoteCall(definition, input, this.hand(options))
    return toRemoteCall(definition.definition, definition.input, this.hand(options ?? definition.options))
  }

  #callsOf(): Calls {
    const { token } = this
    this.#calls ??= new Calls((id, method, args) => this.post({ type: 'call', token, id, method, args }))
    if (this.#stage === 'ended') this.#calls.abandon()
    return this.#calls
  }
}
