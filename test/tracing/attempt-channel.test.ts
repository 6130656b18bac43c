/** The tracing channel of attempts, and that every event is on the channel of its name. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSupervisor } from '../../src/index.ts'
import { heardChannels } from '../fixtures/tracing/channel-tasks.ts'
import { errorOf, startedSupervisor, taskOf } from '../support/harness.ts'

/** What the tracing channel says, in order: which of its channels, and the message as it was then. */
function listen(): [string, object][] {
  const heard: [string, object][] = []
  const tell = (name: string) => (message: object) => void heard.push([name, { ...message }])
  const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
  const subscribers = Object.fromEntries(names.map((name) => [name, tell(name)]))
  const channel = tracingChannel('stateward:attempt')
  channel.subscribe(subscribers as never)
  onTestFinished(() => void channel.unsubscribe(subscribers as never))
  return heard
}

describe('the tracing channel of attempts', () => {
  test('tells of a handler that begins, and of what it came to', async () => {
    const { supervisor } = await startedSupervisor()
    const heard = listen()
    const task = taskOf<number, number>(async (n) => n * 2, { name: 'double' })
    const run = supervisor.submit(task, 4)
    expect(await run.result).toBe(8)
    const message = { supervisor: 'test', runId: run.id, name: 'double', attempt: 1 }
    expect(heard).toEqual([
      ['start', message],
      ['end', message],
      ['asyncStart', { ...message, result: 8 }],
      ['asyncEnd', { ...message, result: 8 }],
    ])
    const page = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8')
    const [, fields = ''] = /^\| `tracing:stateward:attempt:start`[^|]*\| (.*) \|$/m.exec(page) ?? []
    const documented = [...fields.matchAll(/`(\w+)`/g)].map(([, field]) => field)
    expect(documented).toEqual([...Object.keys(message), 'asyncStart', 'result', 'error'])
  })

  test('tells of what it threw; a handler that is not asynchronous ends as before', async () => {
    const { supervisor } = await startedSupervisor()
    const heard = listen()
    const error = new Error('glass')
    const task = taskOf<string, string>((word) => {
      if (word === 'break') throw error
      return word
    })
    expect(await supervisor.submit(task, 'hold').result).toBe('hold')
    expect((await errorOf(supervisor.submit(task, 'break').result)).cause).toBe(error)
    expect(heard.filter(([name]) => name === 'error')).toMatchObject([['error', { error }]])
    const skipped = supervisor.submit(taskOf<void>((_, ctx) => ctx.skip('nothing')))
    await skipped.result
    expect(skipped.skipped).toBe(true)
  })

  test('binds a store to the handler', async () => {
    const { supervisor } = await startedSupervisor()
    listen()
    const store = new AsyncLocalStorage<string>()
    const { start } = tracingChannel('stateward:attempt')
    start.bindStore(store, (message) => (message as { name: string }).name)
    onTestFinished(() => void start.unbindStore(store))
    const task = taskOf<void, string | undefined>(
      async () => {
        await Promise.resolve()
        return store.getStore()
      },
      { name: 'bound' },
    )
    expect(await supervisor.submit(task).result).toBe('bound')
    expect(store.getStore()).toBeUndefined()
  })

  test.each(['thread', 'process'] as const)('is that of the %s that the handler is in', async (execution) => {
    await using supervisor = createSupervisor({ id: 'far' })
    await supervisor.start()
    const heard = listen()
    const submit = (runId: string) => supervisor.submit(heardChannels, undefined, { execution, runId }).result
    expect(await submit('a')).toEqual([])
    expect(await submit('b')).toEqual([
      ['start', 'far', 'heardChannels', 1],
      ['end', 'far', 'heardChannels', 1],
    ])
    expect(heard).toEqual([])
  })
})
