/** Guards of a machine, resolved once: a function and its parameters instead of a name and a look-up. */
import { type AnyStateNode, and, not, or } from 'xstate'
import { refuse } from './compile-refusal.ts'

export interface GuardArgs {
  readonly context: object
  readonly event: { readonly type: string }
}

/** Called as `run(args, params)`; anything truthy lets the transition pass. */
export interface Guard {
  readonly run: (args: GuardArgs, params: unknown) => unknown
  readonly params: unknown
  /** As the interpreter names it in an error. */
  readonly name: string | undefined
}

type GuardFunction = Guard['run'] & { readonly check?: unknown; readonly guards?: readonly unknown[] }

// A combined guard is known by its `check` function: names do not survive minification.
const checkOf = (guard: unknown): unknown => (guard as GuardFunction).check
const AND = checkOf(and([]))
const OR = checkOf(or([]))
const NOT = checkOf(not(() => true))

const nameOf = (guard: unknown): string | undefined => {
  if (typeof guard === 'string') return guard
  return typeof guard === 'object' ? (guard as { type?: string } | null)?.type : undefined
}

function combined(node: AnyStateNode, guard: GuardFunction, seen: readonly string[]): Guard['run'] {
  const parts = (guard.guards ?? []).map((part) => resolve(node, part, seen))
  if (guard.check === AND) return (args) => parts.every((part) => part.run(args, part.params))
  if (guard.check === OR) return (args) => parts.some((part) => part.run(args, part.params))
  const [part] = parts
  if (guard.check === NOT && part !== undefined) return (args) => !part.run(args, part.params)
  return refuse(node, 'the guard stateIn() or another built-in guard beside and(), or() and not()')
}

function resolve(node: AnyStateNode, guard: unknown, seen: readonly string[]): Guard {
  if (typeof guard === 'function') {
    const inline = guard as GuardFunction
    const run = 'check' in inline ? combined(node, inline, seen) : inline
    return { run, params: undefined, name: undefined }
  }
  const name = nameOf(guard)
  if (name === undefined) return refuse(node, 'a guard that is neither a function nor a name')
  if (seen.includes(name)) refuse(node, `the guard '${name}', which refers to itself`)
  const implementation: unknown = (node.machine.implementations.guards as Record<string, unknown>)[name]
  if (!implementation) refuse(node, `the guard '${name}', which has no implementation`)
  const path = [...seen, name]
  if (typeof implementation !== 'function') return { ...resolve(node, implementation, path), name }
  const named = implementation as GuardFunction
  if ('check' in named) return { run: combined(node, named, path), params: undefined, name }
  const params: unknown = typeof guard === 'object' ? (guard as { params?: unknown }).params : undefined
  if (typeof params !== 'function') return { run: named, params, name }
  return {
    run: (args) => named(args, params({ context: args.context, event: args.event })),
    params: undefined,
    name,
  }
}

/**
 * Resolves the guard of a transition.
 *
 * @throws {UnsupportedMachineError} for a guard without implementation, `stateIn`, or a circular reference.
 */
export function compileGuard(node: AnyStateNode, guard: unknown): Guard | undefined {
  return guard === undefined ? undefined : resolve(node, guard, [])
}
