/** `stateward unschedule`: takes schedules away. */
import type { Command } from 'commander'
import { unknownSchedule } from '../cli-refusals.ts'
import { type Cli, forEachId, onQueue, queueCommand } from '../command-kit.ts'

export function unscheduleCommand(cli: Cli): Command {
  return queueCommand('unschedule', 'take schedules away; a run that is live goes on')
    .argument('<name...>', 'names of the schedules')
    .action(
      onQueue<object, [readonly string[]]>(cli, (session, names) =>
        forEachId(
          session,
          names,
          async (name) => {
            if (!(await session.queue.unschedule(name))) throw unknownSchedule(name)
          },
          (name) => `${name} is taken away`,
        ),
      ),
    )
}
