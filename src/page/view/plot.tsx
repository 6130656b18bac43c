/** Lines over the last minutes (uPlot), with their present values as the legend. */
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import type { Plotted } from '../model/picture.ts'
import { WINDOW_MS } from '../model/series.ts'
import { usePage } from './context.ts'

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

const HEIGHT = 104
/** Of the ticks below, ago. */
const MINUTES = [4, 2, 0]

export function Plot({ title, unit, lines, format }: PlotProps) {
  const { session } = usePage()
  session.numbers.value
  const box = useRef<HTMLDivElement>(null)
  const { series } = session.picture
  usePlot(box, lines, format)
  return (
    <section class="panel plot" aria-label={title}>
      <h2>
        {title} <span class="muted">{unit}</span>
      </h2>
      <div class="canvas" ref={box} aria-hidden="true" />
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

function usePlot(
  box: { readonly current: HTMLDivElement | null },
  lines: readonly PlotLine[],
  format: (value: number) => string,
): void {
  const { session } = usePage()
  const plot = useRef<uPlot | undefined>(undefined)
  useEffect(() => {
    const element = box.current as HTMLDivElement
    const make = (): void => {
      plot.current?.destroy()
      plot.current = new uPlot(optionsOf(element, lines, format), dataOf(), element)
    }
    const dataOf = (): uPlot.AlignedData => {
      const { series } = session.picture
      return [series.times, ...lines.map(({ name }) => series.of(name))] as uPlot.AlignedData
    }
    make()
    const observer = new ResizeObserver(() => {
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT })
    })
    observer.observe(element)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    // A canvas keeps the colours it was drawn with.
    dark.addEventListener('change', make)
    const stop = session.numbers.subscribe(() => plot.current?.setData(dataOf()))
    return () => {
      stop()
      dark.removeEventListener('change', make)
      observer.disconnect()
      plot.current?.destroy()
    }
  }, [box, lines, format, session])
}

function optionsOf(
  element: HTMLElement,
  lines: readonly PlotLine[],
  format: (value: number) => string,
): uPlot.Options {
  const style = getComputedStyle(element)
  const color = (name: string): string => style.getPropertyValue(name).trim()
  const axis = {
    stroke: color('--muted'),
    font: `10px ${style.fontFamily}`,
    grid: { stroke: color('--grid'), width: 1 },
    ticks: { show: false },
  }
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 14, 0, 0],
    cursor: { show: false },
    legend: { show: false },
    scales: {
      x: { range: (_, __, max) => [max - WINDOW_MS / 1_000, max] },
      y: { range: (_, __, max) => [0, Math.max(1, max * 1.15)] },
    },
    axes: [
      {
        ...axis,
        size: 20,
        splits: (_, __, ___, max) => MINUTES.map((minutes) => max - minutes * 60),
        values: () => MINUTES.map((minutes) => (minutes === 0 ? 'now' : `−${minutes} min`)),
      },
      { ...axis, size: 46, space: 26, values: (_, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      ...lines.map(
        ({ color: name, dashed }): uPlot.Series => ({
          stroke: color(name),
          width: 1.6,
          points: { show: false },
          ...(dashed === true ? { dash: [4, 4] } : {}),
        }),
      ),
    ],
  }
}
