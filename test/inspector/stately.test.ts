/** Stately's inspector: its receivers understand our server, and its inspectors watch our supervisors. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createInspector, createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSupervisor, defineTask } from '../../src/index.ts'
import { deferred } from '../support/deferred.ts'

/** Events of a receiver, as they come. */
function received(url: string) {
  const events: StatelyInspectionEvent[] = []
  const looks = new Set<() => void>()
  createWebSocketReceiver({ server: url }).subscribe((event) => {
    events.push(event)
    for (const look of [...looks]) look()
  })
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return
        looks.delete(look)
        resolve()
      }
      looks.add(look)
      look()
    })
  return { events, until }
}

async function startedSupervisor() {
  const supervisor = createSupervisor({ id: 'test' })
  onTestFinished(async () => void (await supervisor.stop({ wait: false })))
  await supervisor.start()
  return supervisor
}

describe("Stately's receivers", () => {
  test('hear of the actors that are there, and of each step from then on', async () => {
    const supervisor = await startedSupervisor()
    const inspector = await supervisor.serveInspector()
    const { events, until } = received(`${inspector.address.replace('http', 'ws')}stately`)
    await until(() => events.some(({ sessionId }) => sessionId === 'processes'))
    expect(events.map(({ type, sessionId }) => `${type} ${sessionId}`)).toEqual([
      '@xstate.actor supervisor',
      '@xstate.actor pool',
      '@xstate.actor processes',
    ])
    expect(events[0]).toMatchObject({ name: 'test', rootId: 'supervisor', snapshot: { value: 'running' } })

    const opened = deferred<string>()
    const run = supervisor.submit(
      defineTask({ name: 'held' }, (_: string) => opened.promise),
      'a secret',
    )
    const id = `task:${run.id}`
    const values = (): unknown[] =>
      events.flatMap((event) =>
        event.type === '@xstate.snapshot' && event.sessionId === id
          ? [(event.snapshot as { value?: unknown }).value]
          : [],
      )
    await until(() => values().length === 3)
    opened.resolve('another secret')
    await until(() => values().length === 4)
    expect(values()).toEqual(['queued', { running: 'starting' }, { running: 'executing' }, 'finished'])
    const [actor, ...rest] = events.filter(({ sessionId }) => sessionId === id)
    expect(actor).toMatchObject({
      type: '@xstate.actor',
      name: 'held',
      parentId: 'pool',
      rootId: 'supervisor',
    })
    expect(JSON.parse((actor as { definition: string }).definition)).toMatchObject({
      id: 'task',
      initial: 'created',
    })
    expect(rest[0]).toMatchObject({ type: '@xstate.event', event: { type: 'task.submit' } })
    expect(rest[2]).toMatchObject({ type: '@xstate.event', sourceId: 'pool', event: { type: 'task.admit' } })
    expect(rest.at(-1)).toMatchObject({
      type: '@xstate.snapshot',
      snapshot: { status: 'done', value: 'finished' },
    })
    expect(JSON.stringify(events)).not.toContain('secret')
  })
})

describe("Stately's inspectors", () => {
  test('see the supervisor and its runs when they are given as `inspect`', async () => {
    const told: StatelyInspectionEvent[] = []
    const ended = deferred<void>()
    const inspector = createInspector({
      send(event) {
        told.push(event)
        const { snapshot } = event as { snapshot?: { value?: unknown } }
        if (event.type === '@xstate.snapshot' && snapshot?.value === 'finished') ended.resolve()
      },
    })
    const supervisor = createSupervisor({ id: 'test', inspect: inspector.inspect })
    onTestFinished(async () => void (await supervisor.stop({ wait: false })))
    await supervisor.start()
    await supervisor.submit(defineTask({ name: 'quick' }, () => 1)).result
    await ended.promise
    const actors = told.filter(({ type }) => type === '@xstate.actor') as {
      name: string
      definition: string
    }[]
    expect(actors.map(({ name }) => name.replace(/^(task:).*/, '$1'))).toEqual(
      expect.arrayContaining(['test', 'tasks', 'task:']),
    )
    expect(actors.every(({ definition }) => typeof JSON.parse(definition) === 'object')).toBe(true)
  })

  test('are sent over its own server, too', { timeout: 60_000 }, async () => {
    const program = join(import.meta.dirname, '../fixtures/inspector/stately-program.ts')
    const { stdout } = await promisify(execFile)(process.execPath, [program])
    const messages = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(messages).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: '@xstate.actor', name: 'followed' }),
        expect.objectContaining({ type: '@xstate.event', event: 'task.admit' }),
        expect.objectContaining({ type: '@xstate.snapshot', value: { running: 'executing' } }),
        expect.objectContaining({ type: '@xstate.snapshot', event: 'attempt.returned', value: 'finished' }),
      ]),
    )
  })
})
