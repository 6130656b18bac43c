/**
 * What a benchmark file (`bench/<question>.bench.ts`) exports: `description` and `run(scale)`. The files of
 * one full run, and the answer's form: tables whose rows may have a target.
 */

/** `smoke` is for the test that the harness works; its figures mean nothing. */
export const SCALES = ['full', 'quick', 'smoke'] as const
export type Scale = (typeof SCALES)[number]

/** In the order in which they are asked. */
export const QUESTIONS = [
  'throughput',
  'memory',
  'threads',
  'loops',
  'latency',
  'stop',
  'queue',
  'compile',
  'startup',
  'supervision',
  'interval',
  'workers',
  'inspector',
  'durable',
  'postgres',
  'http',
] as const
export type QuestionName = (typeof QUESTIONS)[number]

export interface Verdict {
  /** In words, for example `≥ 1.5`. */
  readonly target: string
  readonly met: boolean
}

export interface Row {
  readonly cells: readonly (string | number)[]
  readonly verdict?: Verdict
}

export interface Table {
  readonly title: string
  /** What is compared, how; for the reader of the figures. */
  readonly note?: string
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
}

export interface Question {
  readonly description: string
  run(scale: Scale): Promise<Table[]>
}

/** One of three values. */
export function at<Value>(scale: Scale, values: Record<Scale, Value>): Value {
  return values[scale]
}

export function atLeast(value: number, bound: number): Verdict {
  return { target: `≥ ${bound}`, met: value >= bound }
}

export function atMost(value: number, bound: number, unit = ''): Verdict {
  return { target: `≤ ${bound}${unit === '' ? '' : ` ${unit}`}`, met: value <= bound }
}
