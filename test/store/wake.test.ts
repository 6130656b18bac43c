/** Wakes across connections and processes: by a nudge, and by the slow poll when there is none. */
import { fork } from 'node:child_process'
import { mkdir, readdir, watch } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it, onTestFinished, vi } from 'vitest'
import { openSqliteStore } from '../../src/actors/store/sqlite-store.ts'
import { WakeHub } from '../../src/actors/store/wake-hub.ts'
import { socketFolder } from '../../src/actors/store/wake-sockets.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'
import { once } from '../support/once.ts'
import { turns } from '../support/turns.ts'
import { closing, enqueue, newTask, put, temporaryFolder } from './store-kit.ts'

const NEVER = 3_600_000
const LISTENER = join(import.meta.dirname, '../fixtures/store/listener.ts')

const place = async (): Promise<string> => join(await temporaryFolder(), 'tasks.db')

it('wakes another process by a nudge alone', async () => {
  const file = await place()
  const store = await closing(openSqliteStore({ file, pollMs: NEVER }))
  const child = fork(LISTENER, [file])
  expect(await once(child, 'message')).toBe('ready')
  for (let round = 0; round < 3; round += 1) {
    const woken = once(child, 'message')
    await put(store)
    expect(await woken).toBe('woken')
  }
  const exited = once(child, 'exit')
  child.disconnect()
  expect(await exited).toBe(0)
  await expect(readdir(socketFolder(file))).rejects.toMatchObject({ code: 'ENOENT' })
})

it('has no folder before anybody listens and after the last one has closed, however often', async () => {
  const file = await place()
  const folder = () => readdir(dirname(file)).then((names) => names.filter((name) => name.endsWith('-wake')))
  const open = await closing(openSqliteStore({ file, pollMs: NEVER }))
  for (let round = 0; round < 3; round += 1) {
    expect(await folder()).toEqual([])
    const stores = await Promise.all([1, 2].map(() => openSqliteStore({ file, pollMs: NEVER })))
    const woken = stores.map((store) => new Promise<void>((resolve) => store.wake('work', resolve)))
    await put(open)
    await Promise.all(woken)
    await stores[0]?.close()
    expect(await folder()).toEqual(['tasks.db-wake'])
    await stores[1]?.close()
  }
  expect(await folder()).toEqual([])
})

it('removes the socket of a process that was killed', async () => {
  const file = await place()
  const store = await closing(openSqliteStore({ file, pollMs: NEVER }))
  const child = fork(LISTENER, [file])
  await once(child, 'message')
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  const folder = socketFolder(file)
  expect(await readdir(folder)).toHaveLength(1)
  const changes = watch(folder)
  const changed = changes.next()
  await put(store)
  await changed
  await changes.return?.()
  expect(await readdir(folder)).toEqual([])
})

it('looks for changes whose nudge was missed, while somebody listens', async () => {
  const file = await place()
  const clock = new ManualClock()
  const store = await closing(openSqliteStore({ file, clock, pollMs: 1_000 }))
  const woken = vi.fn()
  const stop = store.wake('news', woken)
  await clock.advance(1_000)
  await turns(2)
  expect(woken).not.toHaveBeenCalled()
  const database = new DatabaseSync(file)
  database.exec(
    "INSERT INTO stateward_schedule (name, rule, call, created_at, created_by) VALUES ('a', '{}', '{}', 1, 'me')",
  )
  database.close()
  await clock.advance(999)
  expect(woken).not.toHaveBeenCalled()
  await clock.advance(1)
  await turns(2)
  expect(woken).toHaveBeenCalledTimes(1)
  stop()
  expect(clock.pending).toBe(0)
})

it('makes one wake of many reasons in one turn, and none after it was ended', async () => {
  const nudge = vi.fn()
  const line = { listen: () => async () => {}, nudge }
  const hub = new WakeHub({ clock: new ManualClock(), pollMs: NEVER, line, hasChanged: () => false })
  const [a, b] = [vi.fn(), vi.fn()]
  const stopA = hub.listen('work', a)
  const stopB = hub.listen('work', b)
  for (let commits = 0; commits < 3; commits += 1) hub.tell(new Set(['work', 'news']))
  expect(a).not.toHaveBeenCalled()
  await turns(2)
  expect(a).toHaveBeenCalledTimes(1)
  expect(b).toHaveBeenCalledTimes(1)
  expect(nudge).toHaveBeenCalledTimes(3)
  stopA()
  stopA()
  hub.tell(new Set(['work']))
  await turns(2)
  expect(a).toHaveBeenCalledTimes(1)
  expect(b).toHaveBeenCalledTimes(2)
  stopB()
  hub.tell(new Set(['work']))
  await hub.close()
  await turns(2)
  expect(b).toHaveBeenCalledTimes(2)
})

it('wakes who listens in the store that commits, until he ends it', async () => {
  const store = await closing(openSqliteStore({ file: await place(), pollMs: NEVER }))
  const [a, b] = [vi.fn(), vi.fn()]
  const stopA = store.wake('work', a)
  store.wake('work', b)
  await put(store)
  await turns(2)
  expect(a).toHaveBeenCalledTimes(1)
  stopA()
  await put(store)
  await turns(2)
  expect(a).toHaveBeenCalledTimes(1)
  expect(b).toHaveBeenCalledTimes(2)
})

it('listens in the folder for temporary files when its own path is too long', async () => {
  const short = join(await temporaryFolder(), 'tasks.db')
  expect(socketFolder(short)).toBe(`${short}-wake`)
  const folder = join(await temporaryFolder(), 'a'.repeat(60))
  await mkdir(folder)
  const file = join(folder, 'tasks.db')
  expect(dirname(socketFolder(file))).toBe(tmpdir())
  const [a, b] = [
    await closing(openSqliteStore({ file })),
    await closing(openSqliteStore({ file, pollMs: NEVER })),
  ]
  const woken = Promise.withResolvers<void>()
  b.wake('work', woken.resolve)
  onTestFinished(() =>
    import('node:fs/promises').then(({ rm }) => rm(socketFolder(file), { recursive: true })),
  )
  await put(a)
  await woken.promise
})

it('wakes when the transaction of the caller is over', async () => {
  const file = await place()
  const store = await closing(openSqliteStore({ file }))
  const woken = Promise.withResolvers<void>()
  store.wake('work', woken.resolve)
  const database = new DatabaseSync(file)
  onTestFinished(() => database.close())
  database.exec('BEGIN')
  const stored = store.within?.(database, enqueue(0, newTask()))
  database.exec('COMMIT')
  await stored
  await woken.promise
})
