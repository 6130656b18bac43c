/**
 * Work that a test holds in its hands: every handler, on this loop or in a pretended thread or process,
 * begins and then waits for a word. A gentle one ends when it is told to stop, a stubborn one does not.
 */
import type { AttemptHandle, AttemptListener, Executor, Job, Settlement } from '../../src/actors/attempt.ts'
import type { HandlerContext } from '../../src/actors/handler-context.ts'
import { defineTask, type TaskDefinition } from '../../src/runtime/define-task.ts'
import { deferred } from '../support/deferred.ts'

export type Word = 'ok' | 'throw' | 'skip' | 'snooze'

export const SNOOZE_MS = 40

export interface HeldInput {
  readonly stubborn: boolean
}

/** Handlers that have begun and not ended, by run id. */
export class HeldWork {
  readonly #held: Map<string, (word: Word) => void> = new Map()
  /** One definition for every execution. */
  readonly task: TaskDefinition<HeldInput, unknown> = defineTask<HeldInput, unknown>(
    { name: 'held', module: 'test:held' },
    (input, ctx) => this.#runHere(input, ctx),
  )

  get ids(): string[] {
    return [...this.#held.keys()]
  }

  say(id: string, word: Word): void {
    const end = this.#held.get(id)
    if (end === undefined) throw new Error(`No handler of ${id} runs`)
    this.#held.delete(id)
    end(word)
  }

  /** A pretended pool of threads or processes of any size. */
  executor(): Executor {
    return {
      live: 0,
      idle: 0,
      resize: () => {},
      warm: async () => {},
      close: async () => {},
      start: (job, listener) => this.#runThere(job, listener),
    }
  }

  #runHere({ stubborn }: HeldInput, ctx: HandlerContext): Promise<unknown> {
    const { promise, resolve, reject } = deferred<unknown>()
    this.#held.set(ctx.runId, (word) => {
      if (word === 'throw') reject(new Error('held work threw'))
      else if (word === 'snooze') resolve(ctx.snooze(SNOOZE_MS))
      else resolve(word === 'skip' ? ctx.skip('nothing to do') : 'value')
    })
    ctx.signal.addEventListener('abort', () => {
      if (!stubborn) this.say(ctx.runId, 'throw')
    })
    return promise
  }

  #runThere({ runId, input }: Job, listener: AttemptListener): AttemptHandle {
    const settle = (settlement: Settlement): void => {
      this.#held.delete(runId)
      listener.settled(settlement)
    }
    this.#held.set(runId, (word) => {
      if (word === 'throw') settle({ type: 'threw', error: new Error('held work threw') })
      else if (word === 'snooze') settle({ type: 'snoozed', delayMs: SNOOZE_MS })
      else if (word === 'skip') settle({ type: 'skipped', reason: 'nothing to do' })
      else settle({ type: 'returned', value: 'value' })
    })
    queueMicrotask(() => listener.started(0))
    const asked = (): void => {
      if (!(input as HeldInput).stubborn) settle({ type: 'threw', error: new Error('told to stop') })
    }
    const ended = (): void => settle({ type: 'crashed', error: new Error('killed') })
    return { signal: asked, terminate: asked, kill: ended }
  }
}
