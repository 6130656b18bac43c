/** Debug mode: every event and every step, at level debug, switched while it runs. */
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { fromPromise } from 'xstate'
import { createSupervisor, type SupervisorOptions } from '../../src/index.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import { echoTask, heldTask, type LogLine, startedSupervisor, thrownBy, turns } from '../support/harness.ts'

/** A logger that is silent below warnings. */
function quietLogger(): { lines: LogLine[]; logger: NonNullable<SupervisorOptions['logger']> } {
  const lines: LogLine[] = []
  const logger = pino({ level: 'warn', base: null }, { write: (line) => void lines.push(JSON.parse(line)) })
  return { lines, logger }
}

const stepsOf = (lines: LogLine[], machine: string): string[] =>
  lines
    .filter((line) => line.msg === 'step' && line.machine === machine)
    .map(({ event, from, to }) => `${event}: ${from} → ${to}`)

describe('debug mode', () => {
  test('writes every event and every step at level debug, though the level is higher', async () => {
    const { lines, logger } = quietLogger()
    const { supervisor } = await startedSupervisor({ logger, debug: true })
    const run = supervisor.submit(echoTask<string>(), 'x')
    await run.result
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set([20]))
    expect(
      lines.filter(({ runId, msg }) => runId === run.id && msg !== 'step').map(({ msg }) => msg),
    ).toEqual(['task.created', 'task.queued', 'task.admitted', 'task.started', 'task.finished'])
    expect(stepsOf(lines, 'task')).toEqual([
      'task.submit: created → queued',
      'task.admit: queued → running.starting',
      'attempt.started: running.starting → running.executing',
      'attempt.returned: running.executing → finished',
    ])
    expect(lines.find(({ machine }) => machine === 'task')).toMatchObject({ id: run.id, supervisor: 'test' })
    expect(stepsOf(lines, 'supervisor')).toEqual([
      'supervisor.start: idle → starting.preparing',
      'supervisor.prepared: starting.preparing → starting.startingLoops',
      'loops.started: starting.startingLoops → starting.initiating',
      'startup.ended: starting.initiating → starting.bringingUp',
      'children.started: starting.bringingUp → running',
    ])
  })

  test('also of runs that are actors, of children and of their groups', async () => {
    const { lines, logger } = quietLogger()
    const { supervisor } = await startedSupervisor({ logger, debug: true })
    const held = heldTask()
    const run = supervisor.submit(held.task)
    expect(run.actor.getSnapshot().status).toBe('active')
    await turns(1)
    run.cancel()
    await run.result.catch(() => {})
    expect(stepsOf(lines, 'task')).toContain('task.cancel: running.executing → running.stopping.signalled')
    supervisor.spawn(
      fromPromise(() => new Promise(() => {})),
      { id: 'one' },
    )
    expect(stepsOf(lines, 'child').length).toBeGreaterThan(0)
    expect(lines.filter(({ machine }) => machine === 'child').map(({ id }) => id)).toContain('one')
    expect(lines.filter(({ machine }) => machine === 'group').map(({ id }) => id)).toContain('children')
  })

  test('also of workers, of schedulers and of loops', async () => {
    const { lines, logger } = quietLogger()
    const { supervisor } = await startedSupervisor({ logger, debug: true })
    const timed = supervisor.workers.interval({ name: 'timed', intervalMs: 10, times: 1, handler: () => {} })
    await timed.ended
    await supervisor.workers.queue({ name: 'queue', handler: () => {} }).run(1)
    supervisor.register({ loop: () => {} }, { name: 'own' })
    await supervisor.createLoop('io').start()
    await turns(1)
    expect(stepsOf(lines, 'worker').length).toBeGreaterThan(0)
    const ids = (machine: string) =>
      new Set(lines.filter((line) => line.machine === machine).map(({ id }) => id))
    expect(ids('worker')).toEqual(new Set(['timed', 'queue']))
    expect(stepsOf(lines, 'scheduler')).toContain('scheduler.start: idle → running')
    expect(ids('scheduler')).toEqual(new Set(['own']))
    expect(ids('loop')).toEqual(new Set(['io']))
  })

  test('is switched while it runs, and tells nothing when it is off', async () => {
    const { lines, logger } = quietLogger()
    const { supervisor } = await startedSupervisor({ logger })
    const task = echoTask<number>()
    await supervisor.submit(task, 1).result
    expect(lines).toEqual([])
    supervisor.debug(true)
    supervisor.debug(true)
    await supervisor.submit(task, 2).result
    // Once each, though it was switched on twice.
    expect(lines.filter(({ msg }) => msg === 'task.finished')).toHaveLength(1)
    const before = lines.length
    supervisor.debug(false)
    supervisor.debug(false)
    await supervisor.submit(task, 3).result
    supervisor.pause()
    expect(lines).toHaveLength(before)
  })

  test('what the logger writes anyway is written once, at its own level', async () => {
    const lines: LogLine[] = []
    const logger = pino({ level: 'info', base: null }, { write: (line) => void lines.push(JSON.parse(line)) })
    const { supervisor, stop } = await startedSupervisor({ logger, debug: true })
    const { task } = heldTask()
    supervisor.submit(task, undefined, { graceMs: 0 })
    await turns(1)
    await stop()
    const levels = (msg: string): number[] =>
      lines.filter((line) => line.msg === msg).map(({ level }) => level)
    expect(levels('supervisor.started')).toEqual([30])
    expect(levels('task.started')).toEqual([20])
    expect(levels('supervisor.stopped')).toEqual([30])
    // A stop writes one line for all of them; in debug mode each has its own.
    expect(levels('task.terminated')).toEqual([20])
  })

  test('a logger that throws hurts nothing', async () => {
    const throws = (): never => {
      throw new Error('no logger')
    }
    const logger = {
      ...pino({ level: 'silent' }),
      level: 'silent',
      debug: throws,
      info: throws,
      warn: throws,
    }
    const broken = Object.assign(logger, { error: throws, isLevelEnabled: () => true, child: () => broken })
    const { supervisor } = await startedSupervisor({ logger: broken as never, debug: true })
    expect(await supervisor.submit(echoTask<number>(), 1).result).toBe(1)
  })

  test('takes true or false', () => {
    const clock = new ManualClock()
    expect(thrownBy(() => createSupervisor({ clock, debug: 1 as never }))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
    const supervisor = createSupervisor({ clock })
    expect(thrownBy(() => supervisor.debug('on' as never))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })
})
