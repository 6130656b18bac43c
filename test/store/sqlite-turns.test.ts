/** Who writes to a SQLite file without an end, on a slow disk, leaves others their turn. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteStore } from '../../src/actors/store/sqlite-store.ts'
import { closing, temporaryFolder } from './store-kit.ts'

const HOG = fileURLToPath(new URL('../fixtures/store/hog.ts', import.meta.url))
const COMMITS = 5
/** So many of the other's for one of ours, on the average: it was twenty. */
const FAIR = 6

test('a second writer has its turn after a few commits of one that never rests', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const store = await closing(openSqliteStore({ file }))
  const hog = fork(HOG, [file], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  onTestFinished(async () => {
    const gone = once(hog, 'exit')
    hog.send('stop')
    await gone
  })
  let commits = 0
  hog.on('message', (count) => {
    commits = count as number
  })
  await once(hog, 'message')
  for (let round = 0; round < COMMITS; round += 1) await store.commit([{ type: 'leave', ids: [] }])
  expect(commits).toBeLessThan(COMMITS * FAIR)
}, 60_000)
