/**
 * Takes a walk of a machine as the plan of a test: the real thing does the same, event by event, and must look as the machine
 * says after each of them.
 */
import type { AnyMachineSnapshot, EventObject } from 'xstate'
import { check as checked, refuse } from '../check.ts'
import type { WalkEdge } from './machine-walk.ts'

/** How a test acts on the real thing and looks at it. */
export interface SystemUnderTest<System, Snapshot = AnyMachineSnapshot, Event = EventObject> {
  /** A fresh one, in the state in which the walk begins. */
  begin(): System | Promise<System>
  /** Does to it what the event of the edge means. */
  act(system: System, edge: WalkEdge<Snapshot, Event>): unknown
  /** Throws, or rejects, unless it looks as `edge.to` says. */
  check(system: System, edge: WalkEdge<Snapshot, Event>): unknown
  /** Leaves nothing of it behind; also called when a check has failed. */
  end?(system: System): unknown
}

/** What a replay went through. */
export interface ReplayReport {
  /** How many fresh systems it took. */
  readonly paths: number
  readonly steps: number
  /** Different edges, all of them. */
  readonly edges: number
}

/**
 * Paths that together take every edge, each from the state in which the walk begins: few and long ones, since a path
 * goes on to the nearest edge that is still to be taken, and begins anew only when none can be reached.
 *
 * @param edges - of one walk
 */
export function tourOf<Edge extends WalkEdge<unknown, unknown>>(edges: readonly Edge[]): Edge[][] {
  const [first] = edges
  if (first === undefined) return []
  const leaving = Map.groupBy(edges, ({ fromKey }) => fromKey)
  const open = new Map([...leaving].map(([key, some]) => [key, [...some].reverse()]))
  const paths: Edge[][] = []
  for (;;) {
    const path: Edge[] = []
    for (let at = first.fromKey; ; ) {
      const way = nearest(leaving, open, at)
      if (way === undefined) break
      path.push(...way)
      at = (way.at(-1) as Edge).toKey
    }
    if (path.length === 0) return paths
    paths.push(path)
  }
}

/** The shortest way from a state over the nearest edge that is still open, which it closes. */
function nearest<Edge extends WalkEdge<unknown, unknown>>(
  leaving: ReadonlyMap<string, readonly Edge[]>,
  open: Map<string, Edge[]>,
  from: string,
): Edge[] | undefined {
  const cameBy = new Map<string, Edge | undefined>([[from, undefined]])
  for (const key of cameBy.keys()) {
    const edge = open.get(key)?.pop()
    if (edge !== undefined) {
      const way = [edge]
      for (let by = cameBy.get(key); by !== undefined; by = cameBy.get(by.fromKey)) way.unshift(by)
      return way
    }
    open.delete(key)
    for (const next of leaving.get(key) ?? []) if (!cameBy.has(next.toKey)) cameBy.set(next.toKey, next)
  }
  return undefined
}

/**
 * Has a system under test take every edge of a walk and checks it after each.
 *
 * ```ts
 * const edges = walkMachine(orderMachine, { events: [{ type: 'pay' }, { type: 'ship' }] })
 * await replay(edges, {
 *   begin: () => new Shop(),
 *   act: (shop, { event }) => shop[event.type](),
 *   check: (shop, { target }) => expect(shop.state).toBe(target),
 * })
 * ```
 *
 * @param edges - of one walk. Leave out those with nothing `taken` if the system need not ignore what the machine ignores.
 * @throws Error (rejects) with the events up to the one after which it looked wrong, and what the check threw as `cause`
 */
export async function replay<System, Snapshot, Event extends EventObject>(
  edges: readonly WalkEdge<Snapshot, Event>[],
  test: SystemUnderTest<System, Snapshot, Event>,
): Promise<ReplayReport> {
  checked.having('the system under test of replay()', 'begin', 'act', 'check')('the second argument', test)
  const paths = tourOf(edges)
  for (const path of paths) await follow(path, test)
  return {
    paths: paths.length,
    steps: paths.reduce((steps, path) => steps + path.length, 0),
    edges: edges.length,
  }
}

async function follow<System, Snapshot, Event extends EventObject>(
  path: readonly WalkEdge<Snapshot, Event>[],
  test: SystemUnderTest<System, Snapshot, Event>,
): Promise<void> {
  const system = await test.begin()
  for (const [index, edge] of path.entries()) {
    try {
      await test.act(system, edge)
      await test.check(system, edge)
    } catch (error) {
      const failed = failure(path.slice(0, index + 1), error)
      // What went wrong first is what is told.
      await endQuietly(test, system)
      throw failed
    }
  }
  await test.end?.(system)
}

async function endQuietly<System>(test: Pick<SystemUnderTest<System>, 'end'>, system: System): Promise<void> {
  try {
    await test.end?.(system)
  } catch {
    // It may well have no end where a step has failed.
  }
}

/**
 * Throws with the edge, and the events that lead to it, on which `check` throws.
 *
 * @param edges - of one walk
 * @param check - synchronous: nobody would wait for another one
 */
export function checkEdges<Snapshot, Event extends EventObject>(
  edges: readonly WalkEdge<Snapshot, Event>[],
  check: (edge: WalkEdge<Snapshot, Event>) => void,
): void {
  for (const edge of edges) {
    let said: unknown
    try {
      said = check(edge)
    } catch (error) {
      throw failure([...wayTo(edges, edge.fromKey), edge], error)
    }
    requireNoPromise(said)
  }
}

function requireNoPromise(said: unknown): void {
  if (typeof (said as PromiseLike<unknown> | undefined)?.then !== 'function') return
  Promise.resolve(said).catch(() => {})
  refuse('the check of checkEdges()', 'one that throws', said, 'One that is async needs replay().')
}

function wayTo<Snapshot, Event>(
  edges: readonly WalkEdge<Snapshot, Event>[],
  key: string,
): WalkEdge<Snapshot, Event>[] {
  const leaving = Map.groupBy(edges, ({ fromKey }) => fromKey)
  const goal = new Map([[key, leaving.get(key)?.slice(0, 1) ?? []]])
  const start = edges[0]?.fromKey
  return start === undefined ? [] : (nearest(leaving, goal, start)?.slice(0, -1) ?? [])
}

function failure(path: readonly WalkEdge<unknown, EventObject>[], cause: unknown): Error {
  const steps = path.map(({ source, event, target }) => `  ${source} + ${toText(event)} → ${target}`)
  const last = path.at(-1)
  const asked = last?.effects.map(({ type }) => type).join(', ') || 'nothing'
  const said = cause instanceof Error ? cause.message : String(cause)
  return new Error(
    [`After ${path.length} event(s): ${said}`, ...steps, `The machine asked for: ${asked}`].join('\n'),
    { cause },
  )
}

function toText(event: EventObject): string {
  return JSON.stringify(event, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  )
}
