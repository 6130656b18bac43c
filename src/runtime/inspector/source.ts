/** What an inspector shows: a supervisor of this process, a durable queue, or both. */
import type { Act, Ask, EventRow, Frame, Hello } from './messages.ts'
import type { ActorTree } from './tree.ts'

/** What all pages are told alike. */
export type Common = Pick<Frame, 'counts' | 'stored' | 'pools' | 'rates' | 'waits'>

export interface Source {
  readonly hello: Partial<Hello['sources']>
  readonly tree: ActorTree
  /** The first page has come: it may have to be told of what changes. @param changed - told of that */
  open(changed: () => void): void
  /** The last page has gone: nothing is to cost anything any more. */
  close(): void
  /** Another moment: the tree answers for that from now on. */
  refresh(): {
    readonly common: Common
    readonly events: readonly EventRow[]
    readonly skipped: number
    readonly sampled: number
  }
  /** All pages have looked. */
  looked(): void
  /** The answer, or a promise of it; `undefined`: it is not this source's. @throws what is told to the page */
  ask(ask: Ask): unknown
  act(act: Act): unknown
}
