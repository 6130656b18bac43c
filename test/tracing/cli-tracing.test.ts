import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cli, TASKS } from '../cli/cli-kit.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { idOf, parentOf, startTraces } from './tracing-kit.ts'

test('commands of a program that has an SDK are traced, from the one that enqueues to the one that runs', async () => {
  const { one } = startTraces()
  const queue = ['-q', `sqlite:${join(await temporaryFolder(), 'tasks.db')}`]
  const { out } = await cli(['enqueue', 'square', '{"n":3}', '-t', TASKS, '--json', ...queue])
  const { id } = JSON.parse(out) as { id: string }
  expect(await cli(['run', id, '-t', TASKS, ...queue])).toMatchObject({ code: 0, out: '9\n' })
  const enqueue = one('enqueue square')
  expect(enqueue.attributes['messaging.message.id']).toBe(id)
  expect(parentOf(one('run square'))).toBe(idOf(enqueue))
})
