/** Machines written so that together they use every feature that `compile` supports. */
import { type AnyStateMachine, and, assign, type EventObject, emit, not, or, raise, setup } from 'xstate'
import { supervisorMachine } from '../../src/machines/supervisor.ts'
import { taskMachine } from '../../src/machines/task.ts'
import { seen } from './compile-drive.ts'

export interface Specimen {
  readonly name: string
  readonly machine: AnyStateMachine
  readonly input?: unknown
  /** What may be sent, each as often as it stands here. */
  readonly events: readonly EventObject[]
}

type Args = { readonly context: unknown; readonly event: EventObject }
const note =
  (name: string) =>
  ({ context, event }: Args, params?: unknown): void => {
    seen.push([name, params, context, event])
  }

const events = (...types: string[]): EventObject[] => types.map((type) => ({ type }))

/** Nested final states: `onDone`, outputs of states and machine, exit actions at the end. */
const wizard = setup({
  types: {} as { context: { pages: number; log: unknown[] }; input: { pages: number }; tags: 'busy' | 'end' },
  actions: {
    enter: note('enter'),
    leave: note('leave'),
    log: assign(({ context, event }) => ({
      log: [...context.log, event.type, 'output' in event ? event.output : 0],
    })),
  },
}).createMachine({
  id: 'wizard',
  context: ({ input }) => ({ pages: input.pages, log: [] }),
  initial: 'form',
  entry: 'enter',
  exit: ['leave', assign({ pages: -1 })],
  output: ({ context, event }) => ({ pages: context.pages, from: event }),
  states: {
    form: {
      tags: 'busy',
      meta: { title: 'Form' },
      initial: { target: 'name', actions: ['enter', 'log'] },
      entry: { type: 'enter', params: { what: 'form' } },
      exit: 'leave',
      onDone: [
        { guard: ({ context }) => context.log.length > 8, target: 'sent', actions: 'log' },
        { target: 'form', reenter: true, actions: 'log' },
      ],
      on: { cancel: 'cancelled', back: '.name', jump: '#last' },
      states: {
        name: { tags: ['busy', 'end'], on: { next: 'address' }, meta: { title: 'Name' } },
        address: {
          id: 'last',
          initial: 'street',
          onDone: 'filled',
          exit: 'leave',
          states: {
            street: { on: { next: 'city', cancel: {} } },
            city: { type: 'final', output: ({ context }) => context.pages + 1, entry: 'log' },
          },
        },
        filled: { type: 'final', output: { ready: true }, exit: 'leave' },
      },
    },
    sent: {
      type: 'final',
      tags: 'end',
      meta: { title: 'Sent' },
      output: ({ event }) => event.type,
      entry: 'enter',
      exit: 'leave',
    },
    cancelled: { type: 'final', entry: 'log' },
  },
})

/** Descriptors: exact before longer before shorter wildcard, inner before outer, forbidden ones. */
const turnstile = setup({ types: {} as { context: { seen: string[] } } }).createMachine({
  id: 'turnstile',
  context: { seen: [] },
  initial: 'closed',
  on: {
    '*': { actions: note('root *') },
    'coin.*': { actions: note('root coin.*') },
    'coin.gold': '.open',
    never: { target: '.open' },
  },
  states: {
    closed: {
      on: {
        'coin.*': [
          { guard: ({ event }) => event.type === 'coin.silver.old', target: 'open' },
          undefined as never,
        ],
        'coin.copper.*': { actions: note('copper') },
        'coin.copper': { guard: ({ context }) => context.seen.length > 2, target: 'open' },
        never: undefined,
        push: [],
        'coin.gold.*': { target: 'open', guard: () => false },
      },
    },
    open: {
      initial: 'ready',
      on: {
        push: {
          target: 'closed',
          actions: assign(({ context, event }) => ({ seen: [...context.seen, event.type] })),
        },
      },
      states: {
        ready: { on: { '*': [{ guard: ({ event }) => event.type === 'leave', target: 'idle' }], never: {} } },
        idle: { on: { 'coin.gold': { actions: [] } } },
      },
    },
  },
})

/** Eventless transitions and raised events, every kind of guard, parameters, emitted events. */
const counter = setup({
  types: {} as {
    context: { n: number; limit: number; last?: string | undefined }
    input: { limit: number }
    emitted: { type: 'counted'; n: number }
  },
  guards: {
    atLeast: ({ context }, params: { least: number }) => context.n >= params.least,
    full: ({ context }) => context.n >= context.limit,
    even: ({ context }) => context.n % 2 === 0,
    fits: and([not('full'), or(['even', ({ event }) => event.type === 'up'])]),
  },
  actions: {
    add: assign({
      n: ({ context }, params: { by: number }) => context.n + params.by,
      last: ({ event }) => event.type,
    }),
    report: note('report'),
    tell: emit(({ context }) => ({ type: 'counted' as const, n: context.n })),
    again: raise(({ context }) => ({ type: context.n % 3 === 0 ? 'check' : 'up' })),
  },
}).createMachine({
  id: 'counter',
  context: ({ input }) => ({ n: 0, limit: input.limit }),
  initial: 'low',
  options: { maxIterations: 40 },
  always: { guard: ({ context }) => context.n > 50, target: '.over' },
  on: {
    up: { guard: 'fits', actions: [{ type: 'add', params: { by: 1 } }, 'tell'] },
    leap: {
      actions: [
        { type: 'add', params: ({ context }) => ({ by: context.n + 1 }) },
        'again',
        { type: 'report', params: ({ context, event }: Args) => [context, event.type] },
        raise({ type: 'check' }),
        'withoutImplementation' as never,
      ],
    },
    reset: { target: '.low', actions: assign({ n: 0, last: undefined }) },
  },
  states: {
    low: {
      always: [
        { guard: { type: 'atLeast', params: { least: 9 } }, target: 'high', actions: 'report' },
        { guard: { type: 'atLeast', params: ({ context }) => ({ least: context.limit }) }, target: 'middle' },
        { guard: ({ event }) => event.type === 'look', actions: 'tell' },
      ],
      on: { check: { actions: 'report' } },
    },
    middle: {
      entry: 'again',
      always: { guard: ({ context }) => context.n === 4, actions: { type: 'add', params: { by: 1 } } },
      on: { check: { target: 'transit', guard: not('even') } },
    },
    transit: { always: 'high', entry: 'report' },
    high: { entry: ['tell', raise({ type: 'up' })], on: { check: 'low' } },
    over: { type: 'final', output: 'over' },
  },
})

/** Targets of every form, with and without re-entry. */
const lift = setup({
  types: {} as { context: { floors: number } },
  actions: { in: note('in'), out: note('out'), door: note('door') },
}).createMachine({
  id: 'lift',
  context: { floors: 0 },
  initial: { target: 'ground', actions: 'door' },
  entry: { type: 'in', params: 'lift' },
  exit: { type: 'out', params: 'lift' },
  on: {
    home: '.ground',
    homeAgain: { target: '.ground', reenter: true },
    all: '#lift',
    allAgain: { target: '#lift', reenter: true },
    deep: { target: '#shaft', actions: 'door' },
    stay: { actions: 'door', reenter: true },
  },
  states: {
    ground: {
      entry: { type: 'in', params: 'ground' },
      exit: { type: 'out', params: 'ground' },
      on: {
        up: 'upper',
        self: 'ground',
        selfAgain: { target: 'ground', reenter: true, actions: assign({ floors: 1 }) },
        selfQuietly: { target: 'ground', reenter: true },
        root: '#lift',
        rootAgain: { target: '#lift', reenter: true },
      },
    },
    upper: {
      initial: { target: 'first', actions: { type: 'door', params: 'upper' } },
      entry: { type: 'in', params: 'upper' },
      exit: { type: 'out', params: 'upper' },
      on: {
        up: '.second',
        upAgain: { target: '.second', reenter: true },
        self: 'upper',
        selfAgain: { target: 'upper', reenter: true },
        inner: { target: '.second.shaft' },
      },
      states: {
        first: {
          entry: { type: 'in', params: 'first' },
          exit: 'out',
          on: { next: 'second', parent: '#lift.upper' },
        },
        second: {
          initial: { target: 'hall', actions: { type: 'door', params: 'second' } },
          entry: { type: 'in', params: 'second' },
          exit: { type: 'out', params: 'second' },
          on: { self: 'second', parentAgain: { target: '#lift.upper', reenter: true }, next: 'first' },
          states: {
            hall: { exit: 'out', on: { next: 'shaft' } },
            shaft: { id: 'shaft', entry: 'in', exit: 'out', on: { far: '#lift.upper.first' } },
          },
        },
      },
    },
  },
})

/** The smallest machine there is. */
const plain = setup({}).createMachine({
  on: { tick: { actions: note('tick') }, again: { target: '#(machine)' } },
})

const task = { runId: 'r1', name: 'n', priority: 'low', execution: 'process', attempts: 2 } as const
const failure = { kind: 'threw', error: 'no', retryInMs: 5 }

export const specimens: readonly Specimen[] = [
  {
    name: 'wizard',
    machine: wizard,
    input: { pages: 2 },
    events: events(
      'next',
      'next',
      'next',
      'back',
      'jump',
      'cancel',
      'xstate.done.state.wizard.form',
      'other',
    ),
  },
  {
    name: 'turnstile',
    machine: turnstile,
    events: events(
      ...[
        'coin',
        'coin.gold',
        'coin.gold.new',
        'coin.silver',
        'coin.silver.old',
        'coin.copper',
        'coin.copper.x',
      ],
      ...['push', 'push', 'leave', 'never', 'coins', 'x'],
    ),
  },
  {
    name: 'counter',
    machine: counter,
    input: { limit: 3 },
    events: events('up', 'up', 'up', 'leap', 'reset', 'check', 'look'),
  },
  {
    name: 'lift',
    machine: lift,
    events: events(
      ...['home', 'homeAgain', 'all', 'allAgain', 'deep', 'stay', 'up', 'up', 'upAgain', 'self', 'selfAgain'],
      ...['selfQuietly', 'root', 'rootAgain', 'inner', 'next', 'next', 'parent', 'parentAgain', 'far'],
    ),
  },
  { name: 'plain', machine: plain, events: events('tick', 'again', 'other') },
  {
    name: 'task',
    machine: taskMachine,
    input: task,
    events: [
      { type: 'task.submit', delayMs: 0 },
      { type: 'task.submit', delayMs: 7 },
      ...events(
        'task.admit',
        'attempt.started',
        'task.admit',
        'attempt.started',
        'timer.wakeUp',
        'timer.aged',
      ),
      { type: 'attempt.returned', value: 1 },
      { type: 'attempt.snoozed', delayMs: 3 },
      { type: 'attempt.continued', execution: 'async', attempts: 3 },
      { type: 'attempt.failed', ...failure },
      { type: 'task.cancel', reason: 'enough' },
      { type: 'task.terminate', reason: 'replaced', graceMs: 1 },
      { type: 'timer.runTimeout', retryInMs: 1 },
      ...events(
        'timer.grace',
        'timer.killBound',
        'timer.queueWarning',
        'timer.queueCritical',
        'task.kill',
        'other',
      ),
    ] as EventObject[],
  },
  {
    name: 'supervisor',
    machine: supervisorMachine,
    input: { id: 'main' },
    events: [
      ...events(
        'supervisor.start',
        'supervisor.ready',
        'supervisor.pause',
        'supervisor.resume',
        'pool.drained',
      ),
      ...events('supervisor.closed', 'timer.signal', 'timer.kill', 'supervisor.startFailed'),
      { type: 'supervisor.stop', plan: { at: 1, signalAt: 2, killAt: 3 } },
      { type: 'supervisor.stop', plan: { at: 1, signalAt: 1, killAt: 1 } },
    ] as EventObject[],
  },
]
