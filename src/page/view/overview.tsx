/** What is always worth a look: how full the pools are, how many tasks are in which state, and the last minutes. */
import { count, duration, rate } from '../model/format.ts'
import { Badge } from './badge.tsx'
import { usePage } from './context.ts'
import { Elsewhere } from './elsewhere.tsx'
import { Plot, type PlotLine } from './plot.tsx'
import { PoolView } from './pool.tsx'

const THROUGHPUT: readonly PlotLine[] = [
  { name: 'created', label: 'created', color: '--line-a', dashed: true },
  { name: 'finished', label: 'finished', color: '--line-b' },
  { name: 'failed', label: 'failed or ended', color: '--line-c' },
]
const WAITS: readonly PlotLine[] = [
  { name: 'queueP95', label: 'queued p95', color: '--line-d' },
  { name: 'queueP50', label: 'queued p50', color: '--line-d', dashed: true },
  { name: 'runP95', label: 'run p95', color: '--line-a' },
  { name: 'runP50', label: 'run p50', color: '--line-a', dashed: true },
]

export function Overview() {
  const { session } = usePage()
  session.numbers.value
  const { pools, counts, stored, isQueueAlone } = session.picture
  return (
    <div class="overview">
      {pools.map((pool) => (
        <PoolView key={pool.id} pool={pool} />
      ))}
      {counts === null ? null : <Counts title="Runs" counts={counts} />}
      {stored === null ? null : <Counts title="Tasks in the queue" counts={stored} />}
      {isQueueAlone ? (
        <Elsewhere />
      ) : (
        <>
          <Plot title="Throughput" unit="tasks per second" lines={THROUGHPUT} format={rate} />
          <Plot title="Times" unit="median and 95th percentile" lines={WAITS} format={duration} />
        </>
      )}
    </div>
  )
}

function Counts({ title, counts }: { title: string; counts: Readonly<Record<string, number>> }) {
  const shown = Object.entries(counts).filter(([, value]) => value > 0)
  return (
    <section class="panel counts">
      <h2>{title}</h2>
      {shown.length === 0 ? <p class="muted">None yet.</p> : null}
      <ul>
        {shown.map(([state, value]) => (
          <li key={state}>
            <Badge state={state} />
            <span class="number">{count(value)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
