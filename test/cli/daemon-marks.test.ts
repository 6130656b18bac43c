/** Marks of daemons that nobody can ask any more. */
import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { freshUrl, testQueue } from '../durable/queue-kit.ts'
import { answerOf, cli } from './cli-kit.ts'

/** A daemon that began when this process did not exist yet, and has been silent for long. */
async function silent(host: string) {
  const url = await freshUrl()
  const queue = await testQueue({ url })
  const store = storeOf(queue)
  const at = store.now() - 3_600_000
  const daemon = {
    id: 'old',
    name: 'default',
    host,
    pid: process.pid,
    startedAt: at - 1e9,
    state: 'working',
    counts: null,
  }
  await store.do({ type: 'beat', at, daemon })
  return { url, marks: () => answerOf(['daemon', 'status', '-q', url]) as Promise<{ mark: string }[]> }
}

test.runIf(process.platform === 'linux')(
  'a process that has the pid of a daemon and began later is none, and is not killed',
  async () => {
    const { url, marks } = await silent(hostname())
    expect(await marks()).toMatchObject([{ mark: 'dead' }])
    expect(await cli(['daemon', 'stop', '--kill', '--timeout', '1ms', '-q', url])).toMatchObject({ code: 0 })
    expect(await marks()).toEqual([])
  },
)

test('the silent mark of another machine stays until it is to be forgotten', async () => {
  const { url, marks } = await silent('elsewhere.example.org')
  const stop = ['daemon', 'stop', '--timeout', '1ms', '-q', url]
  const said = await cli([...stop, '--kill'])
  expect(said).toMatchObject({ code: 5, err: expect.stringContaining('If it is gone, give --forget.') })
  expect(await marks()).toMatchObject([{ mark: 'silent' }])
  expect(await cli([...stop, '--forget'])).toMatchObject({ code: 0, out: 'No daemon default was running.\n' })
  expect(await marks()).toEqual([])
})
