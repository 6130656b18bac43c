/** `defineCommand` with real processes. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  CommandError,
  type CommandOptions,
  type CommandResult,
  defineCommand,
  defineTask,
  type TaskDefinition,
} from '../../src/index.ts'
import { homeless, submits } from '../fixtures/commands/tasks.ts'
import { deferred, errorOf, freshName, startedSupervisor, thrownBy, turns } from '../support/harness.ts'
import { gone, isAlive } from '../support/processes.ts'

const NODE = process.execPath

type Given<Input> = Omit<CommandOptions<Input>, 'name'>

function commandOf<Input = void>(options: Given<Input>): TaskDefinition<Input, CommandResult> {
  return defineCommand<Input>({ name: freshName(), ...options } as CommandOptions<Input>)
}

/** A shell text that writes a line when it is ready; resolves then. */
function readyCommand(text: string, options: Partial<Given<void>> = {}) {
  const ready = deferred<string>()
  const task = commandOf({ command: text, onLine: (line) => ready.resolve(line), ...options })
  return { task, ready: ready.promise }
}

async function causeOf(promise: Promise<unknown>): Promise<CommandError> {
  const error = await errorOf(promise)
  expect(error).toMatchObject({ code: 'ERR_TASK_THREW', kind: 'threw' })
  return error.cause as CommandError
}

describe('what a command gives', () => {
  test('an array runs without a shell, and its output is the value', async () => {
    const { supervisor } = await startedSupervisor()
    const task = commandOf({
      command: [NODE, '-e', 'console.log(process.argv[1]); console.error("e")', '$HOME *'],
    })
    const run = supervisor.submit(task)
    expect(await run.result).toEqual({
      exitCode: 0,
      signal: null,
      stdout: '$HOME *\n',
      stderr: 'e\n',
      truncated: false,
      durationMs: expect.any(Number),
    })
    expect(run.state).toBe('finished')
  })

  test('text runs in a shell; another shell may be named', async () => {
    const { supervisor } = await startedSupervisor()
    const text = commandOf({ command: 'printf %s "$0-$((1 + 1))" | tr 2 3' })
    expect((await supervisor.submit(text).result).stdout).toMatch(/sh-3$/)
    const bash = commandOf({ command: 'printf %s "$BASH"', shell: '/bin/bash' })
    expect((await supervisor.submit(bash).result).stdout).toMatch(/bash$/)
  })

  test('command, arguments, cwd, env and stdin may come from the input', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'command-')))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const { supervisor } = await startedSupervisor()
    const script = `
      let text = ''
      process.stdin.on('data', (part) => { text += part }).on('end', () => {
        console.log(JSON.stringify([process.cwd(), process.env.WHO, process.env.GONE, text, process.argv.slice(1)]))
      })`
    process.env.GONE = 'inherited'
    onTestFinished(() => void delete process.env.GONE)
    const task = commandOf({
      command: ({ flag }: { flag: string; folder: string }) => [NODE, '-e', script, flag],
      args: ({ flag }) => [flag.toUpperCase()],
      cwd: (input) => input.folder,
      env: ({ flag }) => ({ WHO: flag, GONE: undefined }),
      stdin: ({ flag }) => `input of ${flag}`,
    })
    const { stdout } = await supervisor.submit(task, { flag: 'a', folder }).result
    expect(JSON.parse(stdout)).toEqual([folder, 'a', null, 'input of a', ['a', 'A']])
  })

  test('an input it does not read fails nothing, and without one its stdin is closed', async () => {
    const { supervisor } = await startedSupervisor()
    const deaf = commandOf({ command: 'exit 0', stdin: 'x'.repeat(1_000_000) })
    expect(await supervisor.submit(deaf).result).toMatchObject({ exitCode: 0 })
    expect((await supervisor.submit(commandOf({ command: 'cat' })).result).stdout).toBe('')
  })

  test.each([
    ['long', ['--name', "it's", '--n', '3', '--all', '--tag', 'a', '--tag', 'b']],
    ['short', ['-name', "it's", '-n', '3', '-all', '-tag', 'a', '-tag', 'b']],
  ] as const)('fields of the input become arguments: %s', async (args, expected) => {
    const { supervisor } = await startedSupervisor()
    const input = { name: "it's", n: 3, all: true, none: false, nil: null, un: undefined, tag: ['a', 'b'] }
    const script = 'console.log(JSON.stringify(process.argv.slice(1)))'
    const list = commandOf<typeof input>({ command: [NODE, '-e', script, '--'], args })
    expect(JSON.parse((await supervisor.submit(list, input).result).stdout)).toEqual(expected)
    const text = commandOf<typeof input>({ command: `"${NODE}" -e '${script}' --`, args })
    expect(JSON.parse((await supervisor.submit(text, input).result).stdout)).toEqual(expected)
  })

  test('output is bounded per stream and keeps its end', async () => {
    const { supervisor } = await startedSupervisor()
    const task = commandOf({
      command: [NODE, '-e', 'process.stdout.write("ä".repeat(500_000) + "end"); process.stderr.write("ok")'],
      maxOutputBytes: 1_000,
    })
    const { stdout, stderr, truncated } = await supervisor.submit(task).result
    expect({ stderr, truncated, end: stdout.slice(-4) }).toEqual({
      stderr: 'ok',
      truncated: true,
      end: 'äend',
    })
    expect(Buffer.byteLength(stdout)).toBeLessThanOrEqual(1_000)
    expect(stdout).not.toContain('\ufffd')
  })

  test('lines are told while it runs, with the progress of the run', async () => {
    const { supervisor, of, lines } = await startedSupervisor()
    const heard: string[] = []
    const task = commandOf({
      command: 'echo 10; echo oops >&2; echo 70; printf 100',
      onLine(line, stream, progress) {
        heard.push(`${stream}: ${line}`)
        if (stream === 'stdout') progress(Number(line), 'working')
        else throw new Error('not mine')
      },
    })
    await supervisor.submit(task).result
    expect(heard.filter((line) => line.startsWith('stdout'))).toEqual([
      'stdout: 10',
      'stdout: 70',
      'stdout: 100',
    ])
    expect(heard).toContain('stderr: oops')
    expect(of('task.progress').map(({ percent }) => percent)).toEqual([10, 70, 100])
    expect(lines.filter(({ msg }) => msg === 'onLine threw: not mine')).toHaveLength(1)
  })

  test('a command may be a child and a next step, and takes options like any task', async () => {
    const { supervisor } = await startedSupervisor()
    const echo = commandOf<{ text: string }>({ command: ['echo'], args: ({ text }) => [text] })
    const parent = defineTask({ name: freshName() }, async (_: undefined, ctx) => {
      const { stdout } = await ctx.submit(echo, { text: 'child' }).result
      return ctx.next(echo.call({ text: `${stdout.trim()} and next` }))
    })
    const run = supervisor.submit(parent, undefined, { priority: 'high' })
    expect(await run.result).toMatchObject({ stdout: 'child and next\n' })
  })
})

describe('how a command fails', () => {
  test('another exit code than 0 fails the run, with code and stderr', async () => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submit(commandOf({ command: 'echo first >&2; echo "no such thing" >&2; exit 3' }))
    const error = await causeOf(run.result)
    expect(error).toBeInstanceOf(CommandError)
    expect(error).toMatchObject({
      code: 'ERR_COMMAND_FAILED',
      exitCode: 3,
      signal: null,
      stderr: 'first\nno such thing\n',
      command: expect.stringContaining('exit 3'),
      message: expect.stringMatching(/ended with exit code 3: no such thing$/),
    })
    expect(run.state).toBe('failed')
  })

  test('a signal that nobody here sent fails it', async () => {
    const { supervisor } = await startedSupervisor()
    const error = await causeOf(supervisor.submit(commandOf({ command: 'kill -s SEGV $$' })).result)
    expect(error).toMatchObject({ code: 'ERR_COMMAND_FAILED', exitCode: null, signal: 'SIGSEGV' })
  })

  test.each([
    ['a missing file', { command: ['/no/such/file', 'x'] as [string, string] }, /ENOENT/],
    ['a file that is none', { command: [tmpdir()] as [string] }, /EACCES/],
    ['a missing folder', { command: ['echo'] as [string], cwd: '/no/such/folder' }, /in \/no\/such\/folder/],
    ['an argument with a zero byte', { command: ['echo', 'a\0b'] as [string, string] }, /null bytes/],
  ])('%s does not start', async (_, options, message) => {
    const { supervisor, story } = await startedSupervisor()
    const run = supervisor.submit(commandOf(options))
    const error = await causeOf(run.result)
    expect(error).toMatchObject({ code: 'ERR_COMMAND_NOT_STARTED', message: expect.stringMatching(message) })
    expect(story(run)).not.toContain('started')
  })

  test('a missing program in a shell is the exit code of the shell', async () => {
    const { supervisor } = await startedSupervisor()
    const error = await causeOf(supervisor.submit(commandOf({ command: 'no-such-program-at-all' })).result)
    expect(error).toMatchObject({ exitCode: 127, code: 'ERR_COMMAND_FAILED' })
  })

  test('what a function of the definition throws, or makes wrongly, fails the run', async () => {
    const { supervisor } = await startedSupervisor()
    const thrower = commandOf({
      command: () => {
        throw new Error('no command today')
      },
    })
    expect(await causeOf(supervisor.submit(thrower).result)).toMatchObject({ message: 'no command today' })
    const wrong = commandOf({ command: (() => ['echo', 1]) as never })
    expect(await causeOf(supervisor.submit(wrong).result)).toMatchObject({ code: 'ERR_OPTION_INVALID' })
    const args = commandOf<unknown>({ command: ['echo'], args: 'long' })
    expect(await causeOf(supervisor.submit(args, 'text').result)).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
    expect(await causeOf(supervisor.submit(args, { a: {} }).result)).toMatchObject({
      message: expect.stringContaining('Expected a of the input of'),
    })
  })

  test('is tried again as `retry` says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'command-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const { supervisor, clock } = await startedSupervisor()
    const seen: unknown[] = []
    const task = commandOf({
      command: 'test -e done || { touch done; exit 75; }; echo second',
      cwd: folder,
      retry: {
        attempts: 3,
        backoff: { kind: 'fixed', initialMs: 10, jitter: 'none' },
        retryIf: (error) => {
          seen.push((error as CommandError).exitCode)
          return (error as CommandError).exitCode === 75
        },
      },
    })
    const run = supervisor.submit(task)
    const retrying = new Promise((resolve) => supervisor.on('task.retrying', resolve))
    await retrying
    await clock.advance(10)
    expect(await run.result).toMatchObject({ stdout: 'second\n' })
    expect(seen).toEqual([75])
  })

  test('a schema refuses the input at submission, or when it is about to run', async () => {
    const { supervisor } = await startedSupervisor()
    const task = commandOf({ command: (n: number) => ['echo', String(n)], schema: v.number() as never })
    expect(thrownBy(() => supervisor.submit(task, 'x' as never))).toMatchObject({ code: 'ERR_INPUT_INVALID' })
    expect((await supervisor.submit(task, 4).result).stdout).toBe('4\n')
    const later = v.pipeAsync(
      v.number(),
      v.checkAsync(async (n) => n > 1, 'too small'),
    )
    const checked = commandOf({ command: (n: number) => ['echo', String(n)], schema: later as never })
    expect(await errorOf(supervisor.submit(checked, 1).result)).toMatchObject({
      code: 'ERR_TASK_INPUT_INVALID',
    })
    expect((await supervisor.submit(checked, 2).result).stdout).toBe('2\n')
  })
})

describe('how a command is stopped', () => {
  test('the signal ends one that hears it', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, ready } = readyCommand('echo ready; exec sleep 600')
    const run = supervisor.submit(task)
    await ready
    run.cancel('enough')
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', step: 'signal' })
  })

  test('it may clean up within its grace', async () => {
    const { supervisor } = await startedSupervisor()
    const heard: string[] = []
    const { task, ready } = readyCommand(
      "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.01; done",
    )
    const run = supervisor.submit({
      ...task.call(),
      definition: task,
    })
    supervisor.on('task.cancelled', ({ step }) => heard.push(step))
    await ready
    run.cancel()
    await errorOf(run.result)
    expect(heard).toEqual(['signal'])
  })

  test('signal, grace, SIGTERM, SIGKILL: one that hears nothing is killed with all it started', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, ready } = readyCommand(
      `trap '' TERM; (trap '' TERM; while :; do sleep 600; done) & echo $$ $!; while :; do sleep 600; done`,
      { graceMs: 1_000 },
    )
    const run = supervisor.submit(task)
    const pids = (await ready).split(' ').map(Number)
    run.cancel()
    const steps = [run.actor.getSnapshot().value]
    await clock.advance(1_000)
    steps.push(run.actor.getSnapshot().value)
    expect(pids.map(isAlive)).toEqual([true, true])
    while (run.state === 'running') await clock.advanceTo(clock.nextDueAt ?? clock.monotonic())
    expect(steps).toEqual([{ running: { stopping: 'signalled' } }, { running: { stopping: 'terminating' } }])
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', step: 'kill' })
    await gone(...pids)
  })

  test('endless output is read, bounded and ended by the run timeout', async () => {
    const { supervisor, clock, story } = await startedSupervisor()
    let told = 0
    const enough = deferred()
    const task = commandOf({
      command: ['yes'],
      runTimeoutMs: 1_000,
      maxOutputBytes: 100,
      onLine: () => {
        told += 1
        if (told === 100_000) enough.resolve()
      },
    })
    const run = supervisor.submit(task)
    await enough.promise
    await clock.advance(1_000)
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_TIMED_OUT', step: 'signal' })
    expect(story(run)).toContain('started')
  })

  test('children of a shell end with it', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, ready } = readyCommand('sleep 600 & echo $!; wait')
    const run = supervisor.submit(task)
    const child = Number(await ready)
    expect(isAlive(child)).toBe(true)
    run.cancel()
    await errorOf(run.result)
    await gone(child)
  })

  test('what a command leaves behind is killed when it ends', async () => {
    const { supervisor } = await startedSupervisor()
    const holding = commandOf({ command: 'sleep 600 & echo $!' })
    const silent = commandOf({ command: 'sleep 600 >/dev/null 2>&1 & echo $!' })
    const pids = await Promise.all(
      [holding, silent].map(async (task) => Number((await supervisor.submit(task).result).stdout)),
    )
    await gone(...pids)
  })

  test('what still writes when the command has ended has a moment for it', async () => {
    const { supervisor } = await startedSupervisor()
    const task = commandOf({ command: '(sleep 0.02; echo late) & echo early' })
    expect((await supervisor.submit(task).result).stdout).toBe('early\nlate\n')
  })

  test('one that is cancelled before it begins never starts', async () => {
    const { supervisor } = await startedSupervisor()
    let asked = 0
    const task = commandOf({
      command: () => {
        asked += 1
        return ['echo']
      },
    })
    const run = supervisor.submit(task)
    run.cancel()
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED' })
    expect(asked).toBe(0)
  })

  test('a stop of the supervisor leaves no process', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const commands = Array.from({ length: 3 }, () =>
      readyCommand(`trap '' TERM; sleep 600 & echo $$ $!; while :; do sleep 600; done`),
    )
    const runs = commands.map(({ task }) => supervisor.submit(task, undefined, { priority: 'critical' }))
    const pids = (await Promise.all(commands.map(({ ready }) => ready))).flatMap((line) =>
      line.split(' ').map(Number),
    )
    await stop({ wait: false, graceMs: 100 })
    expect(runs.map(({ state }) => state)).toEqual(['terminated', 'terminated', 'terminated'])
    await gone(...pids)
  })

  test('a storm of starts, cancels, kills and ends: every waiter is told, nothing is left', async () => {
    const { supervisor, clock, stop } = await startedSupervisor({ processes: { size: 0 } })
    const pids: number[] = []
    const texts = [
      'sleep 600 & echo $$ $!; wait',
      `trap '' TERM; sleep 600 & echo $$ $!; wait; wait`,
      'sleep 600 & echo $$ $!; exit 3',
      'echo $$; kill -s KILL $$',
      'echo $$',
    ]
    const runs = Array.from({ length: 30 }, (_, i) => {
      const run = supervisor.submit(
        commandOf({
          command: texts[i % texts.length] as string,
          graceMs: i % 3 === 0 ? 0 : 50,
          onLine: (line) => {
            pids.push(...line.split(' ').map(Number))
            if (i % 2 === 0) run.cancel()
          },
        }),
      )
      if (i % 7 === 0) run.cancel()
      return run
    })
    const ends = Promise.allSettled(runs.map((run) => run.result))
    await Promise.race([ends, turns(50)])
    await clock.advance(60)
    await stop({ wait: false })
    expect((await ends).map(({ status }) => status)).not.toContain('pending')
    expect(runs.filter((run) => ['running', 'queued'].includes(run.state))).toEqual([])
    expect(supervisor.info().processes.active).toBe(0)
    await gone(...pids)
  })

  test('takes a slot of the processes', async () => {
    const { supervisor } = await startedSupervisor({
      processes: { size: 1, reserveNormal: 0, reserveHigh: 0 },
    })
    const first = readyCommand('echo ready; exec sleep 600')
    const running = supervisor.submit(first.task)
    const waiting = supervisor.submit(commandOf({ command: ['echo', 'second'] }))
    await first.ready
    expect([running.state, waiting.state]).toEqual(['running', 'queued'])
    expect(supervisor.info().processes.active).toBe(1)
    running.cancel()
    expect((await waiting.result).stdout).toBe('second\n')
  })
})

describe('bad options', () => {
  const bad: readonly [string, object, RegExp][] = [
    ['no command', {}, /defineCommand\(\).command/],
    ['empty text', { command: ' ' }, /text that is not empty/],
    ['an empty array', { command: [] }, /a file and its arguments/],
    ['an array with a number', { command: ['a', 1] }, /a file and its arguments/],
    ['an array with a shell', { command: ['a'], shell: true }, /text, as it has a shell/],
    ['no shell for text', { command: 'a', shell: false }, /true or the path of a shell/],
    ['an argument form that is none', { command: 'a', args: 'medium' }, /'long', 'short' or a function/],
    ['a cwd that is no folder', { command: 'a', cwd: 4 }, /a folder/],
    ['env with a number', { command: 'a', env: { A: 1 } }, /an object of strings/],
    ['stdin that is no text', { command: 'a', stdin: 1 }, /a string or a function/],
    ['a negative bound', { command: 'a', maxOutputBytes: -1 }, /maxOutputBytes/],
    ['an execution', { command: 'a', execution: 'thread' }, /no option "execution"/],
    ['a misspelt option', { comand: 'a' }, /Did you mean "command"/],
  ]
  test.each(bad)('%s', (_, options, message) => {
    const error = thrownBy(() => defineCommand({ name: 'x', ...options } as never))
    expect(error.code).toMatch(/^ERR_OPTION_(INVALID|UNKNOWN)$/)
    expect(error.message).toMatch(message)
  })

  test('a handler in a thread submits it by its module, or when the supervisor has met it', async () => {
    const { supervisor } = await startedSupervisor()
    expect(await supervisor.submit(submits, 'found').result).toBe('x')
    expect(await errorOf(supervisor.submit(submits, 'homeless').result)).toMatchObject({
      code: 'ERR_TASK_THREW',
      cause: {
        code: 'ERR_TASK_EXPORT_MISSING',
        message: expect.stringContaining('`module: import.meta.url`'),
      },
    })
    await supervisor.submit(homeless, 'y').result
    expect(await supervisor.submit(submits, 'homeless').result).toBe('x')
  })

  test('knows no option that says where it runs', () => {
    for (const place of [{ loop: 'io' }, { execution: 'thread' }]) {
      const options = { name: freshName(), command: 'true', ...place }
      expect(thrownBy(() => defineCommand(options as never))).toMatchObject({
        code: 'ERR_OPTION_UNKNOWN',
        message: expect.not.stringMatching(/Known are.*loop/),
      })
    }
  })

  test('a submission cannot move it to another execution', async () => {
    const { supervisor } = await startedSupervisor({ defaults: { execution: 'thread' } })
    const task = commandOf({ command: ['echo'] })
    expect(thrownBy(() => supervisor.submit(task, undefined, { execution: 'thread' }))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
      message: expect.stringContaining("'process', as it is for every command"),
    })
    expect(await supervisor.submit(task).result).toMatchObject({ exitCode: 0 })
  })
})
