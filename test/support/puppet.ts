/** A child for tests of supervision: a machine that lives until the test ends it, and writes down its lives. */
import { type AnyStateMachine, setup } from 'xstate'

export interface Puppet {
  readonly machine: AnyStateMachine
  /** Lives begun. */
  lives: number
  /** How many of the next lives fail while they start. */
  failing: number
}

export interface PuppetOptions {
  /** Named in `story` with `+` when a life begins, `-` when it ends by itself or is asked to. */
  readonly name?: string
  readonly story?: string[]
  /** `graceful` ends on `child.stop` (default), `deaf` ignores it, `rude` does not know it. */
  readonly manner?: 'graceful' | 'deaf' | 'rude'
}

/** Takes `end`, `crash` and, by its manner, `child.stop`. */
export function puppet({ name = 'puppet', story = [], manner = 'graceful' }: PuppetOptions = {}): Puppet {
  const made: Puppet = {
    lives: 0,
    failing: 0,
    machine: setup({
      types: { events: {} as { type: 'end' } | { type: 'crash' } | { type: 'child.stop' } },
      actions: {
        born: () => {
          made.lives += 1
          if (made.failing > 0) {
            made.failing -= 1
            throw new Error(`${name} does not start`)
          }
          story.push(`+${name}`)
        },
        gone: () => void story.push(`-${name}`),
        explode: () => {
          story.push(`!${name}`)
          throw new Error(`${name} crashed`)
        },
      },
    }).createMachine({
      id: name,
      initial: 'living',
      states: {
        living: {
          entry: 'born',
          on: {
            end: 'over',
            crash: { actions: 'explode' },
            ...(manner === 'graceful' ? { 'child.stop': 'over' } : {}),
            ...(manner === 'deaf' ? { 'child.stop': { actions: () => {} } } : {}),
          },
        },
        over: { type: 'final', entry: 'gone' },
      },
      output: 'output',
    }),
  }
  return made
}
