/** A sign for each kind of actor. */
import type { ActorKind } from '../../runtime/inspector/messages.ts'

const SHAPES: Readonly<Record<ActorKind, string>> = {
  supervisor: 'M8 1.8 13.2 4v4c0 3-2.1 5.2-5.2 6.4C4.9 13.2 2.8 11 2.8 8V4Z',
  daemon: 'M3 3h10v4H3ZM3 9h10v4H3ZM5.4 5h.1M5.4 11h.1',
  server: 'M2.5 8h11M8 2.5c4 3 4 8 0 11M8 2.5c-4 3-4 8 0 11M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11',
  queue: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h7',
  pool: 'M2.5 2.5h4.5v4.5H2.5ZM9 2.5h4.5v4.5H9ZM2.5 9h4.5v4.5H2.5ZM9 9h4.5v4.5H9Z',
  group: 'M2.5 4.5a1 1 0 0 1 1-1h3l1.5 2h4.5a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1Z',
  worker: 'M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.6h-2.6',
  loop: 'M5 5.5c4 0 2 5 6 5a2.5 2.5 0 0 0 0-5c-4 0-2 5-6 5a2.5 2.5 0 0 1 0-5Z',
  scheduler: 'M8 2.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 8 2.8ZM8 5v3.2l2 1.3',
  actor: 'M8 4.2a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6Z',
  task: 'M5.5 3.8 11.5 8l-6 4.2Z',
}

export function KindIcon({ kind }: { kind: ActorKind }) {
  return (
    <svg class="kind" data-kind={kind} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={SHAPES[kind] ?? SHAPES.actor} />
    </svg>
  )
}
