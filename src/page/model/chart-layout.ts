/**
 * Where the states and arrows of a chart are drawn: the graph as ELK takes it, and what ELK answers as a drawing.
 * Sizes are in CSS pixels at scale 1.
 */
import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js'
import type { ChartGraph, GraphArrow, GraphLabel, GraphState } from './chart-graph.ts'

/** Width of a text in CSS pixels, as it will be drawn. */
export type Measure = (text: string, font: 'state' | 'label') => number

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface DrawnState extends Box {
  readonly state: GraphState
}

export interface DrawnArrow {
  readonly arrow: GraphArrow
  /** Its id within the drawing. */
  readonly id: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
  readonly label: Box | undefined
  readonly lines: readonly string[]
}

export interface Drawing {
  readonly width: number
  readonly height: number
  /** Outer ones first. */
  readonly states: readonly DrawnState[]
  readonly arrows: readonly DrawnArrow[]
}

export const STATE_HEIGHT = 34
export const LINE_HEIGHT = 15
const STATE_PADDING = 22
const LEAST_WIDTH = 84
/** A label with more lines than this says how many are left out. */
const MOST_LINES = 3

const OPTIONS: Readonly<Record<string, string>> = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.padding': '[top=12,left=12,bottom=12,right=12]',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '30',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  // As it is written: what comes later in the life of an actor is further down.
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.thoroughness': '12',
}

/** What ELK is asked. */
export function toElk(graph: ChartGraph, measure: Measure): ElkNode {
  const childrenOf = (parent: string | undefined): ElkNode[] =>
    graph.states.filter((state) => state.parent === parent).map((state) => nodeOf(state, childrenOf, measure))
  return {
    id: 'chart',
    layoutOptions: { ...OPTIONS },
    children: childrenOf(undefined),
    edges: graph.arrows.map((arrow, index) => edgeOf(arrow, index, measure)),
  }
}

/** What ELK answers, as it is drawn. */
export function toDrawing(graph: ChartGraph, laidOut: ElkNode): Drawing {
  const boxes = new Map<string, Box>()
  const collect = (node: ElkNode): void => {
    boxes.set(node.id, boxOf(node))
    for (const child of node.children ?? []) collect(child)
  }
  collect(laidOut)
  const edges = new Map<string, ElkExtendedEdge>()
  const collectEdges = (node: ElkNode): void => {
    for (const edge of node.edges ?? []) edges.set(edge.id, edge)
    for (const child of node.children ?? []) collectEdges(child)
  }
  collectEdges(laidOut)
  return {
    width: laidOut.width ?? 0,
    height: laidOut.height ?? 0,
    states: graph.states.map((state) => ({ state, ...(boxes.get(state.path) as Box) })),
    arrows: graph.arrows.map((arrow, index) => drawnArrow(arrow, index, edges.get(idOf(index)))),
  }
}

/** A line with round corners through the points of an arrow. */
export function pathOf(points: DrawnArrow['points'], radius = 6): string {
  const [first, ...rest] = points
  if (first === undefined) return ''
  const parts = [`M${first.x} ${first.y}`]
  let before = first
  for (const [index, point] of rest.entries()) {
    const next = rest[index + 1]
    if (next === undefined) parts.push(`L${point.x} ${point.y}`)
    else {
      const start = towards(point, before, radius)
      const end = towards(point, next, radius)
      parts.push(`L${start.x} ${start.y}`, `Q${point.x} ${point.y} ${end.x} ${end.y}`)
    }
    before = point
  }
  return parts.join('')
}

type Point = DrawnArrow['points'][number]

/** The point `radius` away from `from` on the way to `to`, at most half way. */
function towards(from: Point, to: Point, radius: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y)
  if (length === 0) return from
  const part = Math.min(radius, length / 2) / length
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }
}

function nodeOf(state: GraphState, childrenOf: (parent: string) => ElkNode[], measure: Measure): ElkNode {
  const text = Math.max(measure(state.name, 'state'), ...state.within.map((path) => measure(path, 'label')))
  const width = Math.max(LEAST_WIDTH, Math.ceil(text) + STATE_PADDING)
  if (state.kind !== 'compound') return { id: state.path, width, height: STATE_HEIGHT }
  return {
    id: state.path,
    children: childrenOf(state.path),
    layoutOptions: {
      'elk.padding': `[top=${STATE_HEIGHT + 8},left=16,bottom=16,right=16]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width}, ${STATE_HEIGHT})`,
    },
  }
}

function edgeOf(arrow: GraphArrow, index: number, measure: Measure): ElkExtendedEdge {
  const lines = linesOf(arrow.labels)
  const width = Math.max(...lines.map((line) => measure(line, 'label')))
  return {
    id: idOf(index),
    sources: [arrow.from],
    targets: [arrow.to],
    labels: [
      {
        text: lines.join('\n'),
        width: Math.ceil(width) + 8,
        height: lines.length * LINE_HEIGHT + 2,
        layoutOptions: { 'elk.edgeLabels.inline': 'true', 'elk.edgeLabels.placement': 'CENTER' },
      },
    ],
  }
}

function drawnArrow(arrow: GraphArrow, index: number, edge: ElkExtendedEdge | undefined): DrawnArrow {
  const sections = edge?.sections ?? []
  const [label] = edge?.labels ?? []
  return {
    arrow,
    id: idOf(index),
    points: sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [
      startPoint,
      ...bendPoints,
      endPoint,
    ]),
    label: label === undefined ? undefined : boxOf(label),
    lines: linesOf(arrow.labels),
  }
}

function linesOf(labels: readonly GraphLabel[]): string[] {
  const lines = labels.map(({ event, guard }) => (guard === undefined ? event : `${event} [${guard}]`))
  if (lines.length <= MOST_LINES) return lines
  return [...lines.slice(0, MOST_LINES - 1), `+${lines.length - MOST_LINES + 1} more`]
}

function boxOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box {
  return { x, y, width, height }
}

function idOf(index: number): string {
  return `arrow-${index}`
}
