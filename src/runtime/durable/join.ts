/** The fan-in step of a task whose children have all ended: their values in order, or their errors. */
import type { HandlerContext } from '../../actors/handler-context.ts'
import type { TaskRecord } from '../../actors/store/task-record.ts'
import { valuesOf } from '../all.ts'
import { defineTask, type TaskDefinition } from '../define-task.ts'
import { QueueError } from '../errors.ts'
import { JOIN_NAME } from './fork.ts'
import { refusalError } from './queue-error.ts'
import { outcomeOf } from './stored-outcome.ts'

/** What a daemon gives the step. */
export interface JoinWork {
  readonly ids: readonly string[]
  /** Reads the children. @throws QueueError */
  read(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]>
}

/** How long it waits for a child that somebody has retried meanwhile, before it looks again. */
const LOOK_AGAIN_MS = 1_000

/** Puts out JSON. Fails with an AggregateError if a child has; while the database does not answer, it is tried again. */
export const joinTask: TaskDefinition<JoinWork, unknown> = defineTask(
  {
    name: JOIN_NAME,
    execution: 'async',
    retry: {
      attempts: Number.POSITIVE_INFINITY,
      backoff: { kind: 'exponential', initialMs: 500, maxMs: 30_000 },
      retryIf: (error: unknown) => error instanceof QueueError,
    },
  },
  async ({ ids, read }: JoinWork, ctx: HandlerContext) => {
    const records = await read(ids)
    const settled = records.map((record, index) => settledOf(record, ids[index] as string))
    if (settled.includes(undefined)) return ctx.snooze(LOOK_AGAIN_MS)
    return valuesOf(settled as PromiseSettledResult<unknown>[])
  },
)

/** @returns `undefined` for one that is live */
function settledOf(record: TaskRecord | undefined, id: string): PromiseSettledResult<unknown> | undefined {
  if (record === undefined) {
    const reason = refusalError({ kind: 'refused', code: 'ERR_RUN_UNKNOWN' }, id, 'be awaited')
    return { status: 'rejected', reason }
  }
  const outcome = outcomeOf(record)
  if (outcome === undefined) return undefined
  if (outcome.kind === 'ended') return { status: 'rejected', reason: outcome.error }
  // As it was stored: calls of tasks in it stay what they are.
  return { status: 'fulfilled', value: record.result === null ? null : JSON.parse(record.result) }
}
