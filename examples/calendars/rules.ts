import { preview } from '../../src/index.ts'

const after = new Date('2026-11-26T12:00:00Z')
const show = (dates: readonly Date[]): void => console.log(dates.map((date) => date.toISOString()).join(' '))

// Every minute, 40 seconds past.
show(preview({ rrule: 'FREQ=MINUTELY;BYSECOND=40', timezone: 'UTC', after, count: 2 }))
// → 2026-11-26T12:00:40.000Z 2026-11-26T12:01:40.000Z

// The last working day of each month, but for one.
const payday = `DTSTART;TZID=Europe/Berlin:20260101T090000
RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1
EXDATE;TZID=Europe/Berlin:20261231T090000`
show(preview({ rrule: payday, after, count: 2 }))
// → 2026-11-30T08:00:00.000Z 2027-01-29T08:00:00.000Z

// A rule that ends: fewer occurrences than asked for.
show(preview({ rrule: 'FREQ=HOURLY;COUNT=2', startAt: after, timezone: 'UTC', after: 0 }))
// → 2026-11-26T12:00:00.000Z 2026-11-26T13:00:00.000Z
