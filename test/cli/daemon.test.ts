import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freshUrl, testQueue } from '../durable/queue-kit.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { gone, isAlive } from '../support/processes.ts'
import { answerOf, begin, cli, NO_TASKS, program, startDaemon, TASKS } from './cli-kit.ts'

const check = (url: string) => cli(['daemon', 'check', '-q', url])

describe('a daemon', () => {
  test('is started once, runs what is stored, and is stopped for sure', { timeout: 60_000 }, async () => {
    const url = await freshUrl()
    const { pid, log } = await startDaemon(url)
    expect(isAlive(pid)).toBe(true)
    expect(await check(url)).toMatchObject({ code: 0, out: 'Daemon default: runs.\n' })
    expect(await answerOf(['daemon', 'status', '-q', url])).toMatchObject([
      { name: 'default', pid, mark: 'alive', state: 'working' },
    ])

    expect(
      await program(['enqueue', 'square', '{"n":7}', '-w', '-t', TASKS], { STATEWARD_QUEUE: url }),
    ).toEqual({
      code: 0,
      out: '49\n',
      err: '',
    })
    expect(await cli(['enqueue', 'failing', '-w', '-q', url])).toMatchObject({
      code: 1,
      err: expect.stringContaining('because: TypeError: no such thing'),
    })

    expect(await cli(['daemon', 'start', '-q', url, '-t', TASKS])).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^stateward: Daemon "default" runs already: pid \d+ .* \(ERR_DAEMON_RUNNING\)\n$/,
      ),
    })
    expect(await cli(['daemon', 'stop', '-q', url, '-m', 'enough'])).toEqual({
      code: 0,
      out: `Daemon default, pid ${pid}, has stopped.\n`,
      err: '',
    })
    expect(isAlive(pid)).toBe(false)
    expect(await check(url)).toMatchObject({ code: 1, out: 'Daemon default: does not run.\n' })
    expect(await cli(['daemon', 'stop', '-q', url])).toMatchObject({
      code: 0,
      out: 'No daemon default was running.\n',
    })
    expect(readFileSync(log, 'utf8')).toContain(
      'Daemon default was told to stop: enough\nDaemon default has stopped.\n',
    )
  })

  test('that was killed leaves a mark, which check tells and takes away', { timeout: 60_000 }, async () => {
    const url = await freshUrl()
    const { pid } = await startDaemon(url)
    process.kill(pid, 'SIGKILL')
    await gone(pid)
    expect(await check(url)).toMatchObject({
      code: 2,
      out: expect.stringContaining('its mark has been taken away'),
    })
    expect(await check(url)).toMatchObject({ code: 1 })
  })

  test('is started after a kill, beside one of another name, and restarted', {
    timeout: 60_000,
  }, async () => {
    const url = await freshUrl()
    const killed = await startDaemon(url)
    process.kill(killed.pid, 'SIGKILL')
    await gone(killed.pid)
    const first = await startDaemon(url)
    const other = await startDaemon(url, '--name', 'other')
    const { code, out } = await program(['daemon', 'restart', '-q', url, '-t', TASKS, '--json'])
    expect(code).toBe(0)
    const { pid, stopped } = JSON.parse(out) as { pid: number; stopped: object[] }
    onTestFinished(async () => {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL')
      await gone(pid)
    })
    expect(stopped).toMatchObject([{ pid: first.pid, killed: false }])
    expect([first.pid, other.pid, pid].map(isAlive)).toEqual([false, true, true])
    for (const name of ['default', 'other'])
      expect(await cli(['daemon', 'stop', '--name', name, '-q', url])).toMatchObject({ code: 0 })
    expect([other.pid, pid].map(isAlive)).toEqual([false, false])
  })

  test('that does not answer is killed only if that is asked for', { timeout: 60_000 }, async () => {
    const url = await freshUrl()
    const { pid } = await startDaemon(url)
    process.kill(pid, 'SIGSTOP')
    const stop = ['daemon', 'stop', '-q', url, '--timeout', '100ms']
    expect(await cli(stop)).toMatchObject({
      code: 5,
      err: expect.stringContaining('(ERR_DAEMON_NOT_STOPPED)'),
    })
    expect(isAlive(pid)).toBe(true)
    expect(await cli([...stop, '--kill'])).toMatchObject({
      code: 0,
      out: `Daemon default, pid ${pid}, did not stop in time and was killed.\n`,
    })
    expect(isAlive(pid)).toBe(false)
    expect((await check(url)).code).toBe(1)
  })

  test('that does not answer is killed by a restart that may, which tells of it', {
    timeout: 60_000,
  }, async () => {
    const url = await freshUrl()
    const { pid } = await startDaemon(url)
    process.kill(pid, 'SIGSTOP')
    const restart = ['daemon', 'restart', '-q', url, '-t', TASKS, '--timeout', '6s', '--kill']
    const { code, out } = await program(restart)
    const [, next = ''] = /works, pid (\d+)/.exec(out) ?? []
    onTestFinished(async () => {
      if (isAlive(Number(next))) process.kill(Number(next), 'SIGKILL')
      await gone(Number(next))
    })
    expect(code).toBe(0)
    expect(out).toMatch(
      new RegExp(
        `^Daemon default, pid ${pid}, did not stop in time and was killed.\nDaemon default works, pid`,
      ),
    )
    expect(isAlive(pid)).toBe(false)
    expect(await cli(['daemon', 'stop', '-q', url])).toMatchObject({ code: 0 })
  })

  test('that cannot start says why, and leaves no process and no mark', { timeout: 60_000 }, async () => {
    const url = await freshUrl()
    const log = join(await temporaryFolder(), 'daemon.log')
    const start = ['daemon', 'start', '-q', url, '--log', log]
    for (const [file, why] of [
      [NO_TASKS, `--tasks ${NO_TASKS} exports no task. `],
      ['/no/such/tasks.ts', '--tasks /no/such/tasks.ts cannot be loaded: '],
    ] as const) {
      const said = await cli([...start, '-t', file])
      expect(said).toMatchObject({ code: 2, out: '' })
      expect(said.err).toMatch(/^stateward: .* \(ERR_OPTION_INVALID\)\n$/s)
      expect(said.err).toContain(`stateward: ${why}`)
      expect(existsSync(log)).toBe(false)
    }
    // No mistake of the command line.
    const broken = await cli([...start, '-t', TASKS, '--timeout', '0'])
    expect(broken).toMatchObject({ code: 1, err: expect.stringContaining('(ERR_DAEMON_NOT_STARTED)') })
    expect(await cli(start)).toMatchObject({ code: 2, err: expect.stringContaining('--tasks') })
    expect(await cli([...start, '-t', TASKS, '-f', '--log', 'x'])).toMatchObject({ code: 2 })
    // Nor a queue: there was nothing to store.
    expect((await check(url)).code).toBe(4)
  })

  test('whoever starts one at the same time as somebody else is told of the other one', {
    timeout: 60_000,
  }, async () => {
    const url = await freshUrl()
    onTestFinished(async () => void (await cli(['daemon', 'stop', '-q', url])))
    const start = () => program(['daemon', 'start', '-q', url, '-t', TASKS])
    const both = await Promise.all([start(), start()])
    expect(both.map(({ code }) => code).sort()).toEqual([0, 1])
    const refused = both.find(({ code }) => code === 1)
    expect(refused?.err).toMatch(/Daemon "default" runs already: pid \d+ .*\(ERR_DAEMON_RUNNING\)\n$/)
    expect(refused?.err).not.toContain('It said')
  })
})

describe('in the foreground', () => {
  const ENTRY = join(import.meta.dirname, '../../src/runtime/cli/cli-entry.ts')

  test('it ends in order on a signal, and hands back what ran', { timeout: 60_000 }, async () => {
    const url = await freshUrl()
    const queue = await testQueue({ url })
    const args = ['daemon', 'start', '--foreground', '-q', url, '-t', TASKS, '--timeout', '100ms']
    const child = spawn(process.execPath, [ENTRY, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    const { id } = (await answerOf(['enqueue', 'endless', '-q', url])) as { id: string }
    await expect.poll(async () => (await queue.get(id))?.state, { timeout: 20_000 }).toBe('running')
    const exited = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    expect(out).toMatch(/^Daemon default works, pid \d+\.\nDaemon default has stopped\.\n$/)
    expect(await queue.get(id)).toMatchObject({ state: 'queued', attempt: 0 })
    expect((await queue.status()).daemons).toEqual([])
  })

  test('it ends when it is told through the queue', { timeout: 60_000 }, async () => {
    const url = await freshUrl()
    const run = begin(['daemon', 'start', '-f', '-q', url, '-t', TASKS])
    await run.out.shows('works')
    const queue = await testQueue({ url })
    expect(await queue.shutdown('enough')).toBe(1)
    expect(await run.code).toBe(0)
    expect(run.out.lines.slice(1)).toEqual([
      'Daemon default was told to stop: enough',
      'Daemon default has stopped.',
    ])
  })

  test.each([
    ['in-line', '--pool-size', 1],
    ['in-child', '--processes', 1],
    ['in-line', '--pool-size', 2],
  ] as const)(
    'tasks %s run as many at a time as %s %i says',
    { timeout: 60_000 },
    async (name, option, size) => {
      const url = await freshUrl()
      const queue = await testQueue({ url })
      const ids: string[] = []
      for (let at = 0; at < 6; at += 1) {
        const { id } = (await answerOf(['enqueue', name, '-q', url])) as { id: string }
        ids.push(id)
      }
      const run = begin(['daemon', 'start', '-f', '-q', url, '-t', TASKS, option, String(size)])
      const spans = (await Promise.all(ids.map((id) => queue.wait(id)))) as { from: number; to: number }[]
      run.interrupt()
      expect(await run.code).toBe(0)
      const most = spans.map(
        ({ from }) => spans.filter((other) => other.from <= from && from < other.to).length,
      )
      expect(Math.max(...most)).toBe(size)
    },
  )

  test('of two that are started at once under one name the later one stops again', {
    timeout: 60_000,
  }, async () => {
    const url = await freshUrl()
    const args = ['daemon', 'start', '-f', '-q', url, '-t', TASKS]
    const both = [begin(args), begin(args)] as const
    const refused = await Promise.race(both.map(async (run) => ({ run, code: await run.code })))
    expect(refused.code).toBe(1)
    expect(refused.run.err.text).toContain('(ERR_DAEMON_RUNNING)')
    const other = both.find((run) => run !== refused.run) as (typeof both)[0]
    expect((await check(url)).code).toBe(0)
    other.interrupt()
    expect(await other.code).toBe(0)
    const forced = begin([...args, '--force'])
    await forced.out.shows('works')
    const second = begin([...args, '--force'])
    await second.out.shows('works')
    for (const run of [forced, second]) run.interrupt()
    expect(await Promise.all([forced.code, second.code])).toEqual([0, 0])
  })
})
