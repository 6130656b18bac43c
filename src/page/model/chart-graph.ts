/** A statechart as a graph: states by their dotted paths, and arrows that carry all that leads the same way. */
import type { Chart, ChartCall, ChartState, ChartTransition } from '../../machines/chart.ts'

export interface GraphState {
  /** Dotted path; `*` stands for any state. */
  readonly path: string
  readonly name: string
  /** Path of the state that it is in; `undefined` at the top. */
  readonly parent: string | undefined
  readonly kind: 'atomic' | 'compound' | 'final' | 'any'
  readonly isInitial: boolean
  readonly entry: readonly string[]
  readonly exit: readonly string[]
  /** Of a compact chart: the paths in it that are not drawn. */
  readonly within: readonly string[]
}

export interface GraphLabel {
  readonly event: string
  readonly guard: string | undefined
  readonly actions: readonly string[]
}

export interface GraphArrow {
  readonly from: string
  readonly to: string
  readonly labels: readonly GraphLabel[]
}

export interface ChartGraph {
  readonly states: readonly GraphState[]
  readonly arrows: readonly GraphArrow[]
}

/** What leads to a state from everywhere starts here. */
export const ANY = '*'

/** The whole chart. */
export function readChart(chart: Chart): ChartGraph {
  const reader = new Reader(chart)
  reader.read(chart, '', undefined, true)
  return reader.graph()
}

/** Top-level states only; what happens inside one of them is left out. */
export function compactChart({ states, arrows }: ChartGraph): ChartGraph {
  const top = states.filter(({ parent }) => parent === undefined)
  const merged = new Arrows()
  for (const { from, to, labels } of arrows) {
    const [a, b] = [topOf(from), topOf(to)]
    if (a !== b) for (const label of labels) merged.add(a, b, { ...label, guard: undefined })
  }
  const withinOf = (path: string): string[] =>
    states
      .filter((state) => state.path.startsWith(`${path}.`))
      .map((state) => state.path.slice(path.length + 1))
  return {
    states: top.map((state) =>
      state.kind === 'compound' ? { ...state, kind: 'atomic', within: withinOf(state.path) } : state,
    ),
    arrows: merged.all(),
  }
}

function topOf(path: string): string {
  const dot = path.indexOf('.')
  return dot < 0 ? path : path.slice(0, dot)
}

/** Whether `path` is `ancestor` or in it. */
export function isWithin(path: string, ancestor: string): boolean {
  return path === ancestor || ancestor === '' || path.startsWith(`${ancestor}.`)
}

class Arrows {
  readonly #arrows = new Map<string, { from: string; to: string; labels: Map<string, GraphLabel> }>()

  add(from: string, to: string, label: GraphLabel): void {
    const key = `${from} ${to}`
    const arrow = this.#arrows.get(key) ?? { from, to, labels: new Map() }
    arrow.labels.set(`${label.event} ${label.guard ?? ''}`, label)
    this.#arrows.set(key, arrow)
  }

  all(): GraphArrow[] {
    return [...this.#arrows.values()].map(({ from, to, labels }) => ({
      from,
      to,
      labels: [...labels.values()],
    }))
  }
}

class Reader {
  readonly #root: string
  readonly #states: GraphState[] = []
  readonly #arrows = new Arrows()
  #hasAny = false

  constructor({ id }: Chart) {
    this.#root = `#${id}`
  }

  read(node: ChartState, path: string, parent: string | undefined, isInitial: boolean): void {
    if (path !== '') this.#states.push(stateOf(node, path, parent, isInitial))
    for (const [event, transitions] of transitionsOf(node)) {
      for (const transition of transitions) this.#take(path, event, transition)
    }
    for (const [key, child] of Object.entries(node.states ?? {})) {
      const inner = path === '' ? key : `${path}.${key}`
      this.read(
        child,
        inner,
        path === '' ? undefined : path,
        node.type === 'parallel' || node.initial === key,
      )
    }
  }

  graph(): ChartGraph {
    const any: GraphState = {
      path: ANY,
      name: 'any state',
      parent: undefined,
      kind: 'any',
      isInitial: false,
      entry: [],
      exit: [],
      within: [],
    }
    return {
      states: this.#hasAny ? [...this.#states, any] : this.#states,
      arrows: this.#arrows.all(),
    }
  }

  #take(path: string, event: string, { target = [], guard, actions = [] }: ChartTransition): void {
    // What has no target changes no state.
    for (const one of typeof target === 'string' ? [target] : target) {
      // All are written from the root, with a backslash before what parts no names.
      const to = one.replace(/\\(.)/g, '$1').slice(this.#root.length + 1)
      if (to === '') continue
      if (path === '') this.#hasAny = true
      const label = { event, guard: guard?.type, actions: actions.map(nameOf) }
      this.#arrows.add(path === '' ? ANY : path, to, label)
    }
  }
}

function stateOf(node: ChartState, path: string, parent: string | undefined, isInitial: boolean): GraphState {
  const isCompound = Object.keys(node.states ?? {}).length > 0
  return {
    path,
    name: path.slice(path.lastIndexOf('.') + 1),
    parent,
    kind: isCompound ? 'compound' : node.type === 'final' ? 'final' : 'atomic',
    isInitial,
    entry: (node.entry ?? []).map(nameOf),
    exit: (node.exit ?? []).map(nameOf),
    within: [],
  }
}

type Transitions = readonly [event: string, readonly ChartTransition[]]

function transitionsOf({
  on = {},
  after = {},
  always = [],
  onDone = [],
  invoke = [],
}: ChartState): Transitions[] {
  return [
    ...Object.entries(on),
    ...Object.entries(after).map(([delay, transitions]): Transitions => [`after ${delay}`, transitions]),
    ['always', always],
    ['done', onDone],
    ...invoke.flatMap(({ src, onDone: done = [], onError = [] }): Transitions[] => [
      [`${src} done`, done],
      [`${src} failed`, onError],
    ]),
  ]
}

/** With the values of its parameters: `announce(queued)`. */
function nameOf({ type, params = {} }: ChartCall): string {
  const values = Object.values(params)
  return values.length > 0 ? `${type}(${values.join(', ')})` : type
}
