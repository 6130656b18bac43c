/** `ctx.submit` and `ctx.supervisor` across a border. */
import type { RemoteCall } from '../attempt.ts'
import type { TaskCall } from '../definition.ts'
import type { ChildRun, SupervisorControl } from '../handler-context.ts'
import { RunIds } from '../run-id.ts'
import type { Calls } from './calls.ts'
import { toRemoteCall } from './packed-calls.ts'
import type { SubmitArgs } from './wire.ts'

const ids = new RunIds()

/**
 * A run submitted over the border. Its id is proposed here, because handlers read it at once; the host
 * keeps it unless a definition or supervisor makes its own ids or hands out a live run instead.
 */
export class RemoteChildRun<Output> implements ChildRun<Output> {
  #id = ids.next(Date.now())
  readonly #calls: Calls
  /** Resolves when the host has taken the submission. */
  readonly submitted: Promise<void>
  #result: Promise<Output> | undefined

  constructor(calls: Calls, call: RemoteCall, child: boolean) {
    this.#calls = calls
    const args: SubmitArgs = { call, id: this.#id, child }
    this.submitted = calls.request('submit', args).then((reply) => {
      this.#id = (reply as { id: string }).id
    })
    this.submitted.catch(() => {})
  }

  get id(): string {
    return this.#id
  }

  /** Asked for when it is first read: the host lends the parent's slot to the child from then on. */
  get result(): Promise<Output> {
    if (this.#result === undefined) {
      this.#result = this.submitted.then(
        () => this.#calls.request('result', { id: this.#id }) as Promise<Output>,
      )
      this.#result.catch(() => {})
    }
    return this.#result
  }

  cancel(reason?: unknown): void {
    this.submitted.then(() => this.#calls.request('cancel', { id: this.#id, reason })).catch(() => {})
  }
}

/** The supervisor as a handler on another thread or in another process sees it. */
export class RemoteSupervisor implements SupervisorControl {
  readonly id: string
  readonly #calls: Calls

  constructor(id: string, calls: Calls) {
    this.id = id
    this.#calls = calls
  }

  async submit<Input, Output>(call: TaskCall<Input, Output>): Promise<ChildRun<Output>> {
    const remoteCall = toRemoteCall(call.definition, call.input, call.options)
    const run = new RemoteChildRun<Output>(this.#calls, remoteCall, false)
    await run.submitted
    return run
  }

  async cancel(runId: string, reason?: unknown): Promise<boolean> {
    return (await this.#calls.request('cancel', { id: runId, reason })) as boolean
  }

  async resize(sizes: object): Promise<void> {
    await this.#calls.request('resize', sizes)
  }

  info(): Promise<unknown> {
    return this.#calls.request('info', undefined)
  }

  async trigger(worker: string, options?: object): Promise<void> {
    await this.#calls.request('trigger', { worker, options })
  }

  async put(worker: string, item: unknown): Promise<void> {
    await this.#calls.request('put', { worker, item })
  }

  async stop(options?: object): Promise<void> {
    await this.#calls.request('stop', options)
  }
}
