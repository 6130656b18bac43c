/** `stateward run`: one task by hand. */
import { describe, expect, test } from 'vitest'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { all } from '../../src/task.ts'
import { done, freshUrl, settle, take, testQueue, workOff } from '../durable/queue-kit.ts'
import { until } from '../support/until.ts'
import { answerOf, begin, cli, TASKS } from './cli-kit.ts'

async function place() {
  const url = await freshUrl()
  const queue = await testQueue({ url })
  const enqueue = async (...args: string[]): Promise<string> => {
    const { id } = (await answerOf(['enqueue', '-q', url, ...args])) as { id: string }
    return id
  }
  const run = (id: string, ...more: string[]) => ['run', id, '-q', url, '-t', TASKS, ...more]
  return { url, queue, enqueue, run }
}

describe('run', () => {
  test('runs that task to its end, before it is due, and no other', async () => {
    const { queue, enqueue, run } = await place()
    const other = await enqueue('square', '{"n":2}')
    const id = await enqueue('square', '{"n":7}', '--in', '1h')
    const said = await cli(run(id))
    expect(said).toMatchObject({ code: 0, out: '49\n' })
    expect(said.err).toContain(`${id}  square  finished  attempt 1`)
    expect(await queue.get(id)).toMatchObject({ state: 'finished', result: 49, attempt: 1 })
    expect(await queue.get(other)).toMatchObject({ state: 'queued', attempt: 0 })
    expect((await queue.log(id)).map(({ act }) => act)).toEqual(['created', 'moved', 'started', 'finished'])
  })

  test('runs one of a child process before it is due', async () => {
    const { queue, enqueue, run } = await place()
    const id = await enqueue('in-child', '--in', '1h')
    expect(await cli(run(id))).toMatchObject({ code: 0 })
    expect((await queue.log(id)).map(({ act }) => act)).toEqual(['created', 'moved', 'started', 'finished'])
  })

  test('tries again and goes on with its next steps, shows how far it is, leaves no mark of a daemon', async () => {
    const { queue, enqueue, run } = await place()
    await queue.schedule('due', (await import('../fixtures/cli/tasks.ts')).square, { n: 1 }, { everyMs: 1 })
    const id = await enqueue('first')
    expect(await answerOf(run(id))).toMatchObject({ id, state: 'finished', result: 'done', step: 1 })
    expect((await queue.log(id)).map(({ act }) => act)).toContain('attemptFailed')
    expect((await queue.list({ name: 'square' })).tasks).toEqual([])
    expect((await queue.status()).daemons).toEqual([])
  })

  test('makes the calls of an all(), which daemons run, and goes on when they have ended', async () => {
    const { queue, run } = await place()
    const { square } = await import('../fixtures/cli/tasks.ts')
    const { id } = await queue.enqueue(all([square.call({ n: 2 }), square.call({ n: 3 })]))
    const { out, code } = begin(run(id))
    const forked = async (): Promise<boolean> => (await queue.list({ parent: id })).tasks.length === 2
    await until(forked)
    expect(await queue.get(id)).toMatchObject({ state: 'running' })
    // What is not that task, it leaves alone.
    const children = await queue.list({ parent: id, order: 'oldest' })
    expect(children.tasks.map(({ state }) => state)).toEqual(['queued', 'queued'])
    for (const task of await take(queue)) await settle(queue, task, done(task.id.endsWith('.0') ? 4 : 9))
    expect(await code).toBe(0)
    expect(out.text).toBe('[4,9]\n')
  })

  test('tells by its exit code and its error that it failed', async () => {
    const { enqueue, run } = await place()
    const id = await enqueue('failing')
    const said = await cli(run(id))
    expect(said).toMatchObject({ code: 1, out: '' })
    expect(said.err).toMatch(/no such thing \(ERR_TASK_THREW\)\n {2}because: TypeError: no such thing\n$/)
  })

  test('hands it back on Ctrl-C, and no attempt is used up', async () => {
    const { queue, enqueue, run } = await place()
    const id = await enqueue('endless')
    const { out, err, code, interrupt } = begin(run(id))
    await err.shows('running')
    interrupt()
    expect(await code).toBe(130)
    expect(out.text).toBe(`${id} was handed back\n`)
    expect(await queue.get(id)).toMatchObject({ state: 'queued', attempt: 0 })
  })

  test('ends it when somebody cancels it', async () => {
    const { queue, enqueue, run } = await place()
    const id = await enqueue('endless')
    const { err, code } = begin(run(id))
    await err.shows('running')
    await queue.cancel(id, 'not needed')
    expect(await code).toBe(1)
    expect(err.text).toContain('(ERR_TASK_CANCELLED)')
  })

  test('takes it back from whoever has ended without a word, when the lease is over', async () => {
    const { queue, enqueue, run } = await place()
    const lost = await enqueue('square', '{"n":7}')
    const other = await enqueue('square', '{"n":8}')
    const store = storeOf(queue)
    await take(queue, 'gone')
    expect(await cli(run(lost))).toMatchObject({ code: 1, err: expect.stringContaining('held by gone') })
    const at = store.now()
    const leases = (await store.read((from) => from.get([lost, other]))).map((record) => ({
      id: record?.id as string,
      fence: record?.fence as number,
    }))
    await store.do({ type: 'renew', at, leaseUntil: at, leases })
    expect(await cli(run(lost))).toMatchObject({ code: 0, out: '49\n' })
    expect((await queue.log(lost)).map(({ act }) => act)).toContain('leaseLost')
    expect((await queue.get(other))?.state).toBe('running')
  })

  test('refuses what it cannot run, and changes nothing', async () => {
    const { queue, enqueue, run } = await place()
    expect(await cli(run('nobody'))).toMatchObject({ code: 3, out: '' })
    const unknown = await enqueue('squar', '--run-id', 'u')
    const said = await cli(run(unknown))
    expect(said).toMatchObject({ code: 2, err: expect.stringContaining('(ERR_TASK_EXPORT_MISSING)') })
    expect(said.err).toContain('Did you mean "square"?')
    await queue.remove('u')
    const ended = await enqueue('square', '--run-id', 'e')
    await workOff(queue, done(1))
    const held = await enqueue('square', '--run-id', 'h')
    await take(queue, 'elsewhere')
    for (const [id, words] of [
      [ended, 'it is finished.'],
      [held, 'it is running. It is held by elsewhere.'],
    ] as const) {
      const refused = await cli(run(id))
      expect(refused).toMatchObject({ code: 1, out: '' })
      expect(refused.err).toContain(words)
      expect(refused.err).toContain('(ERR_RUN_STATE)')
    }
    expect(await cli(['run', held])).toMatchObject({ code: 2, err: expect.stringContaining('--tasks') })
  })
})
