import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSupervisor, type TaskLogStore, type TaskRecord } from '../../src/index.ts'
import { greet } from './tasks.ts'

const folder = mkdtempSync(join(tmpdir(), 'stateward-guide-'))

const fileStore = (file: string): TaskLogStore => ({
  load() {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    const lines = text.split('\n').filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as TaskRecord)
  },
  append: (record) => appendFileSync(file, `${JSON.stringify(record)}\n`),
})

const store = fileStore(join(folder, 'tasks.jsonl'))
// What a program that died in the middle of a run has left.
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
rmSync(folder, { recursive: true })
