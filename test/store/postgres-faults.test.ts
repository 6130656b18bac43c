/** What servers and networks do to a store in PostgreSQL, and what two processes do to each other. */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { GroupCommit } from '../../src/actors/store/group-commit.ts'
import { openPostgresStore } from '../../src/actors/store/postgres-store.ts'
import type { Store } from '../../src/actors/store/store.ts'
import { StoreError } from '../../src/actors/store/store-error.ts'
import { once } from '../support/once.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { freshDatabase, onServer, ownServer } from './postgres-kit.ts'
import { claimed, closing, enqueue, FINISHED, newTask, one, put, record, settle } from './store-kit.ts'

const FAR = 1e15

/** A store behind a network that can be made bad. */
async function proxied(answerLimitMs: number): Promise<{ store: Store; proxy: TcpProxy; url: string }> {
  const url = await freshDatabase()
  const { hostname: host, port } = new URL(url)
  const proxy = await TcpProxy.start({ host, port: Number(port) })
  onTestFinished(() => proxy.stop())
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(proxy.port)
  const store = await openPostgresStore({ url: through.href, answerLimitMs })
  // Before the proxy stops, which closes connections for good.
  onTestFinished(() => store.close())
  return { store, proxy, url }
}

test('connections that the server ended are made anew, and nobody hears of it', async () => {
  const url = await freshDatabase()
  const store = await closing(openPostgresStore({ url }))
  const woken: string[] = []
  store.wake('work', () => woken.push('work'))
  for (let round = 0; round < 3; round += 1) {
    await onServer(
      url,
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    )
    const task = await put(store, { runAt: round })
    expect(await record(store, task.id)).toMatchObject({ state: 'pending' })
  }
  expect((await claimed(store, 10)).tasks).toHaveLength(3)
})

test('a listener whose connection was ended listens again', async () => {
  const url = await freshDatabase()
  const [a, b] = [await closing(openPostgresStore({ url })), await closing(openPostgresStore({ url }))]
  const first = Promise.withResolvers<void>()
  let woken = first
  b.wake('work', () => woken.resolve())
  await first.promise
  woken = Promise.withResolvers<void>()
  await onServer(
    url,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
  )
  // It may have missed something meanwhile, so it says so when it is back.
  await woken.promise
  woken = Promise.withResolvers<void>()
  await put(a)
  await woken.promise
})

test('an answer to a commit that got lost is told as such, and asking again is safe', async () => {
  const { store, proxy } = await proxied(5_000)
  const task = newTask()
  proxy.loseAnswerTo('COMMIT')
  const lost = await one(store, enqueue(1, task)).catch((error: unknown) => error)
  expect(lost).toBeInstanceOf(StoreError)
  expect((lost as Error).message).toMatch(/lost while it committed.*may be asked again/)
  expect((await one(store, enqueue(1, task))).items).toEqual([{ kind: 'refused', code: 'ERR_RUN_ID_TAKEN' }])
  const [lease] = (await claimed(store, 2)).tasks
  proxy.loseAnswerTo('COMMIT')
  await expect(settle(store, lease!, FINISHED)).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' })
  expect(await settle(store, lease!, FINISHED)).toEqual({ kind: 'lost' })
  expect(await record(store, task.id)).toMatchObject({ state: 'finished', result: '"ok"' })
})

test('a connection that went silent is given up, and the store goes on when the network is back', async () => {
  const { store, proxy } = await proxied(400)
  const before = await put(store)
  proxy.goSilent()
  const unheard = await one(store, enqueue(1, newTask())).catch((error: unknown) => error)
  expect(unheard).toMatchObject({ code: 'ERR_STORE_UNREACHABLE' })
  proxy.heal()
  const after = await put(store, { runAt: 1 })
  expect((await claimed(store, 2)).tasks.map(({ id }) => id)).toEqual([before.id, after.id])
})

test('a store whose listening connection went silent closes all the same', async () => {
  const { store, proxy } = await proxied(5_000)
  const awake = Promise.withResolvers<void>()
  store.wake('work', () => awake.resolve())
  await awake.promise
  proxy.goSilent()
  await store.close()
})

test('what a client left open in the middle of a transaction is ended by the server', async () => {
  const url = await freshDatabase()
  const paused = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const fault = (point: string): unknown => {
    if (point !== 'committing') return undefined
    reached.resolve()
    return paused.promise
  }
  const store = await closing(openPostgresStore({ url }))
  const slow = await closing(openPostgresStore({ url, answerLimitMs: 300, fault }))
  const task = newTask({ key: 'k' })
  const held = one(slow, enqueue(0, task)).catch((error: unknown) => error)
  await reached.promise
  // It waits for the key that the other one has taken, until the server ends that transaction.
  const group = new GroupCommit(store)
  expect((await group.submit(enqueue(1, newTask({ key: 'k' })))).items).toMatchObject([{ kind: 'stored' }])
  await group.close()
  paused.resolve()
  expect(await held).toMatchObject({ code: 'ERR_STORE_UNREACHABLE' })
  expect(await store.get([task.id])).toEqual([undefined])
})

test('the server is restarted under load: nothing that was answered is lost, nothing is done twice', async () => {
  const server = await ownServer()
  const [web, daemon] = [
    await closing(openPostgresStore({ url: server.url })),
    await closing(openPostgresStore({ url: server.url })),
  ]
  const stored: string[] = []
  const finished = new Map<string, number>()
  let phase: 'load' | 'rest' = 'load'
  const commits = new GroupCommit(web)
  const produce = async (): Promise<void> => {
    while (phase === 'load') {
      const task = newTask()
      const said = await commits.submit(enqueue(0, task)).catch(() => undefined)
      if (said !== undefined) stored.push(task.id)
    }
  }
  const work = async (): Promise<void> => {
    for (;;) {
      const tasks = await claimed(daemon, 1, { limit: 50, leaseUntil: FAR }).then(
        (said) => said.tasks,
        () => undefined,
      )
      if (tasks?.length === 0 && phase === 'rest') return
      for (const lease of tasks ?? []) {
        let said: Awaited<ReturnType<typeof settle>>
        do said = await settle(daemon, lease, FINISHED).catch(() => undefined)
        while (said === undefined)
        finished.set(lease.id, (finished.get(lease.id) ?? 0) + 1)
      }
    }
  }
  const running = Promise.all([produce(), produce(), produce(), work()])
  for (let round = 0; round < 3; round += 1) {
    const enough = stored.length + 100
    while (stored.length < enough) await one(web, enqueue(0)).catch(() => {})
    await server.restart()
  }
  phase = 'rest'
  await running
  // A claim whose answer was lost holds its tasks until its lease is over.
  await one(daemon, { type: 'reclaim', at: FAR, by: 'd', lostLimit: 9, limit: 10_000 })
  for (const lease of (await claimed(daemon, FAR)).tasks) {
    await settle(daemon, lease, FINISHED)
    finished.set(lease.id, (finished.get(lease.id) ?? 0) + 1)
  }
  expect(stored.filter((id) => !finished.has(id))).toEqual([])
  expect([...finished].filter(([, times]) => times !== 1)).toEqual([])
  expect(await daemon.check()).toMatchObject({ ok: true, problems: [] })
}, 60_000)

test('of two processes one is killed: the other one does what it left, and each task is done once', async () => {
  const url = await freshDatabase()
  const store = await closing(openPostgresStore({ url }))
  await one(store, enqueue(0, ...Array.from({ length: 300 }, () => newTask())))
  const worker = join(import.meta.dirname, '../fixtures/store/postgres-worker.ts')
  const children = ['a', 'b'].map((name) => fork(worker, [url, name]))
  const settled: string[] = []
  for (const child of children) child.on('message', (ids) => settled.push(...(ids as string[])))
  const [killed, other] = children as [(typeof children)[number], (typeof children)[number]]
  while (settled.length < 60) await once(killed, 'message')
  const exits = children.map((child) => once(child, 'exit'))
  killed.kill('SIGKILL')
  await exits[0]
  await one(store, { type: 'reclaim', at: FAR, by: 'd', lostLimit: 9, limit: 1_000 })
  other.send('rest')
  expect(await exits[1]).toBe(0)
  expect(await store.counts(FAR)).toMatchObject({ finished: 300, queued: 0, running: 0 })
  expect(new Set(settled).size).toBe(settled.length)
  expect(await store.check()).toMatchObject({ ok: true })
})
