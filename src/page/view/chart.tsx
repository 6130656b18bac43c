/** A statechart as it was laid out, with the live states and the last transition marked. */
import { memo } from 'preact/compat'
import { useEffect, useRef } from 'preact/hooks'
import { ANY, isWithin } from '../model/chart-graph.ts'
import { type DrawnArrow, type DrawnState, LINE_HEIGHT, pathOf, STATE_HEIGHT } from '../model/chart-layout.ts'
import { toneOf } from '../model/tone.ts'
import type { LaidOut } from './elk.ts'

export interface ChartViewProps {
  readonly laidOut: LaidOut
  /** The whole chart is in sight, whatever the room for it. */
  readonly fits: boolean
  /** Dotted paths, joined by a comma and a space. */
  readonly state: string
  /** Before the last event. */
  readonly from: string | null
  readonly event: string | null
}

/** Drawn smaller than this, nobody can read it: it scrolls instead. */
const LEAST_SCALE = 0.82

export function ChartView({ laidOut, fits, state, from, event }: ChartViewProps) {
  const box = useRef<HTMLDivElement>(null)
  const { drawing } = laidOut
  const live = state.split(', ')
  const isLive = (path: string): boolean => live.some((one) => isWithin(one, path))
  const last = drawing.arrows.find(({ arrow }) => isLast(arrow, live, from, event))
  useEffect(() => {
    const element = box.current?.querySelector<SVGElement>('.state.live:not(.compound)')
    if (box.current !== null && element !== null && element !== undefined) bringIntoView(box.current, element)
    // Not with each frame: whoever scrolls elsewhere stays there until the state is another one.
  }, [state, laidOut, fits])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it.
    <section class="chart-box" ref={box} tabIndex={0} aria-label="Drawing of the statechart">
      <svg
        class="chart"
        role="img"
        aria-label={`In state ${state}${event === null ? '' : `, after ${event}`}`}
        viewBox={`0 0 ${drawing.width} ${drawing.height}`}
        style={fits ? fitting(drawing) : sizeOf(drawing.width)}
      >
        <defs>
          <Head id="head" />
          <Head id="head-last" />
        </defs>
        {drawing.states.map((drawn) => (
          <State
            key={drawn.state.path}
            drawn={drawn}
            live={isLive(drawn.state.path)}
            inner={innerOf(drawn, live)}
          />
        ))}
        {drawing.arrows.map((drawn) => (
          <Line key={drawn.id} drawn={drawn} last={drawn === last} />
        ))}
        {drawing.arrows.map((drawn) => (
          <Label key={drawn.id} drawn={drawn} last={drawn === last} event={event} />
        ))}
      </svg>
    </section>
  )
}

/** Follows the room that there is, up to its own size. */
function fitting({ width, height }: { readonly width: number; readonly height: number }) {
  return {
    width: '100%',
    height: '100%',
    minWidth: '0',
    maxWidth: `min(100%, ${width}px)`,
    maxHeight: `min(100%, ${height}px)`,
  }
}

function sizeOf(width: number): Record<string, string> {
  return {
    width: `${width}px`,
    height: 'auto',
    minWidth: `min(${width}px, max(100%, ${width * LEAST_SCALE}px))`,
    maxWidth: `max(100%, ${width * LEAST_SCALE}px)`,
  }
}

/** Whether the last event took this arrow. */
function isLast(
  { from: source, to, labels }: DrawnArrow['arrow'],
  live: readonly string[],
  from: string | null,
  event: string | null,
): boolean {
  if (from === null || event === null || live.includes(from)) return false
  return (
    labels.some((label) => matches(label.event, event)) &&
    (source === ANY || from.split(', ').some((one) => isWithin(one, source))) &&
    live.some((one) => isWithin(one, to))
  )
}

/** `attempt.*` answers all that begins so. */
function matches(pattern: string, event: string): boolean {
  return (
    pattern === event || pattern === '*' || (pattern.endsWith('.*') && event.startsWith(pattern.slice(0, -1)))
  )
}

function Head({ id }: { id: string }) {
  return (
    <marker
      id={id}
      class={id}
      viewBox="0 0 8 8"
      refX="7"
      refY="4"
      markerWidth="7"
      markerHeight="7"
      orient="auto"
    >
      <path d="M0.5 0.5 7.5 4 0.5 7.5Z" />
    </marker>
  )
}

/** Where in a state that is drawn without what is in it. */
function innerOf({ state }: DrawnState, live: readonly string[]): string {
  if (state.within.length === 0) return ''
  return live
    .filter((path) => path.startsWith(`${state.path}.`))
    .map((path) => path.slice(state.path.length + 1))
    .join(', ')
}

interface StateProps {
  readonly drawn: DrawnState
  readonly live: boolean
  readonly inner: string
}

const State = memo(({ drawn, live, inner }: StateProps) => {
  const { state, x, y, width, height } = drawn
  const compound = state.kind === 'compound'
  return (
    <g
      class={`state ${state.kind} ${live ? 'live' : ''}`}
      data-state={state.path}
      data-tone={toneOf(state.path)}
    >
      <rect x={x} y={y} width={width} height={height} rx={state.kind === 'any' ? height / 2 : 8} />
      {state.kind === 'final' ? (
        <rect class="inner" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx={6} />
      ) : null}
      {state.isInitial ? (
        <circle class="initial" cx={x} cy={y + Math.min(height, STATE_HEIGHT) / 2} r={4} />
      ) : null}
      <text
        x={compound ? x + 14 : x + width / 2}
        y={y + STATE_HEIGHT / 2 + (inner === '' ? 4.5 : -1)}
        text-anchor={compound ? 'start' : 'middle'}
      >
        {state.name}
      </text>
      {inner === '' ? null : (
        <text class="where" x={x + width / 2} y={y + STATE_HEIGHT / 2 + 11.5} text-anchor="middle">
          {inner}
        </text>
      )}
      <title>
        {[
          state.path,
          ...(state.entry.length > 0 ? [`entry: ${state.entry.join(', ')}`] : []),
          ...(state.exit.length > 0 ? [`exit: ${state.exit.join(', ')}`] : []),
        ].join('\n')}
      </title>
    </g>
  )
})

const Line = memo(({ drawn, last }: { drawn: DrawnArrow; last: boolean }) => (
  <path
    class={`arrow ${last ? 'last' : ''}`}
    d={pathOf(drawn.points)}
    marker-end={`url(#${last ? 'head-last' : 'head'})`}
  />
))

interface LabelProps {
  readonly drawn: DrawnArrow
  readonly last: boolean
  readonly event: string | null
}

const Label = memo(({ drawn, last, event }: LabelProps) => {
  const { label, lines, arrow } = drawn
  if (label === undefined) return null
  const { x, y, width, height } = label
  return (
    <g class={`label ${last ? 'last' : ''}`}>
      <rect x={x} y={y} width={width} height={height} rx={4} />
      {lines.map((line, index) => (
        <text
          key={line}
          class={last && event !== null && line.startsWith(event) ? 'taken' : ''}
          x={x + width / 2}
          y={y + (index + 1) * LINE_HEIGHT - 3.5}
          text-anchor="middle"
        >
          {line}
        </text>
      ))}
      <title>
        {arrow.labels
          .map(({ event: name, guard, actions }) =>
            [name, guard && `[${guard}]`, actions.length > 0 && `/ ${actions.join(', ')}`]
              .filter(Boolean)
              .join(' '),
          )
          .join('\n')}
      </title>
    </g>
  )
})

/** Scrolls the box, and nothing around it. */
function bringIntoView(box: HTMLElement, element: SVGElement): void {
  const outer = box.getBoundingClientRect()
  const inner = element.getBoundingClientRect()
  if (inner.left < outer.left || inner.right > outer.right) {
    box.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2
  }
  if (inner.top < outer.top || inner.bottom > outer.bottom) {
    box.scrollTop += inner.top + inner.height / 2 - outer.top - outer.height / 2
  }
}
