/** The tree of actors, and beside it the one that is selected. */
import { ActorDetail } from './actor-detail.tsx'
import { Tree } from './tree.tsx'
import { TreeFilter } from './tree-filter.tsx'

export function ActorsView() {
  return (
    <div class="actors">
      <div class="panel tree-panel">
        <TreeFilter />
        <Tree />
      </div>
      <ActorDetail />
    </div>
  )
}
