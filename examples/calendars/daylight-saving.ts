import { preview } from '../../src/index.ts'

const show = (dates: readonly Date[]): void =>
  console.log(dates.map((date) => date.toISOString().slice(5, 16)).join(' '))
const timezone = 'Europe/Berlin'

// In spring 02:30 does not exist: it happens at 03:00, the end of the gap. In autumn it exists twice: the first time.
const named = { cron: '30 2 * * *', timezone, count: 2 }
show(preview({ ...named, after: new Date('2026-03-28T12:00:00Z') })) // → 03-29T01:00 03-30T00:30
show(preview({ ...named, after: new Date('2026-10-24T12:00:00Z') })) // → 10-25T00:30 10-26T01:30

// What runs in every hour goes by elapsed time: nothing is made up, nothing is left out.
const hourly = { cron: '30 * * * *', timezone, count: 3 }
show(preview({ ...hourly, after: new Date('2026-03-29T00:00:00Z') })) // → 03-29T00:30 03-29T01:30 03-29T02:30
show(preview({ ...hourly, after: new Date('2026-10-25T00:00:00Z') })) // → 10-25T00:30 10-25T01:30 10-25T02:30
