/** What the user has chosen to see: of this visit alone, and in the address as far as it is worth a link. */
import { effect, type Signal, signal } from '@preact/signals'
import type { Stretch } from '../model/tree-rows.ts'

export const VIEWS = ['overview', 'actors', 'tasks', 'events', 'schedules'] as const
export type View = (typeof VIEWS)[number]

export class Ui {
  readonly view: Signal<View>
  /** Id of the actor whose detail is shown. */
  readonly selected: Signal<string | undefined>
  readonly expanded: Signal<ReadonlySet<string>> = signal(new Set<string>())
  /** Which children of open actors are in sight of the tree. */
  readonly stretches: Signal<Readonly<Record<string, Stretch>>> = signal({})
  /** Of the tree: text and state. */
  readonly filter = signal('')
  readonly filterState = signal('')
  /** The user is about to type in the token, where one may look without it. */
  readonly unlocking = signal(false)
  /** Events of the selected actor alone. */
  readonly onlySelected = signal(false)
  /**
   * Whole charts, as large as there is room for them, however small that is; else they scroll. `auto`: so that they can be
   * read, which a large one with all its states cannot when it fits.
   */
  readonly fit: Signal<boolean | 'auto'> = signal('auto')
  /** How charts are drawn; `auto`: large ones compact. */
  readonly detail: Signal<'auto' | 'compact' | 'full'> = signal('auto')

  constructor() {
    const given = new URLSearchParams(location.hash.slice(1))
    const view = given.get('view') as View
    this.view = signal(VIEWS.includes(view) ? view : 'actors')
    this.selected = signal(given.get('actor') ?? undefined)
    effect(() => {
      const next = new URLSearchParams({ view: this.view.value })
      if (this.selected.value !== undefined) next.set('actor', this.selected.value)
      history.replaceState(null, '', `#${next}`)
    })
  }

  toggle(id: string, open = !this.expanded.peek().has(id)): void {
    const next = new Set(this.expanded.peek())
    if (open) next.add(id)
    else next.delete(id)
    this.expanded.value = next
  }
}
