/** The statechart of an actor, live: how much of it is drawn, and the drawing. */
import { useEffect, useState } from 'preact/hooks'
import type { Chart } from '../../machines/chart.ts'
import type { ActorRow } from '../../runtime/inspector/messages.ts'
import { ChartView } from './chart.tsx'
import { usePage } from './context.ts'
import { isLarge, type LaidOut, layOut } from './elk.ts'

export function ChartPanel({ actor }: { actor: ActorRow }) {
  const { session } = usePage()
  const chart = actor.chart === null ? undefined : session.picture.charts.get(actor.chart)
  if (chart === undefined) return <p class="muted no-chart">It has no statechart.</p>
  return <Drawn actor={actor} chart={chart} />
}

function Drawn({ actor, chart }: { actor: ActorRow; chart: Chart }) {
  const { ui } = usePage()
  const large = isLarge(chart)
  const chosen = ui.detail.value
  const compact = chosen === 'auto' ? large : chosen === 'compact'
  const fits = ui.fit.value === 'auto' ? compact || !large : ui.fit.value
  const laidOut = useLayout(chart, compact)
  return (
    <section class="chart-panel" aria-label={`Statechart ${chart.id}`}>
      <div class="chart-head">
        <h3>Statechart</h3>
        <span class="muted">{chart.id}</span>
        {large ? (
          <fieldset class="switch" aria-label="How much is drawn">
            {(['compact', 'full'] as const).map((one) => (
              <button
                key={one}
                type="button"
                aria-pressed={compact === (one === 'compact')}
                onClick={() => {
                  ui.detail.value = one
                }}
              >
                {one === 'compact' ? 'Top states' : 'All states'}
              </button>
            ))}
          </fieldset>
        ) : null}
        <button
          type="button"
          class="button small"
          aria-pressed={fits}
          title="The whole chart, however small"
          onClick={() => {
            ui.fit.value = !fits
          }}
        >
          Fit
        </button>
      </div>
      {laidOut === undefined ? (
        <div class="chart-box" aria-busy="true">
          <p class="muted blank">Drawing…</p>
        </div>
      ) : (
        <ChartView laidOut={laidOut} fits={fits} state={actor.state} from={actor.from} event={actor.event} />
      )}
    </section>
  )
}

/** `undefined` until it is laid out. */
function useLayout(chart: Chart, compact: boolean): LaidOut | undefined {
  const { session } = usePage()
  const [made, setMade] = useState<{ chart: Chart; compact: boolean; laidOut: LaidOut } | undefined>(
    undefined,
  )
  useEffect(() => {
    let wanted = true
    layOut(JSON.stringify(chart), chart, compact).then(
      (laidOut) => wanted && setMade({ chart, compact, laidOut }),
      (error) => {
        session.notice.value = {
          kind: 'failed',
          text: `The chart cannot be drawn: ${(error as Error).message}`,
        }
      },
    )
    return () => {
      wanted = false
    }
  }, [chart, compact, session])
  return made?.chart === chart && made.compact === compact ? made.laidOut : undefined
}
