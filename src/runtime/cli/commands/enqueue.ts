/** `stateward enqueue`: stores a task, and may wait for it. */
import { Argument, type Command, Option } from 'commander'
import { PRIORITIES, type Priority } from '../../../machines/model.ts'
import type { EnqueueOptions } from '../../durable/enqueue-options.ts'
import { OptionError } from '../../errors.ts'
import { toDurationMs, toInstantMs, toJsonObject, toWholeNumber } from '../cli-values.ts'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { type CalledOptions, definitionOf, inputOf } from '../task-call.ts'

interface EnqueueCliOptions extends CalledOptions {
  readonly priority?: Priority
  readonly at?: number
  readonly in?: number
  readonly expires?: number
  readonly key?: string
  readonly onConflict?: EnqueueOptions['onConflict']
  readonly runId?: string
  readonly description?: string
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly wait?: boolean
  readonly timeout?: number
}

export function enqueueCommand(cli: Cli): Command {
  return queueCommand('enqueue', 'store a task')
    .argument('<name>', 'name of the task')
    .addArgument(new Argument('[input]', 'its input as JSON; - reads it from stdin'))
    .option('-t, --tasks <file...>', 'modules with the definition, to check name and input before')
    .option('--input-version <n>', 'version of the input, when --tasks does not say it', toWholeNumber)
    .addOption(new Option('--priority <band>', 'band that it waits in').choices(PRIORITIES))
    .option('--at <when>', 'run it from then on', toInstantMs)
    .option('--in <duration>', 'run it so long after now', toDurationMs)
    .option('--expires <when>', 'it fails if it has not begun by then', toInstantMs)
    .option('--key <key>', 'at most one live task has it')
    .addOption(
      new Option('--on-conflict <policy>', 'when a live task has the key').choices([
        'keep',
        'reject',
        'replace',
      ]),
    )
    .option('--run-id <id>', 'its id')
    .option('--description <text>', 'what it does, for people')
    .option('--metadata <json>', 'an object to find it by', toJsonObject)
    .option('-w, --wait', 'wait for its result')
    .option('--timeout <duration>', 'wait no longer than that', toDurationMs)
    .action(
      onQueue<EnqueueCliOptions, [string, string | undefined]>(
        cli,
        async ({ queue, io, options, answer }, name, text) => {
          checkWait(options)
          const { wait = false, timeout = Number.POSITIVE_INFINITY } = options
          const definition = await definitionOf(name, options)
          const input = await inputOf(io, text)
          const task = await queue.enqueue(definition, input, toEnqueueOptions(options))
          if (!wait) {
            answer(task, () => [task.existing ? `${task.id} (was there already)` : task.id])
            return EXIT.ok
          }
          const result = await queue.wait(task, { timeoutMs: timeout })
          answer({ ...task, result }, () => [JSON.stringify(result) ?? ''])
          return EXIT.ok
        },
        'make',
      ),
    )
}

/** @throws OptionError before anything is stored */
function checkWait({ wait = false, timeout }: EnqueueCliOptions): void {
  if (wait || timeout === undefined) return
  throw new OptionError(
    'Expected --timeout with --wait: it bounds the wait. What must begin by an instant is given --expires.',
    { code: 'ERR_OPTION_INVALID' },
  )
}

function toEnqueueOptions(options: EnqueueCliOptions): EnqueueOptions {
  const {
    at,
    in: delayMs,
    expires: expiresAt,
    priority,
    key,
    onConflict,
    runId,
    description,
    metadata,
  } = options
  const all = { runAt: at, delayMs, expiresAt, priority, key, onConflict, runId, description, metadata }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
