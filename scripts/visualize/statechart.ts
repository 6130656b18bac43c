/** An XState machine as Mermaid (`stateDiagram-v2`) and as a table. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'

/** More actions than this on one label are counted, not named. */
const NAMED_ACTIONS = 3

/** As XState types it: what an entry or a transition asks for, by name or with parameters. */
type Action = unknown

/** The whole machine, with nested states, guards and actions. */
export function drawMachine(machine: AnyStateMachine): string {
  const lines = ['stateDiagram-v2']
  drawChildren(machine.root, lines, '  ')
  return [...lines, ...transitionLines(machine)].join('\n')
}

/** The top-level states and what leads from one to another, each pair once, in plain words. */
export function drawOverview(
  machine: AnyStateMachine,
  wordOf: (event: string, source: string, target: string) => string,
): string {
  const { root } = machine
  const edges = new Map<string, Set<string>>()
  const add = (from: string, to: string, label: string): void => {
    const key = `${from} --> ${to}`
    if (!edges.has(key)) edges.set(key, new Set())
    edges.get(key)?.add(label)
  }
  const visit = (node: AnyStateNode): void => {
    for (const [event, candidates] of node.transitions) {
      for (const { target } of candidates) {
        const from = node.path[0]
        const to = target?.[0]?.path[0]
        if (from !== undefined && to !== undefined && from !== to) {
          add(from, to, wordOf(event, node.path.join('.'), to))
        }
      }
    }
    for (const child of Object.values(node.states)) visit(child)
  }
  visit(root)
  const lines = ['stateDiagram-v2', '  direction LR', `  [*] --> ${initialOf(root)}`]
  for (const [edge, labels] of edges) lines.push(`  ${edge} : ${[...labels].map(quote).join('<br/>')}`)
  for (const node of Object.values(root.states))
    if (node.type === 'final') lines.push(`  ${node.key} --> [*]`)
  return lines.join('\n')
}

/** Every transition in full, for what a label leaves out. */
export function drawTable(machine: AnyStateMachine): string {
  const rows = ['| state | event | guard | actions | target |', '|---|---|---|---|---|']
  for (const node of nodesOf(machine.root)) {
    for (const [event, candidates] of node.transitions) {
      for (const candidate of candidates) {
        const target = targetOf(candidate)
        const cells = [
          node === machine.root ? '*any*' : `\`${node.path.join('.')}\``,
          `\`${event}\``,
          guardOf(candidate) ?? '',
          actionsOf(candidate.actions).join(', '),
          target === undefined ? '' : `\`${target.path.join('.')}\``,
        ]
        rows.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
      }
    }
  }
  return rows.join('\n')
}

function drawChildren(node: AnyStateNode, lines: string[], indent: string): void {
  lines.push(`${indent}[*] --> ${idOf(node.states[initialOf(node)] as AnyStateNode)}`)
  for (const child of Object.values(node.states)) {
    const id = idOf(child)
    const does = [
      ...(child.entry.length > 0 ? [`entry / ${actionsOf(child.entry).join(', ')}`] : []),
      ...(child.exit.length > 0 ? [`exit / ${actionsOf(child.exit).join(', ')}`] : []),
    ].map(quote)
    if (Object.keys(child.states).length > 0) {
      // A compound state has a title and nothing else.
      lines.push(`${indent}state "${[child.key, ...does].join(' — ')}" as ${id} {`)
      drawChildren(child, lines, `${indent}  `)
      lines.push(`${indent}}`)
    } else {
      lines.push(`${indent}state "${child.key}" as ${id}`)
      for (const one of does) lines.push(`${indent}${id} : ${one}`)
    }
    if (child.type === 'final') lines.push(`${indent}${id} --> [*]`)
  }
}

/** Grouped by source and target, so that one arrow carries all that leads the same way. */
function transitionLines(machine: AnyStateMachine): string[] {
  const arrows = new Map<string, string[]>()
  for (const node of nodesOf(machine.root)) {
    for (const [event, candidates] of node.transitions) {
      for (const candidate of candidates) {
        const label = labelOf(event, candidate)
        if (label === undefined) continue
        const target = targetOf(candidate)
        for (const source of sourcesOf(node, event, target)) {
          const key = `${idOf(source)} --> ${idOf(target ?? source)}`
          arrows.set(key, [...(arrows.get(key) ?? []), label])
        }
      }
    }
  }
  return [...arrows].map(([arrow, labels]) => `  ${arrow} : ${labels.join('<br/>')}`)
}

/**
 * Where the arrow starts. Mermaid draws none from a state into itself: a transition of a compound state to a
 * state inside it starts at every child that has no answer of its own.
 */
function sourcesOf(node: AnyStateNode, event: string, target: AnyStateNode | undefined): AnyStateNode[] {
  const inside = target !== undefined && target !== node && isWithin(target, node)
  if (!inside) return [node]
  return Object.values(node.states).filter(
    (child) => child.type !== 'final' && child !== target && !answers(child, event),
  )
}

/** Itself, or all of the states inside it. */
function answers(node: AnyStateNode, event: string): boolean {
  const children = Object.values(node.states)
  return (
    node.transitions.has(event) || (children.length > 0 && children.every((child) => answers(child, event)))
  )
}

function isWithin(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  return node === ancestor || (node.parent !== undefined && isWithin(node.parent, ancestor))
}

/** `undefined` for an empty transition: it only keeps an event from being answered further up. */
function labelOf(event: string, candidate: AnyTransitionDefinition): string | undefined {
  const actions = actionsOf(candidate.actions)
  if (candidate.target === undefined && actions.length === 0) return undefined
  const guard = guardOf(candidate)
  const named =
    actions.length > NAMED_ACTIONS
      ? [...actions.slice(0, NAMED_ACTIONS), `+${actions.length - NAMED_ACTIONS}`]
      : actions
  const parts = [
    event,
    ...(guard === undefined ? [] : [`[${guard}]`]),
    ...(named.length > 0 ? [`/ ${named.join(', ')}`] : []),
  ]
  return quote(parts.join(' '))
}

function actionsOf(actions: readonly Action[]): string[] {
  return actions.map((action) => {
    if (typeof action === 'string') return action
    const { type, params } = action as { readonly type: string; readonly params?: unknown }
    const values = typeof params === 'object' && params !== null ? Object.values(params) : []
    return values.length > 0 ? `${type}(${values.join(', ')})` : type
  })
}

function guardOf({ guard }: AnyTransitionDefinition): string | undefined {
  if (guard === undefined) return undefined
  return typeof guard === 'string' ? guard : ((guard as { type?: string }).type ?? 'inline guard')
}

function targetOf({ target }: AnyTransitionDefinition): AnyStateNode | undefined {
  return target?.[0]
}

function initialOf(node: AnyStateNode): string {
  return node.initial.target[0]?.key ?? ''
}

function nodesOf(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesOf)]
}

/** Unique in the whole diagram, and nothing that Mermaid reads as a word of its own. */
function idOf(node: AnyStateNode): string {
  return `s_${node.path.join('_').replaceAll(/[^A-Za-z0-9_]/g, '_')}`
}

/** Mermaid ends a label at `;`, reads `:` as its start, `#` as an entity and `<` as markup. */
function quote(text: string): string {
  return text
    .replaceAll('#', '#35;')
    .replaceAll(/;(?<!#35;)/g, '#59;')
    .replaceAll(':', '#58;')
    .replaceAll('<', '#lt;')
    .replaceAll('>', '#gt;')
}
