/** `stateward move`: changes when a waiting task may run. */
import type { Command } from 'commander'
import { OptionError } from '../../errors.ts'
import { toDurationMs, toInstantMs } from '../cli-values.ts'
import { type Cli, forEachId, onQueue, queueCommand } from '../command-kit.ts'
import { toTime } from '../task-lines.ts'

interface MoveOptions {
  readonly at?: number
  readonly in?: number
}

export function moveCommand(cli: Cli): Command {
  return queueCommand('move', 'change when waiting tasks may run')
    .argument('<id...>', 'ids of the tasks')
    .option('--at <when>', 'from then on', toInstantMs)
    .option('--in <duration>', 'so long after now', toDurationMs)
    .action(
      onQueue<MoveOptions, [readonly string[]]>(cli, (session, ids) => {
        const runAt = runAtOf(session.options)
        return forEachId(
          session,
          ids,
          (id) => session.queue.move(id, runAt),
          (id) => `${id} may run from ${toTime(runAt)} on`,
        )
      }),
    )
}

function runAtOf({ at, in: delayMs }: MoveOptions): number {
  if (at !== undefined && delayMs === undefined) return at
  if (delayMs !== undefined && at === undefined) return Date.now() + delayMs
  throw new OptionError('Expected move to be given --at or --in, one of them.', {
    code: 'ERR_OPTION_INVALID',
  })
}
