/** A daemon on PostgreSQL while somebody's open transaction has locked a task that it holds. */
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { deferred } from '../support/deferred.ts'
import { taskOf } from '../support/harness.ts'
import { enqueue, records, startedDaemon } from './daemon-kit.ts'
import { postgresPlace } from './postgres-place.ts'

test('goes on with all others, and ends that one when the transaction is over', async () => {
  const place = await postgresPlace()
  const client = new pg.Client({ connectionString: place.file })
  await client.connect()
  onTestFinished(() => client.end())
  const ends = new Map([1, 2].map((n) => [n, deferred<number>()]))
  const held = taskOf<number, number>((n) => ends.get(n)?.promise ?? n)
  const { queue, store, supervisor } = await startedDaemon([held], { place })
  const lost: string[] = []
  supervisor.on('daemon.leaseLost', () => lost.push('lease'))
  supervisor.on('daemon.storeLost', () => lost.push('store'))
  const first = await queue.enqueue(held, 1, { key: 'k' })
  const second = await queue.enqueue(held, 2)
  await records(store, [first.id, second.id], ({ state }) => state === 'running')

  await client.query('BEGIN')
  const { id } = await queue.enqueue(held, 3, { key: 'k', onConflict: 'replace', tx: client })
  for (const [n, end] of ends) end.resolve(n)
  const others = await enqueue(queue, held.call(4), held.call(5))
  const ended = await records(store, [second.id, ...others])
  expect(ended.map(({ result }) => result)).toEqual(['2', '4', '5'])
  expect(await queue.get(first.id)).toMatchObject({ state: 'running' })
  await client.query('COMMIT')
  const after = await records(store, [first.id, id])
  expect(after).toMatchObject([
    { state: 'finished', result: '1' },
    { state: 'finished', result: '3' },
  ])
  expect(lost).toEqual([])
})
