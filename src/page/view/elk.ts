/** Lays charts out, in a worker: it takes ELK some tenths of a second. Loaded when the first chart is shown. */
import type { ELK } from 'elkjs/lib/elk-api.js'
import workerUrl from 'elkjs/lib/elk-worker.min.js?url'
import type { Chart } from '../../machines/chart.ts'
import { type ChartGraph, compactChart, readChart } from '../model/chart-graph.ts'
import { type Drawing, type Measure, toDrawing, toElk } from '../model/chart-layout.ts'

/** Charts with more states than this are compact unless the user wants them in full. */
const SMALL = 12

export interface LaidOut {
  readonly graph: ChartGraph
  readonly drawing: Drawing
}

let elk: Promise<ELK> | undefined
const known = new Map<string, Promise<LaidOut>>()

/** @param key - tells charts apart */
export function layOut(key: string, chart: Chart, compact: boolean): Promise<LaidOut> {
  const name = `${key} ${compact}`
  const found = known.get(name)
  if (found !== undefined) return found
  const made = make(chart, compact)
  known.set(name, made)
  made.catch(() => known.delete(name))
  return made
}

export function isLarge(chart: Chart): boolean {
  return readChart(chart).states.length > SMALL
}

async function make(chart: Chart, compact: boolean): Promise<LaidOut> {
  const whole = readChart(chart)
  const graph = compact ? compactChart(whole) : whole
  elk ??= load()
  const [{ layout }, measure] = await Promise.all([
    elk.then((one) => ({ layout: one.layout.bind(one) })),
    measuring(),
  ])
  return { graph, drawing: toDrawing(graph, await layout(toElk(graph, measure))) }
}

async function load(): Promise<ELK> {
  const { default: Elk } = await import('elkjs/lib/elk-api.js')
  return new Elk({ workerUrl })
}

/** When the fonts are there: widths of another font would be wrong. */
async function measuring(): Promise<Measure> {
  await document.fonts.ready
  const context = document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D
  const family = getComputedStyle(document.body).fontFamily
  return (text, font) => {
    context.font = font === 'state' ? `600 13px ${family}` : `11px ${family}`
    return context.measureText(text).width
  }
}
