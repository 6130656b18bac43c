import { createSupervisor } from '../../src/index.ts'

await using supervisor = createSupervisor()
await supervisor.start()
const show = (instants: number[]): void =>
  console.log(instants.map((at) => new Date(at).toISOString().slice(0, 16)).join(' '))

const nightly = supervisor.workers.cron({
  name: 'nightly',
  cron: '30 2 * * *',
  timezone: 'Europe/Berlin',
  jitterMs: 60_000,
  startAt: new Date('2035-01-01T00:00:00Z'),
  handler: () => console.log('once a night'),
})
show(nightly.preview(2)) // → 2035-01-01T01:30 2035-01-02T01:30
nightly.reschedule({ cron: '0 4 * * MON' })
show(nightly.preview(2)) // → 2035-01-01T03:00 2035-01-08T03:00

const series = supervisor.workers.rrule({
  name: 'series',
  rrule: 'DTSTART:20350601T120000Z\nRRULE:FREQ=MONTHLY;COUNT=3',
  handler: () => console.log('three times in all'),
})
show(series.preview(9)) // → 2035-06-01T12:00 2035-07-01T12:00 2035-08-01T12:00

try {
  nightly.reschedule({ cron: '0 25 * * *' })
} catch (error) {
  console.log((error as { code: string }).code) // → ERR_SCHEDULE_INVALID
}
