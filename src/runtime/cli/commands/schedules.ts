/** `stateward schedules`: what comes again and again, and when next. */
import type { Command } from 'commander'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { toScheduleTable } from '../schedule-lines.ts'

export function schedulesCommand(cli: Cli): Command {
  return queueCommand('schedules', 'list schedules, and when they come next').action(
    onQueue<object, []>(cli, async ({ queue, answer }) => {
      const schedules = await queue.schedules()
      answer(schedules, () => toScheduleTable(schedules))
      return EXIT.ok
    }),
  )
}
