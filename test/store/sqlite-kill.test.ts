/** `kill -9` of processes that write: what they were told is there, and nobody else was hurt. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import type { FaultPoint } from '../../src/actors/store/fault-point.ts'
import { openSqliteStore } from '../../src/actors/store/sqlite-store.ts'
import { once } from '../support/once.ts'
import { claimed, closing, enqueue, newTask, one, settle, temporaryFolder } from './store-kit.ts'

const WRITER = join(import.meta.dirname, '../fixtures/store/writer.ts')

interface Writer {
  readonly child: ChildProcess
  readonly lines: string[]
  /** Resolves when so many lines have come. */
  heard(count: number): Promise<void>
  /** Resolves when it is dead and all that it said was read. */
  readonly ended: Promise<void>
}

function write(file: string, name: string, ...fault: string[]): Writer {
  const child = fork(WRITER, [file, name, ...fault], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  const lines: string[] = []
  const waiting = new Map<number, () => void>()
  const reader = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  reader.on('line', (line) => {
    lines.push(line)
    waiting.get(lines.length)?.()
  })
  const heard = (count: number): Promise<void> =>
    new Promise((resolve) => (lines.length >= count ? resolve() : waiting.set(count, resolve)))
  return {
    child,
    lines,
    heard,
    ended: Promise.all([once(child, 'exit'), once(reader, 'close')]).then(() => {}),
  }
}

/** Holds the file against all that was said, then runs what is left. */
async function judge(file: string, said: readonly string[]): Promise<void> {
  const facts = said.map((line) => line.split(' ') as [string, string, string])
  const of = (kind: string) => facts.filter(([one]) => one === kind)
  const store = await closing(openSqliteStore({ file }))
  expect(await store.check()).toMatchObject({ ok: true, problems: [] })
  const stored = of('stored').map(([, id]) => id)
  const settled = of('settled').map(([, id]) => id)
  // Nothing that was answered is lost, nothing was given to two, nothing ended twice.
  expect((await store.get(stored)).filter((found) => found === undefined)).toEqual([])
  expect(new Set(settled).size).toBe(settled.length)
  const claims = of('claimed').map(([, id, fence]) => `${id} ${fence}`)
  expect(new Set(claims).size).toBe(claims.length)
  expect(of('lost')).toEqual([])
  const ended = await store.get(settled)
  expect(ended.filter((found) => found?.state !== 'finished')).toEqual([])
  // What a dead one held comes back when its lease is over, and everything can be run to its end.
  await one(store, { type: 'reclaim', at: 2e6, by: 'test', lostLimit: 9, limit: 1e6 })
  for (;;) {
    const { tasks } = await claimed(store, 3e6, { limit: 500 })
    if (tasks.length === 0) break
    expect(tasks.filter(({ id }) => settled.includes(id))).toEqual([])
    const finished = { kind: 'finished', result: null, reason: null } as const
    const settlements = tasks.map(({ id, fence }) => ({ id, fence, verdict: finished }))
    await one(store, { type: 'settle', at: 3e6, by: 'test', settlements })
  }
  const { finished, ...others } = await store.counts(3e6)
  expect(finished).toBeGreaterThanOrEqual(stored.length)
  expect(Object.values(others).every((count) => count === 0)).toBe(true)
}

it('loses nothing when writers are killed at any moment, again and again', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const said: string[] = []
  const steady = write(file, 'steady')
  await steady.heard(20)
  for (let round = 0; round < 4; round += 1) {
    const victim = write(file, `victim${round}`)
    await victim.heard(1 + Math.floor(Math.random() * 150))
    victim.child.kill('SIGKILL')
    await victim.ended
    said.push(...victim.lines)
    // Who lives goes on.
    await steady.heard(steady.lines.length + 20)
  }
  steady.child.kill('SIGKILL')
  await steady.ended
  await judge(file, [...said, ...steady.lines])
}, 60_000)

it.each<[FaultPoint, number]>([
  ['begun', 9],
  ['operation', 21],
  ['committing', 9],
  ['committed', 9],
])('loses nothing when a process dies at the point "%s"', async (point, count) => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const victim = write(file, 'victim', point, String(count))
  await victim.ended
  expect(victim.lines.length).toBeGreaterThan(0)
  await judge(file, victim.lines)
})

it.each<[FaultPoint, boolean]>([
  ['begun', false],
  ['committing', false],
  ['committed', true],
])('rejects a commit that fails at the point "%s", and goes on', async (point, isThere) => {
  const file = join(await temporaryFolder(), 'tasks.db')
  let armed = false
  const fault = (at: FaultPoint): void => {
    if (armed && at === point) throw new Error('fault')
  }
  const store = await closing(openSqliteStore({ file, fault }))
  armed = true
  const task = newTask()
  await expect(store.commit([enqueue(0, task)])).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' })
  armed = false
  expect((await store.get([task.id]))[0]?.id).toBe(isThere ? task.id : undefined)
  const next = newTask()
  await one(store, enqueue(0, next))
  const { tasks } = await claimed(store, 1)
  expect(tasks.map(({ id }) => id)).toContain(next.id)
  await settle(store, tasks[0]!, { kind: 'returned' })
})

it('waits for a file that is locked, and says so when it takes too long', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const store = await closing(openSqliteStore({ file, busyLimitMs: 60 }))
  const patient = await closing(openSqliteStore({ file }))
  const lock = new DatabaseSync(file)
  lock.exec('BEGIN IMMEDIATE')
  const waiting = patient.commit([enqueue(0, newTask())])
  await expect(store.commit([enqueue(0, newTask())])).rejects.toMatchObject({ code: 'ERR_STORE_BUSY' })
  // Reading needs no lock.
  expect((await store.list({}, { limit: 9, order: 'oldest' }, 0)).items).toEqual([])
  lock.exec('ROLLBACK')
  lock.close()
  expect(await waiting).toMatchObject([{ type: 'enqueue' }])
})
