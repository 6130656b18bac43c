import { preview } from '../../src/index.ts'

const after = new Date('2026-11-26T12:00:00Z')
const show = (dates: readonly Date[]): void => console.log(dates.map((date) => date.toISOString()).join(' '))

// Mondays to Fridays at nine in Berlin.
show(preview({ cron: '0 9 * * MON-FRI', timezone: 'Europe/Berlin', after, count: 2 }))
// → 2026-11-27T08:00:00.000Z 2026-11-30T08:00:00.000Z

// The second Friday and the last day of a month, by seconds: every 20 s of a minute.
show(preview({ cron: '0 0 * * FRI#2', timezone: 'UTC', after, count: 1 }))
// → 2026-12-11T00:00:00.000Z
show(preview({ cron: '0 0 L * *', timezone: 'UTC', after, count: 1 }))
// → 2026-11-30T00:00:00.000Z
show(preview({ cron: '*/20 * * * * *', timezone: 'UTC', after, count: 2 }))
// → 2026-11-26T12:00:20.000Z 2026-11-26T12:00:40.000Z

try {
  preview({ cron: '0 25 * * *' })
} catch (error) {
  console.log((error as { code: string }).code, /the (.*) field/.exec((error as Error).message)?.[1])
  // → ERR_SCHEDULE_INVALID hour
}
