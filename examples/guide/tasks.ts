// Definitions of the guide. Threads and processes load this module, so it starts nothing by itself.
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { defineTask, type TaskDefinition } from '../../src/task.ts'

export const greet = defineTask({ name: 'greet' }, (name: string) => `hello ${name}`)

export const digest = defineTask(
  { name: 'digest', module: import.meta.url, execution: 'thread', runTimeoutMs: 5_000 },
  (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8),
)

const group = { prefix: 'images.', priority: 'low' } as const
const schema = v.object({ file: v.string(), width: v.optional(v.number(), 200) })
export const thumbnail = defineTask(
  { name: 'thumbnail', group, schema },
  ({ file, width }) => `${file}@${width}`,
)

export const countdown: TaskDefinition<number, string> = defineTask(
  { name: 'countdown' },
  (left: number, ctx) => (left === 0 ? 'lift-off' : ctx.submit(countdown, left - 1).result),
)

// Ends only when it is told to.
export const wait = defineTask(
  { name: 'wait', graceMs: 50 },
  (_: string, { signal }) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    }),
)
