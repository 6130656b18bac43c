/** Rows that nobody can read or run, on PostgreSQL; daemon-away.test.ts has those of a file. pg-boss says when it is due. */
import { expect, onTestFinished, test } from 'vitest'
import { openQueue } from '../../src/runtime/durable/open-queue.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { freshDatabase, onServer } from '../store/postgres-kit.ts'
import { errorOf, taskOf } from '../support/harness.ts'
import { enqueue, records, startedDaemon } from './daemon-kit.ts'

test('rows that nobody can read or run fail alone, and harm nobody else', async () => {
  const echo = taskOf<string, string>((text) => text)
  const url = await freshDatabase()
  const queue = await openQueue({ url })
  onTestFinished(() => queue.close())
  const ids = await enqueue(queue, ...['a', 'b', 'c', 'd'].map((text) => echo.call(text)))
  const [never, far, moon, good] = ids as [string, string, string, string]
  const change = (column: string, value: string, id: string) =>
    onServer(url, `UPDATE stateward.task SET ${column} = ${value} WHERE id = '${id}'`)
  await change('run_at', '9000000000000000000', never)
  await change('created_at', '1152921504606846976', far)
  await change('options', `'{"execution":"moon"}'`, moon)
  const place = { file: '', queue, store: storeOf(queue) }
  const { store, daemon } = await startedDaemon([echo], { place })
  await records(store, [never, far, moon, good])
  const error = await errorOf(queue.wait(moon))
  expect(error).toMatchObject({ kind: 'invalidInput' })
  const { tasks } = await queue.list({ order: 'oldest' })
  expect(tasks.map(({ id, state }) => [id === moon, state])).toEqual([
    [false, 'finished'],
    [false, 'finished'],
    [true, 'failed'],
    [false, 'finished'],
  ])
  expect(await queue.wait(await queue.enqueue(echo, 'later'))).toBe('later')
  expect(daemon.state).toBe('working')
})
