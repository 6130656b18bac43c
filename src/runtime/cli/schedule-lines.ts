/** Schedules as lines of text. Instants are in UTC. */
import type { Schedule } from '../durable/schedule.ts'
import type { ScheduleTimes } from '../durable/schedule-rule.ts'
import { toTime } from './task-lines.ts'
import { toTable } from './text-table.ts'

export function toScheduleTable(schedules: readonly Schedule[]): string[] {
  if (schedules.length === 0) return ['No schedule.']
  const rows = schedules.map((schedule) => [
    schedule.name,
    schedule.state,
    schedule.nextAt === undefined ? '' : toTime(schedule.nextAt),
    schedule.lastEndedAt === undefined ? '' : toTime(schedule.lastEndedAt),
    schedule.task,
    toRuleText(schedule.times),
  ])
  return toTable(['SCHEDULE', 'STATE', 'NEXT', 'LAST END', 'TASK', 'RULE'], rows)
}

/** When it comes next, or why it does not. */
export function toNextText({ state, nextAt }: Schedule): string {
  if (state === 'disabled') return 'disabled'
  if (state === 'ended') return 'ended, it does not come again'
  return nextAt === undefined ? 'next when its run has ended' : `next at ${toTime(nextAt)}`
}

function toRuleText(times: Schedule['times']): string {
  if (times === undefined) return '(cannot be read here)'
  const { cron, rrule, everyMs, timezone } = times as ScheduleTimes
  const rule = cron ?? rrule?.replaceAll('\n', ' ') ?? `every ${everyMs} ms`
  return timezone === undefined ? rule : `${rule} (${timezone})`
}
