/** An XState machine as SVG: laid out by what lays charts out in the inspector's page, drawn without a browser. */
import elkjs from 'elkjs/lib/elk.bundled.js'
import type { AnyStateMachine } from 'xstate'
import { machineJson } from '../../src/machines/machine-json.ts'
import { readChart } from '../../src/page/model/chart-graph.ts'
import {
  type DrawnArrow,
  type DrawnState,
  LINE_HEIGHT,
  pathOf,
  STATE_HEIGHT,
  toDrawing,
  toElk,
} from '../../src/page/model/chart-layout.ts'

/** Of a character, in a font whose characters are all as wide. */
const STATE_EM = 7.9
const LABEL_EM = 6.7
const MARGIN = 8

const STYLE = `
svg { color-scheme: light dark; background: #fff; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
text { fill: #1f2328; font-size: 13px } .label text { font-size: 11px; fill: #59636e }
rect { fill: #f6f8fa; stroke: #8c959f } .compound rect { fill: #eaeef2; fill-opacity: .5 }
.final rect { stroke-width: 2 } .any rect { stroke-dasharray: 4 3; fill: none }
.initial { fill: #0969da } .arrow { fill: none; stroke: #59636e; stroke-width: 1.2 } #head path { fill: #59636e }
.label rect { fill: #fff; stroke: none; fill-opacity: .9 }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117 } text { fill: #e6edf3 } .label text { fill: #9198a1 }
rect { fill: #151b23; stroke: #656c76 } .compound rect { fill: #212830 } .initial { fill: #4493f8 }
.arrow { stroke: #9198a1 } #head path { fill: #9198a1 } .label rect { fill: #0d1117 }
}`

// Its typings are CommonJS in the eyes of nodenext; at run time its default export is the class.
const Elk = elkjs as unknown as typeof elkjs.default

export async function drawSvg(machine: AnyStateMachine): Promise<string> {
  const graph = readChart(machineJson(machine))
  const measure = (text: string, font: 'state' | 'label'): number =>
    text.length * (font === 'state' ? STATE_EM : LABEL_EM)
  const drawing = toDrawing(graph, await new Elk().layout(toElk(graph, measure)))
  const [width, height] = [drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN].map(Math.ceil)
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(machine.id)}</title>`,
    `<style>${STYLE}\n</style>`,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M.5 .5 7.5 4 .5 7.5Z"/></marker></defs>',
    ...drawing.states.map(stateSvg),
    ...drawing.arrows.map(
      ({ points }) => `<path class="arrow" marker-end="url(#head)" d="${rounded(pathOf(points))}"/>`,
    ),
    ...drawing.arrows.map(labelSvg),
    '</svg>',
  ]
    .filter((line) => line !== '')
    .join('\n')}\n`
}

function stateSvg({ state, x, y, width, height }: DrawnState): string {
  const isCompound = state.kind === 'compound'
  const textX = isCompound ? x + 14 : x + width / 2
  const anchor = isCompound ? '' : ' text-anchor="middle"'
  return [
    `<g class="${state.kind}">`,
    box({ x, y, width, height }, state.kind === 'any' ? height / 2 : 8),
    state.kind === 'final' ? box({ x: x + 3, y: y + 3, width: width - 6, height: height - 6 }, 6) : '',
    state.isInitial
      ? `<circle class="initial" cx="${at(x)}" cy="${at(y + Math.min(height, STATE_HEIGHT) / 2)}" r="4"/>`
      : '',
    `<text x="${at(textX)}" y="${at(y + STATE_HEIGHT / 2 + 4.5)}"${anchor}>${escaped(state.name)}</text>`,
    '</g>',
  ].join('')
}

function labelSvg({ label, lines }: DrawnArrow): string {
  if (label === undefined) return ''
  const { x, y, width } = label
  const texts = lines.map(
    (line, index) =>
      `<text x="${at(x + width / 2)}" y="${at(y + (index + 1) * LINE_HEIGHT - 3.5)}" text-anchor="middle">${escaped(line)}</text>`,
  )
  return `<g class="label">${box(label, 4)}${texts.join('')}</g>`
}

function box(
  { x, y, width, height }: Pick<DrawnState, 'x' | 'y' | 'width' | 'height'>,
  radius: number,
): string {
  return `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="${at(radius)}"/>`
}

/** A tenth of a pixel is seen by nobody, and is the same on every machine. */
function at(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function rounded(path: string): string {
  return path.replaceAll(/-?\d+\.\d+/g, (number) => at(Number(number)))
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
