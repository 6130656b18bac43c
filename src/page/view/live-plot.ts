/** One plot that follows its values until it is ended (uPlot, on a canvas). */
import uPlot from 'uplot'
import type { Session } from '../feed/session.ts'
import { windowOf } from '../model/series.ts'
import type { PlotLine } from './plot.tsx'

const HEIGHT = 104
/** Of the ticks below, as parts of the window. */
const TICKS = [0.8, 0.4, 0]

export interface LivePlotOptions {
  readonly session: Session
  readonly element: HTMLElement
  readonly lines: readonly PlotLine[]
  format(value: number): string
}

export class LivePlot {
  readonly #options: LivePlotOptions
  readonly #ends: (() => void)[]
  #plot: uPlot

  constructor(options: LivePlotOptions) {
    const { session, element } = options
    this.#options = options
    this.#plot = this.#make()
    const size = new ResizeObserver(() => {
      this.#plot.setSize({ width: element.clientWidth, height: HEIGHT })
    })
    size.observe(element)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    // A canvas keeps the colours that it was drawn with.
    const again = (): void => {
      this.#plot.destroy()
      this.#plot = this.#make()
    }
    dark.addEventListener('change', again)
    this.#ends = [
      session.numbers.subscribe(() => this.#plot.setData(this.#data())),
      () => dark.removeEventListener('change', again),
      () => size.disconnect(),
      () => this.#plot.destroy(),
    ]
  }

  end(): void {
    for (const end of this.#ends) end()
  }

  #make(): uPlot {
    const { element, lines, format } = this.#options
    return new uPlot(optionsOf(element, lines, format), this.#data(), element)
  }

  #data(): uPlot.AlignedData {
    const { series } = this.#options.session.picture
    return [series.times, ...this.#options.lines.map(({ name }) => series.of(name))] as uPlot.AlignedData
  }
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
      x: { range: (self, min, max) => [max - (self.data[0].length === 0 ? 60 : windowOf(max - min)), max] },
      y: { range: (_, __, max) => [0, Math.max(1, max * 1.15)] },
    },
    axes: [
      {
        ...axis,
        size: 20,
        splits: (_, __, min, max) => TICKS.map((part) => max - part * (max - min)),
        values: (_, splits) => splits.map((at) => ago((splits.at(-1) as number) - at)),
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

function ago(seconds: number): string {
  if (seconds === 0) return 'now'
  return seconds < 60 ? `−${Math.round(seconds)} s` : `−${Math.round(seconds / 6) / 10} min`
}
