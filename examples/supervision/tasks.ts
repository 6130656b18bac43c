import { createHash } from 'node:crypto'
import { defineTask } from '../../src/index.ts'

export const digest = defineTask(
  { name: 'digest', module: import.meta.url, execution: 'thread', runTimeoutMs: 5_000 },
  (text: string) => {
    if (text === '') throw new Error('nothing to digest')
    return createHash('sha256').update(text).digest('hex').slice(0, 8)
  },
)
