import { describe, expect, test } from 'vitest'
import { createSupervisor, defineTask } from '../../src/index.ts'
import {
  echoTask,
  errorOf,
  freshName,
  startedSupervisor,
  testSupervisor,
  thrownBy,
} from '../support/harness.ts'

type Case = [where: string, options: unknown, text: RegExp, code?: string]
const UNKNOWN = 'ERR_OPTION_UNKNOWN'
const no = null as unknown

const RUN_OPTIONS: Case[] = [
  ['priority', { priority: 'hihg' }, /Did you mean "high"\?/],
  ['priority', { priority: 3 }, /one of 'critical', 'high', 'normal', 'low'/],
  ['execution', { execution: 'threads' }, /Did you mean "thread"\?/],
  ['queueWarningMs', { queueWarningMs: -1 }, /from 0 on/],
  ['queueCriticalMs', { queueCriticalMs: Number.NaN }, /Infinity means never/],
  ['queueTimeoutMs', { queueTimeoutMs: '5' }, /"5" \(string\)/],
  ['runTimeoutMs', { runTimeoutMs: no }, /got null/],
  ['deadlineMs', { deadlineMs: -0.1 }, /-0\.1/],
  ['graceMs', { graceMs: {} }, /an object/],
  ['ageAfterMs', { ageAfterMs: Number.NaN }, /NaN/],
  ['retry', { retry: 3 }, /an object of options/],
  ['retry.attempts', { retry: { attempts: 0 } }, /from 1 on/],
  ['retry.attempts', { retry: { attempts: 1.5 } }, /whole number/],
  ['retry', { retry: { attempt: 2 } }, /Did you mean "attempts"\?/, UNKNOWN],
  ['retry.backoff.kind', { retry: { backoff: { kind: 'exp' } } }, /'fixed', 'linear', 'exponential'/],
  ['retry.backoff.initialMs', { retry: { backoff: { initialMs: Infinity } } }, /finite/],
  ['retry.backoff.factor', { retry: { backoff: { factor: 0 } } }, /from 1 to 1000/],
  ['retry.backoff.jitter', { retry: { backoff: { jitter: 2 } } }, /from 0 to 1/],
  ['retry.retryIf', { retry: { retryIf: true } }, /a function/],
  ['multilaunch', { multilaunch: 'no' }, /true or false/],
  ['onConflict', { onConflict: 'wait' }, /'queue', 'skip', 'reject', 'replace'/],
]

const check = (
  error: Error & Record<string, unknown>,
  [where, , text, code = 'ERR_OPTION_INVALID']: Case,
): void => {
  expect(error).toMatchObject({ name: 'OptionError', code })
  expect(error.message).toMatch(text)
  if (code !== UNKNOWN) expect(error.message).toContain(where)
}

describe('createSupervisor refuses', () => {
  test.each<Case>([
    ['createSupervisor()', no, /an object of options/],
    ['createSupervisor()', [], /an array/],
    ['id', { id: '' }, /not empty/],
    ['pool', { pools: {} }, /Did you mean "pool"\?/, UNKNOWN],
    ['pool', { zzz: 1 }, /Known are id, pool/, UNKNOWN],
    ['pool.size', { pool: { size: -1 } }, /from 0 on/],
    ['pool.size', { pool: { size: Number.NaN } }, /NaN/],
    ['pool.size', { pool: { size: 1.5 } }, /whole/],
    ['pool.size', { pool: { size: Infinity } }, /whole/],
    ['pool.reserveNormal', { pool: { reserveNormal: '1' } }, /string/],
    ['pool.reserveHigh', { pool: { reserveHigh: -2 } }, /-2/],
    ['pool.minThreads', { pool: { minThreads: 'min' } }, /'max'/],
    ['pool.minThreads', { pool: { size: 2, minThreads: 9, maxThreads: 3 } }, /at most maxThreads \(3\)/],
    ['pool.maxThreads', { pool: { maxThreads: 0 } }, /from 1 on/],
    ['pool.maxOverflowThreads', { pool: { maxOverflowThreads: -1 } }, /from 0 on/],
    ['pool.idleTimeoutMs', { pool: { idleTimeoutMs: -1 } }, /from 0 on/],
    ['pool', { pool: { reserveNorml: 1 } }, /Did you mean "reserveNormal"\?/, UNKNOWN],
    ['processes.size', { processes: { size: -1 } }, /from 0 on/],
    [
      'processes.minProcesses',
      { processes: { size: 1, reserveNormal: 0, reserveHigh: 0, minProcesses: 2 } },
      /at most/,
    ],
    ['processes.execArgv', { processes: { execArgv: 'x' } }, /array of strings/],
    ['defaults.runId', { defaults: { runId: 'x' } }, /a function/],
    ['defaults', { defaults: { priorty: 'low' } }, /Did you mean "priority"\?/, UNKNOWN],
    ['keep', { keep: -1 }, /from 0 on/],
    ['taskLog.keep', { taskLog: { keep: 1.5 } }, /whole/],
    ['taskLog.store', { taskLog: { store: { load() {} } } }, /load\(\), append\(\)/],
    ['logger', { logger: console }, /a pino logger/],
    ['hooks', { hooks: { 'task.finished': 1 } }, /a function/],
    ['hooks', { hooks: no }, /object/],
    ['hooks', { hooks: { 'task.finishd': () => {} } }, /Did you mean "task\.finished"\?/, UNKNOWN],
    ['inspect', { inspect: 'me' }, /an observer or a function/],
    ['daemon', { daemon: 1 }, /true or false/],
    ['starvedAfterMs', { starvedAfterMs: -1 }, /from/],
    ['starvedAfterMs', { starvedAfterMs: 0 }, /from/],
    ['executors.thread', { executors: { thread: {} } }, /Piscina/],
    ['executors.process', { executors: { process: {} } }, /an Executor/],
    ['logic.task', { logic: { task: {} } }, /an XState machine/],
    ['clock', { clock: { now: Date.now } }, /a clock/],
    ['random', { random: 4 }, /a function/],
  ])('%s: %j', (...one) => {
    check(
      thrownBy(() => createSupervisor(one[1] as never)),
      one,
    )
  })

  test.each(RUN_OPTIONS)('defaults.%s: %j', (...one) => {
    check(
      thrownBy(() => createSupervisor({ defaults: one[1] as never })),
      one,
    )
  })
})

describe('defineTask refuses', () => {
  const handler = (): number => 1

  test.each<Case>([
    ['defineTask()', undefined, /an object of options/],
    ['defineTask().name', {}, /not empty/],
    ['defineTask().name', { name: '' }, /not empty/],
    ['defineTask().module', { name: 'x', module: 5 }, /not empty/],
    ['group', { name: 'x', group: 'g' }, /an object of options/],
    ['group.prefix', { name: 'x', group: { prefix: 1 } }, /string/],
    ['schema', { name: 'x', schema: {} }, /a Standard Schema/],
    ['runId', { name: 'x', runId: 'id' }, /a function/],
    ['description', { name: 'x', description: 5 }, /a string or a function/],
    ['metadata', { name: 'x', metadata: {} }, /a function/],
    ['teardown', { name: 'x', teardown: 1 }, /a function/],
    ['disabled', { name: 'x', disabled: 'yes' }, /true or false/],
    ['pritority', { name: 'x', pritority: 'low' }, /Did you mean "priority"\?/, UNKNOWN],
  ])('%s: %j', (...one) => {
    check(
      thrownBy(() => defineTask(one[1] as never, handler)),
      one,
    )
  })

  test.each(RUN_OPTIONS)('%s: %j', (...one) => {
    check(
      thrownBy(() => defineTask({ name: 'x', ...(one[1] as object) }, handler)),
      one,
    )
  })

  test.each([[undefined], [{}], ['handler']])('%j as handler', (value) => {
    expect(thrownBy(() => defineTask({ name: 'x' }, value as never)).message).toMatch(
      /the handler, a function/,
    )
  })

  test.each(['thread', 'process'] as const)(
    'a %s task without module, and says how to mend it',
    (execution) => {
      const error = thrownBy(() => defineTask({ name: 'x', execution }, handler))
      expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_TASK_MODULE_MISSING', taskName: 'x' })
      expect(error.message).toContain('module: import.meta.url')
      const group = { prefix: 'g.', execution }
      expect(thrownBy(() => defineTask({ name: 'x', group }, handler)).code).toBe('ERR_TASK_MODULE_MISSING')
    },
  )
})

describe('submit refuses', () => {
  test.each<Case>([
    ...RUN_OPTIONS,
    ['options', no, /an object of options/],
    ['options.runId', { runId: '' }, /not empty/],
    ['options.runId', { runId: () => 'x' }, /function/],
    ['options.delayMs', { delayMs: -1 }, /finite/],
    ['options.delayMs', { delayMs: Infinity }, /finite/],
    ['options.runAt', { runAt: Number.NaN }, /an instant/],
    ['options.runAt', { runAt: new Date('never') }, /an instant/],
    ['options.runAt', { runAt: '2026-01-01' }, /an instant/],
    ['options.expiresAt', { expiresAt: Infinity }, /an instant/],
    ['options.signal', { signal: {} }, /an AbortSignal/],
    ['options.detached', { detached: 1 }, /true or false/],
    ['options', { dealyMs: 5 }, /Did you mean "delayMs"\?/, UNKNOWN],
    ['options', { name: 'x' }, /has no option "name"/, UNKNOWN],
  ])('%s: %j, and nothing has changed', async (...one) => {
    const { supervisor, recorder, clock } = await startedSupervisor()
    const task = echoTask()
    const before = recorder.events.length
    check(
      thrownBy(() => supervisor.submit(task, undefined, one[1] as never)),
      one,
    )
    check(
      thrownBy(() => supervisor.submit(task.call(undefined, one[1] as never))),
      one,
    )
    expect([supervisor.list(), recorder.events.length, clock.pending]).toEqual([[], before, 0])
    expect(supervisor.submit(task).state).toBe('running')
  })

  test.each([[undefined], [null], [{}], ['name'], [() => 1], [{ definition: {} }]])('%j as task', (task) => {
    const { supervisor } = testSupervisor()
    expect(thrownBy(() => supervisor.submit(task as never))).toMatchObject({
      name: 'OptionError',
      code: 'ERR_OPTION_INVALID',
    })
  })

  test('a thread for a definition without module, asked for by the submission or by the defaults', () => {
    const { supervisor } = testSupervisor({ defaults: { execution: 'process' } })
    const task = echoTask()
    expect(thrownBy(() => supervisor.submit(task)).code).toBe('ERR_TASK_MODULE_MISSING')
    expect(thrownBy(() => supervisor.submit(task, undefined, { execution: 'thread' })).code).toBe(
      'ERR_TASK_MODULE_MISSING',
    )
    expect(supervisor.submit(task, undefined, { execution: 'async' }).state).toBe('queued')
  })

  const schemaOf = (validate: (value: unknown) => unknown) =>
    ({ '~standard': { version: 1, vendor: 'test', validate } }) as never

  test('an input that the schema refuses, with its issues; what a schema changes reaches the handler', async () => {
    const { supervisor } = await startedSupervisor()
    const task = echoTask<number>({
      schema: schemaOf((value) =>
        typeof value === 'number'
          ? { value: value * 2 }
          : { issues: [{ message: 'no number', path: ['a', { key: 'b' }] }, { message: 'really' }] },
      ),
    })
    const error = thrownBy(() => supervisor.submit(task, 'x' as never))
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_INPUT_INVALID', taskName: task.name })
    expect(error.message).toContain('a.b: no number; really')
    await expect(supervisor.submit(task, 2).result).resolves.toBe(4)
  })

  test('an input on which the schema throws', () => {
    const { supervisor } = testSupervisor()
    const boom = (): never => {
      throw new Error('broken schema')
    }
    const error = thrownBy(() => supervisor.submit(echoTask({ schema: schemaOf(boom) })))
    expect(error).toMatchObject({ code: 'ERR_INPUT_INVALID', cause: new Error('broken schema') })
  })

  test('nothing yet on an asynchronous schema, whose refusal then fails the run', async () => {
    const { supervisor } = await startedSupervisor()
    const issues = async (): Promise<unknown> => ({ issues: [{ message: 'later' }] })
    const run = supervisor.submit(echoTask({ schema: schemaOf(issues) }))
    expect(await errorOf(run.result)).toMatchObject({ kind: 'invalidInput' })
    const rejects = supervisor.submit(echoTask({ schema: schemaOf(() => Promise.reject(new Error('down'))) }))
    expect(await errorOf(rejects.result)).toMatchObject({ kind: 'invalidInput', cause: new Error('down') })
  })
})

describe('a running supervisor refuses', () => {
  test.each<Case>([
    ['resize()', undefined, /an object of options/],
    ['pool.size', { pool: { size: -1 } }, /from 0 on/],
    ['pool.size', { pool: { size: Number.NaN }, processes: { size: 1 } }, /NaN/],
    ['processes.size', { pool: { size: 7 }, processes: { size: '1' } }, /string/],
    ['pool.minThreads', { pool: { size: 7, minThreads: 50 } }, /at most maxThreads/],
    ['processes.minProcesses', { pool: { size: 7 }, processes: { minProcesses: 500 } }, /at most/],
    ['pool', { pool: { sise: 7 } }, /Did you mean "size"\?/, UNKNOWN],
    ['pool', { pool: { idleTimeoutMs: 7 } }, /has no option/, UNKNOWN],
    ['size', { size: 7 }, /has no option "size"/, UNKNOWN],
  ])('resize %s: %j, and keeps every size', async (...one) => {
    const { supervisor, recorder } = await startedSupervisor({ pool: { size: 2 } })
    const before = [supervisor.info(), recorder.events.length]
    check(
      thrownBy(() => supervisor.resize(one[1] as never)),
      one,
    )
    expect([supervisor.info(), recorder.events.length]).toEqual(before)
  })

  test.each<Case>([
    ['stop()', no, /an object of options/],
    ['wait', { wait: -1 }, /true, false or a number/],
    ['wait', { wait: Number.NaN }, /true, false or a number/],
    ['wait', { wait: '5' }, /true, false or a number/],
    ['graceMs', { graceMs: -1 }, /from 0 on/],
    ['cancelTasks', { cancelTasks: 'all' }, /true, false or 'queued'/],
    ['stop()', { wiat: 5 }, /Did you mean "wait"\?/, UNKNOWN],
  ])('stop %s: %j, and runs on', async (...one) => {
    const { supervisor } = await startedSupervisor()
    check(await errorOf(supervisor.stop(one[1] as never)), one)
    expect(supervisor.state).toBe('running')
  })

  test.each<Case>([
    ['list', { state: 'runing' }, /Did you mean "running"\?/],
    ['list', { name: '' }, /not empty/],
    ['list', { names: 'x' }, /Did you mean "name"\?/, UNKNOWN],
    ['list', no, /an object of options/],
  ])('%s(%j)', (...one) => {
    const { supervisor } = testSupervisor()
    check(
      thrownBy(() => supervisor.list(one[1] as never)),
      one,
    )
  })

  test.each<Case>([
    ['records()', { action: 'succes' }, /Did you mean "success"\?/],
    ['records()', { limit: -1 }, /from 0 on/],
    ['records()', { since: 'yesterday' }, /an instant/],
    ['records()', { nmae: 'x' }, /Did you mean "name"\?/, UNKNOWN],
  ])('%s: %j', (...one) => {
    const { supervisor } = testSupervisor()
    check(
      thrownBy(() => supervisor.records(one[1] as never)),
      one,
    )
  })

  test('events with an unknown option, or none at all', () => {
    const { supervisor } = testSupervisor()
    expect(thrownBy(() => supervisor.events({ bufer: 5 } as never))).toMatchObject({ code: UNKNOWN })
    expect(thrownBy(() => supervisor.events(null as never))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })

  test('on with an unknown event or without a listener', () => {
    const { supervisor } = testSupervisor()
    const error = thrownBy(() => supervisor.on('task.finishd' as never, () => {}))
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_OPTION_INVALID' })
    expect(error.message).toContain('Did you mean "task.finished"?')
    expect(thrownBy(() => supervisor.on('task.finished', undefined as never)).message).toContain('a function')
  })

  test('two supervisors that share nothing but the process are no problem', async () => {
    const [one, two] = [await startedSupervisor({ id: 'one' }), await startedSupervisor({ id: 'two' })]
    const name = freshName()
    const results = [one, two].map(
      ({ supervisor }, i) => supervisor.submit(defineTask({ name }, () => i)).result,
    )
    expect(await Promise.all(results)).toEqual([0, 1])
  })
})
