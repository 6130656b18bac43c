/** What became of the tasks of one kind of fault. */
import { overlaps, readJournal } from '../../test/fixtures/durable/journal.ts'
import type { FaultRun } from './fault-runs.ts'
import type { Scene, Told } from './faults.ts'
import { recoveryOf } from './recovery.ts'

/** How much later than its lease a task may be taken back, where a daemon is there. */
const SLACK_MS = 1_000

export type Judged = Pick<
  FaultRun,
  'promised' | 'attempts' | 'takenBack' | 'latestMs' | 'latestChanceMs' | 'inGaps' | 'lost' | 'twice'
>

export async function judge(scene: Scene, { childIds }: Told): Promise<Judged> {
  const { queue, fleet, leaseMs, gaps, problems, journal } = scene
  const { promised, lives } = fleet
  let [lost, takenBack, inGaps, latestMs, latestChanceMs] = [0, 0, 0, 0, 0]
  for (const id of promised) {
    const task = await queue.get(id)
    if (task?.state !== 'finished') {
      // What still waits or runs is stuck.
      if (task === undefined || task.endedAt !== undefined) lost += 1
      problems.push(`task ${id} is ${task?.state ?? 'lost'} (${task?.reason})`)
    }
    for (const { act, at, detail } of await queue.log(id)) {
      if (act !== 'leaseLost') continue
      if (gaps.some(({ from, to }) => at >= from && at <= to + 2 * leaseMs)) {
        inGaps += 1
        continue
      }
      takenBack += 1
      const recovery = recoveryOf({ holder: detail ?? '', at }, lives, { leaseMs, slackMs: SLACK_MS })
      if (recovery === undefined) {
        problems.push(`task ${id} was taken from ${detail}, which was alive`)
        continue
      }
      latestMs = Math.max(latestMs, recovery.fromDeathMs)
      latestChanceMs = Math.max(latestChanceMs, recovery.fromChanceMs)
      if (recovery.fromChanceMs > SLACK_MS) {
        const there = lives.filter(({ from, to }) => from <= at && to >= at - recovery.fromDeathMs)
        problems.push(
          `task ${id} was taken back ${recovery.fromChanceMs} ms after it could be, at ${at}; there: ${JSON.stringify(there)}`,
        )
      }
    }
  }
  const spans = readJournal(journal)
  const pairs = overlaps(childIds === undefined ? spans : spans.filter(({ id }) => childIds.has(id)))
  for (const [a, b] of pairs)
    problems.push(`task ${a.id} ran twice at once: pid ${a.pid} until ${a.to}, pid ${b.pid} from ${b.from}`)
  return {
    promised: promised.size,
    attempts: spans.length,
    takenBack,
    latestMs,
    latestChanceMs,
    inGaps,
    lost,
    twice: pairs.length,
  }
}
