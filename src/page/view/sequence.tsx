/** Events as arrows between the lifelines of actors, oldest at the top. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { clockTime, nameOfId, placed } from '../model/format.ts'
import type { LoggedEvent } from '../model/picture.ts'
import { type SequenceArrow, toSequence } from '../model/sequence.ts'
import { usePage } from './context.ts'

const ROW_HEIGHT = 30
const TOP = 8
const TIME_WIDTH = 92
const LEAST_LANE = 108
const MOST_LANES = 9
/** More could not be read, and would have to be drawn again ten times a second. */
const ROWS = 60

export function SequenceView({ events }: { events: readonly LoggedEvent[] }) {
  const { session, ui } = usePage()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const lanes = Math.max(2, Math.min(MOST_LANES, Math.floor((width - TIME_WIDTH) / LEAST_LANE)))
  const nameOf = (id: string): string => {
    const actor = session.picture.actors.get(id)
    return actor === undefined ? nameOfId(id) : placed(actor.name, actor.within)
  }
  const { lifelines, arrows } = toSequence(events, lanes, ROWS, nameOf)
  const lane = Math.max(LEAST_LANE, (width - TIME_WIDTH) / Math.max(1, lifelines.length))
  const height = TOP + arrows.length * ROW_HEIGHT + 12
  const x = (index: number): number => TIME_WIDTH + lane * (index + 0.5)
  const last = arrows.at(-1)?.event.key
  // The newest arrow is at the end.
  useEffect(() => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [last])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it.
    <section class="sequence" ref={box} tabIndex={0} aria-label="Sequence of events">
      {arrows.length === 0 ? (
        <p class="muted blank">Nothing has happened yet, or nothing that matches.</p>
      ) : null}
      <div class="lifelines" style={{ width: `${TIME_WIDTH + lane * lifelines.length}px` }}>
        {lifelines.map(({ id, name }) => (
          <span
            key={id}
            class="lifeline-name"
            data-selected={id === ui.selected.value}
            title={id}
            style={{ width: `${lane - 12}px` }}
          >
            {name}
          </span>
        ))}
      </div>
      <svg
        width={TIME_WIDTH + lane * lifelines.length}
        height={height}
        role="img"
        aria-label="Arrows between actors"
      >
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0.5 0.5 7.5 4 0.5 7.5Z" />
          </marker>
        </defs>
        {lifelines.map(({ id }, index) => (
          <line
            key={id}
            class={`lifeline ${id === ui.selected.value ? 'selected' : ''}`}
            x1={x(index)}
            x2={x(index)}
            y1={0}
            y2={height}
          />
        ))}
        {arrows.map((arrow, index) => (
          <Arrow
            key={arrow.event.key}
            arrow={arrow}
            y={TOP + (index + 0.6) * ROW_HEIGHT}
            x={x}
            lane={lane}
            last={lifelines.length - 1}
          />
        ))}
      </svg>
    </section>
  )
}

interface ArrowProps {
  readonly arrow: SequenceArrow
  readonly y: number
  readonly lane: number
  /** Position of the last lifeline. */
  readonly last: number
  x(index: number): number
}

function Arrow({ arrow, y, lane, last, x }: ArrowProps) {
  const { from, to, event } = arrow
  const [a, b] = [x(from), x(to)]
  const self = from === to
  // What the last one sends itself is written on its left.
  const forward = self ? from < last || last === 0 : b > a
  return (
    <g class="message">
      <text class="time" x={8} y={y + 4}>
        {clockTime(event.at)}
      </text>
      {self ? (
        <path d={`M${a} ${y - 5}h18v10h-16`} marker-end="url(#tip)" />
      ) : (
        <line x1={a} x2={b - (forward ? 2 : -2)} y1={y} y2={y} marker-end="url(#tip)" />
      )}
      <text
        class="type"
        x={a + (forward ? (self ? 24 : 8) : -8)}
        y={self ? y + 4 : y - 5}
        text-anchor={forward ? 'start' : 'end'}
      >
        {fitting(event.type, lane - 16)}
      </text>
      <title>{`${event.type}: ${event.from} → ${event.to}`}</title>
    </g>
  )
}

/** By the width that a letter has on the average. */
function fitting(text: string, width: number): string {
  const most = Math.max(4, Math.floor(width / 6.1))
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}

function useWidth(box: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(700)
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const observer = new ResizeObserver(() => setWidth(element.clientWidth - 16))
    observer.observe(element)
    return () => observer.disconnect()
  }, [box])
  return width
}
