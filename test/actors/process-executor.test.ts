import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ProcessExecutor, type ProcessExecutorOptions } from '../../src/actors/process-executor.ts'
import { errorOf, resultOf, run } from '../fixtures/executors/harness.ts'
import { once } from '../support/once.ts'

interface Where {
  readonly pid: number
}

function open(options: Partial<ProcessExecutorOptions> = {}): ProcessExecutor {
  const executor = new ProcessExecutor({
    min: 0,
    max: 2,
    idleTimeoutMs: 60_000,
    logLevel: 'info',
    ...options,
  })
  onTestFinished(() => executor.close())
  return executor
}

function startParent(what: 'endless' | 'idle') {
  const file = fileURLToPath(new URL('../fixtures/executors/parent.ts', import.meta.url))
  const parent = spawn(process.execPath, [file, 'process', what], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = once<string>(createInterface({ input: parent.stdout }), 'line')
  return { parent, line, closed: once(parent, 'close') }
}

describe('stop ladder', () => {
  it('SIGTERM ends a handler that does not listen for it', async () => {
    const heard = run(open(), 'endless')
    await heard.progressed
    heard.handle.terminate()
    heard.handle.terminate()
    expect(await heard.settled).toMatchObject({
      type: 'crashed',
      error: { code: 'ERR_PROCESS_EXITED', signal: 'SIGTERM', exitCode: null },
    })
  })

  it('a handler may answer SIGTERM with its value; its process is not used again', async () => {
    const executor = open({ max: 1 })
    const heard = run(executor, 'tidy')
    const { note } = await heard.progressed
    heard.handle.terminate()
    expect(await heard.settled).toEqual({ type: 'returned', value: 'tidied up' })
    expect((await resultOf(executor, 'where')) as Where).not.toHaveProperty('pid', Number(note))
  })

  it('SIGKILL ends a handler that ignores SIGTERM', async () => {
    const heard = run(open(), 'stubborn')
    const ignored = Promise.withResolvers<void>()
    await heard.progressed
    heard.handle.terminate()
    // The handler reports the SIGTERM that it ignores.
    const poll = () => (heard.events.includes('progress:50:SIGTERM') ? ignored.resolve() : setImmediate(poll))
    poll()
    await ignored.promise
    heard.handle.kill()
    expect(await heard.settled).toMatchObject({ type: 'crashed', error: { signal: 'SIGKILL' } })
  })

  it('terminate and kill while the job waits for its process take it back', async () => {
    const executor = open()
    const heard = [run(executor, 'add'), run(executor, 'add')]
    heard[0]?.handle.terminate()
    heard[1]?.handle.kill()
    for (const it of heard) expect(await it.settled).toMatchObject({ type: 'crashed' })
  })
})

describe('lease', () => {
  it('its watchdog ends the process with it, whatever the handler does, and says that it was that', async () => {
    const heard = run(open(), 'endless')
    await heard.progressed
    heard.handle.lease?.({ ms: 100, noticeMs: 10 })
    const cause = { code: 'ERR_TASK_TERMINATED', reason: 'awol' }
    const error = { code: 'ERR_PROCESS_EXITED', signal: 'SIGKILL', cause }
    expect(await heard.settled).toMatchObject({ type: 'crashed', error })
  })

  it('ends at its instant for a process that was kept from running, unless it was put off meanwhile', async () => {
    const executor = open()
    const [kept, over] = [run(executor, 'tidy'), run(executor, 'tidy')]
    const pids = await Promise.all(
      [kept, over].map(async ({ progressed }) => Number((await progressed).note)),
    )
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    const lease = { ms: 100, noticeMs: 10 }
    for (const { handle } of [kept, over]) handle.lease?.(lease)
    kept.handle.lease?.({ ms: 60_000, noticeMs: 10 })
    // A third one tells that theirs is over.
    await run(open(), 'endless', undefined, { lease }).settled
    for (const pid of pids) process.kill(pid, 'SIGCONT')
    expect(await over.settled).toMatchObject({ type: 'crashed', error: { cause: { reason: 'awol' } } })
    kept.handle.terminate()
    expect(await kept.settled).toEqual({ type: 'returned', value: 'tidied up' })
  })
})

describe('deaths', () => {
  it('a process out of memory is a crash', async () => {
    const executor = open({ execArgv: ['--max-old-space-size=24'] })
    expect(await errorOf(executor, 'crashed', 'eatsMemory')).toMatchObject({ code: 'ERR_PROCESS_EXITED' })
  })

  it('an exit code is told', async () => {
    const error = await errorOf(open(), 'crashed', 'exits', 7)
    expect(error).toMatchObject({ code: 'ERR_PROCESS_EXITED', exitCode: 7, signal: null })
    expect(error.pid).toBeTypeOf('number')
  })

  it('a process that cuts its link is ended', async () => {
    expect(await errorOf(open(), 'crashed', 'disconnects')).toBeInstanceOf(Error)
  })

  it('one that is killed from outside is a crash', async () => {
    const heard = run(open(), 'endless')
    const { note } = await heard.progressed
    process.kill(Number(note), 'SIGKILL')
    expect(await heard.settled).toMatchObject({ type: 'crashed', error: { signal: 'SIGKILL' } })
  })

  it('one that cannot start fails its job, and is not tried again by itself', async () => {
    const executor = open({ min: 1, execArgv: ['--import=data:text/javascript,throw new Error("no boot")'] })
    const error = await errorOf(executor, 'crashed', 'add')
    expect(error).toMatchObject({ code: 'ERR_PROCESS_START_FAILED', exitCode: 1 })
    await expect(executor.warm()).rejects.toMatchObject({ code: 'ERR_PROCESS_START_FAILED' })
    expect(executor.live).toBe(0)
  })

  it('one that the operating system refuses to start fails its job', async () => {
    const { execPath } = process
    process.execPath = '/does/not/exist'
    onTestFinished(() => {
      process.execPath = execPath
    })
    const error = await errorOf(open(), 'crashed', 'add')
    expect(error).toMatchObject({ code: 'ERR_PROCESS_START_FAILED', cause: { code: 'ENOENT' } })
  })
})

describe('parent', () => {
  it('a parent killed with SIGKILL takes its children along, even out of an endless loop', async () => {
    const { parent, line, closed } = startParent('endless')
    expect(await line).toMatch(/^running \d+$/)
    parent.kill('SIGKILL')
    // The grandchild has inherited the pipe: it closes when the last of both is gone.
    await closed
    expect(parent.signalCode).toBe('SIGKILL')
  })

  it('idle processes do not keep their parent alive, and go with it', async () => {
    const { parent, line, closed } = startParent('idle')
    expect(await line).toBe('returned with 1 idle')
    await closed
    expect(parent.exitCode).toBe(0)
  })
})

describe('size', () => {
  it('uses a process again', async () => {
    const executor = open()
    const first = (await resultOf(executor, 'where')) as Where
    expect(first.pid).not.toBe(process.pid)
    expect(await resultOf(executor, 'where')).toEqual(first)
    expect([executor.live, executor.idle]).toEqual([1, 1])
  })

  it('retires what is idle for too long, down to min', async () => {
    const executor = open({ min: 1, max: 3, idleTimeoutMs: 1 })
    await Promise.all([run(executor, 'where').settled, run(executor, 'where').settled])
    await expect.poll(() => executor.live).toBe(1)
    expect(await resultOf(executor, 'add', { a: 1, b: 1 })).toBe(2)
  })

  it('shrinks also what is just starting', async () => {
    const executor = open({ min: 3, max: 3 })
    const warm = executor.warm()
    expect(executor.live).toBe(3)
    executor.resize({ min: 1, max: 1 })
    await warm
    await expect.poll(() => executor.live).toBe(1)
  })

  it('warms min, grows and shrinks', async () => {
    const executor = open({ min: 1, max: 2 })
    await executor.warm()
    expect([executor.live, executor.idle]).toEqual([1, 1])
    executor.resize({ min: 3, max: 3 })
    await executor.warm()
    expect([executor.live, executor.idle]).toEqual([3, 3])
    const busy = run(executor, 'waits')
    await busy.started
    executor.resize({ min: 0, max: 1 })
    await expect.poll(() => executor.live).toBe(1)
    busy.handle.signal(new Error('end'))
    expect(await busy.settled).toMatchObject({ type: 'returned' })
    expect(executor.live).toBe(1)
  })

  it('keeps min through a crash', async () => {
    const executor = open({ min: 1, max: 1 })
    await errorOf(executor, 'crashed', 'exits', 1)
    await executor.warm()
    expect(executor.idle).toBe(1)
  })
})
