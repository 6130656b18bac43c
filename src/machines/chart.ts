/**
 * A statechart as plain JSON, without implementations: what `createMachine` and Stately's editor take, and what the
 * inspector draws. machine-json.ts makes it from a machine.
 */

/** A whole machine. Targets are written from its root: `#machine.path.to.state`. */
export interface Chart extends ChartState {
  readonly id: string
}

export interface ChartState {
  readonly type?: 'parallel' | 'final' | 'history'
  readonly description?: string
  readonly initial?: string
  readonly states?: Readonly<Record<string, ChartState>>
  readonly entry?: readonly ChartCall[]
  readonly exit?: readonly ChartCall[]
  readonly on?: Readonly<Record<string, readonly ChartTransition[]>>
  /** By delay: ms, or its name. */
  readonly after?: Readonly<Record<string, readonly ChartTransition[]>>
  readonly always?: readonly ChartTransition[]
  readonly onDone?: readonly ChartTransition[]
  readonly invoke?: readonly ChartInvoke[]
  readonly tags?: readonly string[]
  readonly history?: 'shallow' | 'deep'
  /** Of a history state. */
  readonly target?: string
}

/** An action or a guard. */
export interface ChartCall {
  readonly type: string
  readonly params?: Readonly<Record<string, unknown>>
}

export interface ChartTransition {
  /** Without one it stays where it is. */
  readonly target?: string | readonly string[]
  readonly guard?: ChartCall
  readonly actions?: readonly ChartCall[]
  readonly reenter?: boolean
  readonly description?: string
}

export interface ChartInvoke {
  readonly id: string
  readonly src: string
  readonly onDone?: readonly ChartTransition[]
  readonly onError?: readonly ChartTransition[]
  readonly onSnapshot?: readonly ChartTransition[]
}
