import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { defineTask } from 'stateward/task'

export const digest = defineTask(
  { name: 'digest', module: import.meta.url, execution: 'thread', runTimeoutMs: 5_000 },
  async (file: string) =>
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex'),
)
