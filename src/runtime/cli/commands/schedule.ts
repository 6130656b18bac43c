/** `stateward schedule`: makes a schedule, or changes the one of that name. */
import { Argument, type Command, Option } from 'commander'
import { MISSED } from '../../../machines/missed.ts'
import { PRIORITIES } from '../../../machines/model.ts'
import { SCHEDULE_ORIGINS, SCHEDULE_OVERLAPS } from '../../../machines/schedule-policy.ts'
import type { ScheduleOptions } from '../../durable/schedule.ts'
import { toDurationMs, toInstantMs, toJsonObject, toWholeNumber } from '../cli-values.ts'
import { type Cli, onQueue, queueCommand } from '../command-kit.ts'
import { EXIT } from '../exit-codes.ts'
import { toNextText } from '../schedule-lines.ts'
import { type CalledOptions, definitionOf, inputOf } from '../task-call.ts'

interface ScheduleCliOptions
  extends CalledOptions,
    Pick<
      ScheduleOptions,
      'cron' | 'rrule' | 'timezone' | 'missed' | 'overlap' | 'from' | 'priority' | 'description' | 'metadata'
    > {
  readonly every?: number
  readonly start?: number
  readonly end?: number
  readonly missedAfter?: number
  readonly disabled?: boolean
}

export function scheduleCommand(cli: Cli): Command {
  return queueCommand('schedule', 'store tasks again and again: make a schedule, or change it')
    .argument('<name>', 'name of the schedule')
    .argument('<task>', 'name of the task')
    .addArgument(new Argument('[input]', 'its input as JSON; - reads it from stdin'))
    .option('--cron <expression>', 'when: 5 to 7 fields, or @daily and the like')
    .option('--rrule <rule>', 'when: a recurrence rule of RFC 5545')
    .option('--every <duration>', 'when: so often', toDurationMs)
    .option('--timezone <name>', 'an IANA name; that of this machine if not given')
    .option('--start <when>', 'not before', toInstantMs)
    .option('--end <when>', 'not after', toInstantMs)
    .addOption(new Option('--missed <policy>', 'what is owed for times that nobody saw').choices(MISSED))
    .option('--missed-after <duration>', 'how late one still is on time', toDurationMs)
    .addOption(new Option('--overlap <policy>', 'at a time when a run is live').choices(SCHEDULE_OVERLAPS))
    .addOption(
      new Option('--from <origin>', 'the next time follows the last, or its end').choices(SCHEDULE_ORIGINS),
    )
    .option('--disabled', 'keep it, and do nothing')
    .option('-t, --tasks <file...>', 'modules with the definition, to check name and input before')
    .option('--input-version <n>', 'version of the input, when --tasks does not say it', toWholeNumber)
    .addOption(new Option('--priority <band>', 'band that its tasks wait in').choices(PRIORITIES))
    .option('--description <text>', 'what its tasks do, for people')
    .option('--metadata <json>', 'an object to find its tasks by', toJsonObject)
    .action(
      onQueue<ScheduleCliOptions, [string, string, string | undefined]>(
        cli,
        async ({ queue, io, options, answer }, name, task, text) => {
          const definition = await definitionOf(task, options)
          const input = await inputOf(io, text)
          const schedule = await queue.schedule(name, definition, input, toScheduleOptions(options))
          answer(schedule, () => [`${name}: ${toNextText(schedule)}`])
          return EXIT.ok
        },
        'make',
      ),
    )
}

function toScheduleOptions(options: ScheduleCliOptions): ScheduleOptions {
  const { tasks: _, inputVersion: _v, every, start, end, missedAfter, disabled, ...rest } = options
  const { queue: _q, json: _j, ...own } = rest as typeof rest & { queue?: unknown; json?: unknown }
  const all = {
    ...own,
    everyMs: every,
    startAt: start,
    endAt: end,
    missedAfterMs: missedAfter,
    enabled: disabled === true ? false : undefined,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
