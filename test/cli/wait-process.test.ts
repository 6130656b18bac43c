/** `enqueue --wait` as the process that it is, on each store: it ends by itself, with the code that says how. */
import { expect, test } from 'vitest'
import { openPlace, type Place, startedDaemon } from '../durable/daemon-kit.ts'
import { postgresPlace } from '../durable/postgres-place.ts'
import { heldTask, taskOf } from '../support/harness.ts'
import { program } from './cli-kit.ts'

test.each<[string, () => Promise<Place>, (place: Place) => string]>([
  ['SQLite', openPlace, ({ file }) => `sqlite:${file}`],
  ['PostgreSQL', postgresPlace, ({ file }) => file],
])('%s: a wait ends with what became of the task', async (_, openStore, urlOf) => {
  const place = await openStore()
  const url = urlOf(place)
  const double = taskOf<number, number>((n) => n * 2)
  const bad = taskOf(() => {
    throw new RangeError('no good')
  })
  const long = heldTask<void>()
  await startedDaemon([double, bad, long.task], { place })
  const wait = (name: string, ...more: string[]) => program(['enqueue', name, ...more, '-q', url, '--wait'])
  expect(await wait(double.name, '21')).toEqual({ code: 0, out: '42\n', err: '' })
  expect(await wait(bad.name)).toMatchObject({ code: 1, err: expect.stringContaining('no good') })
  expect(await wait(long.task.name, '--timeout', '50')).toMatchObject({
    code: 5,
    err: expect.stringContaining('had not ended after 50 ms'),
  })
  long.calls[0]?.resolve('done')
})
