/** A long list of rows of one height, of which only those in sight are in the document. */
import type { ComponentChildren, Ref } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

/** Rows beyond the edges, so that scrolling shows no holes. */
const MARGIN = 8

export interface Sight {
  readonly start: number
  /** Not included. */
  readonly end: number
}

export interface VirtualListProps {
  readonly size: number
  readonly rowHeight: number
  readonly class: string
  readonly boxRef?: Ref<HTMLDivElement>
  /** Stays at the end while it is there, as a log does. */
  readonly sticky?: boolean
  /** Of the box that scrolls: its role, its keys. */
  readonly box: Record<string, unknown>
  rows(sight: Sight): ComponentChildren
  onSight?(sight: Sight): void
}

export function VirtualList({
  size,
  rowHeight,
  box,
  rows,
  onSight,
  sticky = false,
  ...rest
}: VirtualListProps) {
  const own = useRef<HTMLDivElement>(null)
  const [place, setPlace] = useState({ top: 0, height: 600 })
  const atEnd = useRef(true)
  useEffect(() => {
    const element = own.current as HTMLDivElement
    const observer = new ResizeObserver(() => {
      setPlace({ top: element.scrollTop, height: element.clientHeight })
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    const element = own.current
    if (sticky && atEnd.current && element !== null) element.scrollTop = size * rowHeight
  }, [size, sticky, rowHeight])
  const start = Math.max(0, Math.min(Math.floor(place.top / rowHeight), size) - MARGIN)
  const end = Math.min(size, Math.ceil((place.top + place.height) / rowHeight) + MARGIN)
  useEffect(() => onSight?.({ start, end }), [start, end, onSight])
  const onScroll = (event: Event): void => {
    // What was scrolled last is told after the list has gone, too.
    const { scrollTop, clientHeight } = event.currentTarget as HTMLDivElement
    atEnd.current = scrollTop + clientHeight >= size * rowHeight - rowHeight
    setPlace({ top: scrollTop, height: clientHeight })
  }
  return (
    <div
      {...box}
      class={`virtual ${rest.class}`}
      ref={(element) => {
        own.current = element
        if (typeof rest.boxRef === 'function') rest.boxRef(element)
        else if (rest.boxRef) rest.boxRef.current = element
      }}
      onScroll={onScroll}
    >
      <div class="virtual-all" role="none" style={{ height: `${size * rowHeight}px` }}>
        <div class="virtual-rows" role="none" style={{ transform: `translateY(${start * rowHeight}px)` }}>
          {rows({ start, end })}
        </div>
      </div>
    </div>
  )
}

/** Scrolls as little as shows the row. */
export function showRow(box: HTMLElement, index: number, rowHeight: number): void {
  const top = index * rowHeight
  if (top < box.scrollTop) box.scrollTop = top
  else if (top + rowHeight > box.scrollTop + box.clientHeight)
    box.scrollTop = top + rowHeight - box.clientHeight
}
