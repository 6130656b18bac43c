/** What every command has: the database it is about, and its answer as text or as JSON. */
import { hostname, userInfo } from 'node:os'
import { Command, Option } from 'commander'
import { openQueue, openQueueToMake } from '../durable/open-queue.ts'
import type { Queue } from '../durable/queue.ts'
import { isStatewardError, OptionError } from '../errors.ts'
import { tellError } from './cli-error.ts'
import type { CliIo } from './cli-io.ts'
import { cliTracing } from './cli-tracing.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts'

/** One run of the command line. */
export interface Cli {
  readonly io: CliIo
  exitCode: ExitCode
}

/** A command at work on an open queue. */
export interface Session<Options = object> {
  readonly io: CliIo
  readonly queue: Queue
  readonly url: string
  readonly json: boolean
  readonly options: Options
  /** The answer: one document with `--json`, else lines. */
  answer(value: unknown, lines: () => readonly string[]): void
}

interface CommonOptions {
  readonly queue?: string
  readonly json?: boolean
}

type Act<Options, Args extends readonly unknown[]> = (
  session: Session<Options>,
  ...args: Args
) => Promise<ExitCode>

/** What a command does when the database is not there yet: with what it stores first, or not at all: a wrong path must not look like an empty queue. */
export type WhenMissing = 'make' | 'refuse'

export function queueCommand(name: string, summary: string): Command {
  return new Command(name)
    .description(summary)
    .addOption(
      new Option('-q, --queue <url>', 'the database, sqlite:./tasks.db for example').env('STATEWARD_QUEUE'),
    )
    .option('--json', 'answer in JSON')
}

/** Opens the queue, acts, closes it: the action of a command. */
export function onQueue<Options, Args extends readonly unknown[]>(
  cli: Cli,
  act: Act<Options, Args>,
  whenMissing: WhenMissing = 'refuse',
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command
    const options = command.opts<Options & CommonOptions>()
    const url = urlOf(options)
    const { io } = cli
    const json = options.json === true
    const migrate = command.name() === 'migrate'
    const where = { url, by: whoActs(), migrate, ...(await cliTracing()) }
    await using queue = await (whenMissing === 'make'
      ? openQueueToMake(where)
      : openQueue({ ...where, create: false }))
    const answer = (value: unknown, lines: () => readonly string[]): void => {
      const text = json ? JSON.stringify(value) : lines().join('\n')
      if (text !== '') io.stdout.write(`${text}\n`)
    }
    const args = command.processedArgs as unknown as Args
    cli.exitCode = await act({ io, queue, url, json, options, answer }, ...args)
  }
}

/** Does the same with each id, also when one cannot be done; the worst exit code is the answer. */
export async function forEachId<Done>(
  { io, json, answer }: Session,
  ids: readonly string[],
  act: (id: string) => Promise<Done>,
  toLine: (id: string, done: Done) => string,
): Promise<ExitCode> {
  const done: { id: string; done: Done }[] = []
  let worst: ExitCode = EXIT.ok
  for (const id of ids) {
    try {
      done.push({ id, done: await act(id) })
    } catch (error) {
      if (!isStatewardError(error)) throw error
      tellError(io, error, json)
      worst = Math.max(worst, exitCodeOf(error)) as ExitCode
    }
  }
  answer(
    done.map(({ id, done: result }) => ({ id, result: result ?? 'done' })),
    () => done.map((one) => toLine(one.id, one.done)),
  )
  return worst
}

function urlOf({ queue }: CommonOptions): string {
  if (queue !== undefined && queue !== '') return queue
  throw new OptionError(
    'Expected to be told which queue is meant, got none. Give --queue sqlite:./tasks.db, or set STATEWARD_QUEUE.',
    { code: 'ERR_OPTION_INVALID' },
  )
}

function whoActs(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    // A user id without a name.
    return `cli@${hostname()}`
  }
}
