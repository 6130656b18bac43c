/** A supervisor whose time, chance and work are the test's. */
import { expect, test } from 'vitest'
import { defineTask } from '../../src/index.ts'
import { createTestSupervisor } from '../../src/runtime/testing/index.ts'

let ran = 0
const send = defineTask<{ readonly to: string }, string>({ name: 'send', module: 'test:send' }, ({ to }) => {
  ran += 1
  return `sent to ${to}`
})
const INPUT = { to: 'a@example.org' }
const ONE_SLOT = { pool: { size: 1, reserveNormal: 0, reserveHigh: 0 } }

test('calls no handler: the test says what becomes of each attempt', async () => {
  await using made = createTestSupervisor(ONE_SLOT)
  const { supervisor, clock } = made
  await supervisor.start()
  const run = supervisor.submit(send, INPUT, {
    retry: { attempts: 2, backoff: { kind: 'fixed', initialMs: 500, jitter: 'none' } },
  })
  await made.turn()
  const first = made.attemptOf(run)
  expect([first.name, first.attempt, first.input, run.state]).toEqual(['send', 1, INPUT, 'running'])
  first.progress(40, 'connected')
  expect(run.progressed).toMatchObject({ percent: 40, note: 'connected' })
  first.throw(new Error('no route'))
  expect([run.state, made.attempts, first.ended]).toEqual(['retrying', [], true])
  await clock.advance(500)
  made.attemptOf(run).return('told')
  expect(await run.result).toBe('told')
  expect([ran, run.attempt, run.runMs]).toEqual([0, 2, 0])
})

test.each(['main', 'async', 'thread', 'process'] as const)('holds %s attempts alike', async (execution) => {
  await using made = createTestSupervisor()
  await made.supervisor.start()
  const runs = ['skip', 'snooze', 'next', 'crash', 'stop'].map((what) => ({
    what,
    run: made.supervisor.submit(send, { to: what }, { execution }),
  }))
  for (const { what, run } of runs) {
    await made.turn()
    const held = made.attemptOf(run)
    if (what === 'skip') held.skip('nothing to do')
    else if (what === 'snooze') held.snooze(50)
    else if (what === 'next') held.next(send.call({ to: 'b' }))
    else if (what === 'crash') held.crash()
    else run.cancel('enough')
  }
  const states = () => runs.map(({ run }) => run.state)
  await made.turn()
  expect(states()).toEqual(['finished', 'snoozed', 'running', 'failed', 'cancelled'])
  expect(runs[2] && made.attemptOf(runs[2].run).input).toEqual({ to: 'b' })
  expect(runs[3]?.run.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'crashed' } })
})

test('a deaf attempt is told to stop and goes on, up the stop ladder', async () => {
  await using made = createTestSupervisor({ deaf: true, defaults: { graceMs: 100 } })
  await made.supervisor.start()
  const [here, there] = (['async', 'thread'] as const).map((execution) =>
    made.supervisor.submit(send, INPUT, { execution }),
  )
  await made.turn()
  if (here === undefined || there === undefined) throw new Error('two runs')
  const held = made.attemptOf(here)
  here.cancel('enough')
  there.cancel('enough')
  expect([held.ended, (held.signalled as Error).message]).toEqual([false, expect.stringMatching(/cancelled/)])
  await made.clock.advance(100)
  expect([here.state, here.step, there.state, there.step]).toEqual([
    'cancelled',
    'abandon',
    'cancelled',
    'kill',
  ])
  expect(made.supervisor.info().abandoned).toBe(1)
  held.return('late')
  expect(made.supervisor.info().abandoned).toBe(0)
})

test('runs handlers when it holds nothing, and says so when asked for an attempt', async () => {
  await using made = createTestSupervisor({ hold: false })
  await made.supervisor.start()
  const before = ran
  const run = made.supervisor.submit(send, INPUT)
  expect(await run.result).toBe('sent to a@example.org')
  expect(ran).toBe(before + 1)
  expect(() => made.attemptOf(run)).toThrow(/is held: it is finished. Nothing is with hold: false/)
  expect(() => made.attemptOf('nobody')).toThrow(/unknown here/)
})

test('a stop takes what time it needs, and is told once', async () => {
  const made = createTestSupervisor({ deaf: true, defaults: { graceMs: 60_000 } })
  await made.supervisor.start()
  const run = made.supervisor.submit(send, INPUT)
  await made.turn()
  const how = { cancelTasks: true, wait: true }
  const [first, second] = await Promise.all([made.stop(how), made.stop()])
  expect(first).toBe(second)
  expect([run.state, made.supervisor.state, made.clock.monotonic()]).toEqual([
    'terminated',
    'stopped',
    60_000,
  ])
  expect(made.recorder.seen('supervisor.stopped')).toBeDefined()
})

test('an attempt of a supervisor that holds keeps its lines', async () => {
  await using made = createTestSupervisor()
  await made.supervisor.start()
  const run = made.supervisor.submit(send, INPUT)
  await made.turn()
  made.attemptOf(run).throw(new Error('no route'))
  await made.turn()
  expect(made.lines.some(({ level, msg }) => level >= 40 && msg === 'task.failed')).toBe(true)
})

test('refuses what createSupervisor refuses', () => {
  expect(() => createTestSupervisor({ pool: { size: -1 } })).toThrow(/pool\.size/)
})
