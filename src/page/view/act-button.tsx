/** A button that makes the server do something: there for those who may act, and dead while nobody hears it. */
import type { ComponentChildren } from 'preact'
import { usePage } from './context.ts'

export interface ActButtonProps {
  /** What it does, and to whom, when its text alone does not say it. */
  readonly label?: string
  readonly children: ComponentChildren
  onClick(): void
}

export function ActButton({ label, children, onClick }: ActButtonProps) {
  const { session } = usePage()
  if (session.access.value !== 'act') return null
  return (
    <button
      type="button"
      class="button small"
      aria-label={label}
      disabled={!session.connected.value}
      onClick={onClick}
    >
      {children}
    </button>
  )
}
