/** Lines over the last minutes, with their present values as the legend. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Plotted } from '../model/picture.ts'
import { usePage } from './context.ts'
import type { LivePlot } from './live-plot.ts'

export interface PlotLine {
  readonly name: Plotted
  readonly label: string
  /** A custom property of the style sheet. */
  readonly color: string
  readonly dashed?: boolean
}

export interface PlotProps {
  readonly title: string
  readonly unit: string
  readonly lines: readonly PlotLine[]
  format(value: number): string
}

export function Plot({ title, unit, lines, format }: PlotProps) {
  const { session } = usePage()
  session.numbers.value
  const box = useRef<HTMLDivElement>(null)
  const { series } = session.picture
  const drawable = usePlot(box, lines, format)
  return (
    <section class="panel plot" aria-label={title}>
      <h2>
        {title} <span class="muted">{unit}</span>
      </h2>
      <div class="canvas" ref={box} aria-hidden="true" />
      {drawable ? null : <p class="muted">This browser cannot draw it.</p>}
      <ul class="legend">
        {lines.map(({ name, label, color, dashed }) => {
          const value = series.of(name).at(-1)
          return (
            <li key={name}>
              <span
                class="line"
                data-dashed={dashed === true}
                style={{ borderColor: `var(${color})` }}
                aria-hidden="true"
              />
              {label}
              <span class="number">{value == null ? '—' : format(value)}</span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

/** @returns whether it can be drawn */
function usePlot(
  box: { readonly current: HTMLDivElement | null },
  lines: readonly PlotLine[],
  format: (value: number) => string,
): boolean {
  const { session } = usePage()
  const [drawable, setDrawable] = useState(true)
  useEffect(() => {
    let plot: LivePlot | undefined
    let wanted = true
    // The rest of the page needs no plots.
    import('./live-plot.ts').then(
      ({ LivePlot }) => {
        const element = box.current
        if (wanted && element !== null) plot = new LivePlot({ session, element, lines, format })
      },
      () => wanted && setDrawable(false),
    )
    return () => {
      wanted = false
      plot?.end()
    }
  }, [box, lines, format, session])
  return drawable
}
