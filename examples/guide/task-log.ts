import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSupervisor, type TaskLogStore, type TaskRecord } from '../../src/index.ts'
import { greet } from './tasks.ts'

const folder = await mkdtemp(join(tmpdir(), 'stateward-guide-'))

const fileStore = (file: string): TaskLogStore => ({
  load: async () => {
    const text = await readFile(file, 'utf8').catch(() => '')
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as TaskRecord)
  },
  append: (record) => appendFile(file, `${JSON.stringify(record)}\n`),
})

const store = fileStore(join(folder, 'tasks.jsonl'))
await store.append({
  name: 'greet',
  runId: 'old',
  action: 'run',
  at: 0,
  startedAt: 0,
  endedAt: undefined,
  runtimeMs: undefined,
  error: undefined,
})

const supervisor = createSupervisor({ taskLog: { keep: 1_000, store } })
await supervisor.start()
await supervisor.submit(greet, 'Ada').result
console.log(supervisor.records().map(({ action }) => action)) // → [ 'run', 'crash', 'run', 'success' ]
console.log(supervisor.records({ runId: 'old', action: 'crash' })[0]?.error) // → The program ended while it ran
console.log([...supervisor.last('greet').keys()]) // → [ 'run', 'crash', 'success' ]
await supervisor.stop()
await rm(folder, { recursive: true })
