import { join } from 'node:path'
import { expect, it } from 'vitest'
import { GroupCommit } from '../../src/actors/store/group-commit.ts'
import type { StoreAnswer, StoreOperation } from '../../src/actors/store/operations.ts'
import { openSqliteStore } from '../../src/actors/store/sqlite-store.ts'
import { deferred } from '../support/deferred.ts'
import { turns } from '../support/turns.ts'
import { claim, closing, enqueue, newTask, temporaryFolder } from './store-kit.ts'

/** A store whose commits end when the test says so. */
function puppetStore() {
  const commits: {
    operations: readonly StoreOperation[]
    end: ReturnType<typeof deferred<StoreAnswer[]>>
  }[] = []
  const commit = (operations: readonly StoreOperation[]): Promise<readonly StoreAnswer[]> => {
    const end = deferred<StoreAnswer[]>()
    commits.push({ operations, end })
    return end.promise
  }
  return { commit, commits }
}

const tell = (message: string) => ({ type: 'tell', message }) as const
const told = (count: number): StoreAnswer => ({ type: 'tell', answer: { told: count } })

it('puts what comes in one turn into one commit, and what comes meanwhile into the next', async () => {
  const store = puppetStore()
  const group = new GroupCommit(store)
  const first = [group.submit(tell('a')), group.submit(tell('b'))]
  await turns(2)
  expect(store.commits.map(({ operations }) => operations)).toEqual([[tell('a'), tell('b')]])
  const second = [group.submit(tell('c')), group.submit(tell('d'))]
  await turns(2)
  expect(store.commits).toHaveLength(1)
  store.commits[0]!.end.resolve([told(1), told(2)])
  expect(await Promise.all(first)).toEqual([{ told: 1 }, { told: 2 }])
  await turns(2)
  expect(store.commits[1]!.operations).toEqual([tell('c'), tell('d')])
  store.commits[1]!.end.resolve([told(3), told(4)])
  expect(await Promise.all(second)).toEqual([{ told: 3 }, { told: 4 }])
})

it('rejects what failed by itself, and nothing beside it', async () => {
  const store = puppetStore()
  const group = new GroupCommit(store)
  const said = Promise.allSettled([group.submit(tell('a')), group.submit(tell('b')), group.submit(tell('c'))])
  await turns(2)
  const error = new Error('no')
  store.commits[0]!.end.resolve([told(1), { type: 'failed', error }])
  expect(await said).toMatchObject([
    { status: 'fulfilled', value: { told: 1 } },
    { status: 'rejected', reason: error },
    { status: 'rejected', reason: { code: 'ERR_STORE_FAILED' } },
  ])
})

it('rejects all of a commit that fails as a whole, and goes on', async () => {
  const store = puppetStore()
  const group = new GroupCommit(store)
  const said = Promise.allSettled([group.submit(tell('a')), group.submit(tell('b'))])
  await turns(2)
  const error = new Error('disk')
  const next = group.submit(tell('c'))
  store.commits[0]!.end.reject(error)
  expect(await said).toMatchObject([
    { status: 'rejected', reason: error },
    { status: 'rejected', reason: error },
  ])
  await turns(2)
  store.commits[1]!.end.resolve([told(1)])
  expect(await next).toEqual({ told: 1 })
})

it('commits what it has taken when it is closed, and takes nothing more', async () => {
  const store = puppetStore()
  const group = new GroupCommit(store)
  const first = group.submit(tell('a'))
  await turns(2)
  const second = group.submit(tell('b'))
  let isClosed = false
  const closed = group.close().then(() => {
    isClosed = true
  })
  await expect(group.submit(tell('c'))).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' })
  store.commits[0]!.end.resolve([told(1)])
  await first
  await turns(2)
  expect(isClosed).toBe(false)
  store.commits[1]!.end.resolve([told(2)])
  expect(await second).toEqual({ told: 2 })
  await closed
  expect(store.commits).toHaveLength(2)
  await group.close()
  await new GroupCommit(store).close()
})

it('bounds the items of a commit, but never splits an operation', async () => {
  const store = puppetStore()
  const group = new GroupCommit(store)
  const many = (count: number) => enqueue(0, ...Array.from({ length: count }, () => newTask()))
  const all = Promise.allSettled([1_500, 500, 1, 3_000, 1].map((count) => group.submit(many(count))))
  const sizes: number[][] = []
  for (let commit = 0; commit < 4; commit += 1) {
    await turns(2)
    const { operations, end } = store.commits[commit]!
    sizes.push(operations.map((operation) => (operation.type === 'enqueue' ? operation.tasks.length : 0)))
    end.reject(new Error('no'))
  }
  await all
  expect(sizes).toEqual([[1_500, 500], [1], [3_000], [1]])
})

it('answers when it is durable: another connection sees it', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const store = await closing(openSqliteStore({ file }))
  const other = await closing(openSqliteStore({ file }))
  const group = new GroupCommit(store)
  const tasks = Array.from({ length: 50 }, () => newTask())
  const seen = await Promise.all(
    tasks.map(async (task) => {
      expect(await group.submit(enqueue(0, task))).toEqual({ items: [{ kind: 'stored', replaced: null }] })
      return (await other.get([task.id]))[0]?.id
    }),
  )
  expect(seen).toEqual(tasks.map(({ id }) => id))
  expect((await group.submit(claim(1))).tasks).toHaveLength(50)
  await group.close()
})
