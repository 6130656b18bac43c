/** What a body says of a task that is to be stored, or of a schedule. */
import type { AnyDefinition } from '../../actors/definition.ts'
import { PRIORITIES } from '../../machines/model.ts'
import { type Check, type Checks, check, checkOptions, didYouMean, refuse } from '../check.ts'
import { checkPlainObject, type EnqueueOptions } from '../durable/enqueue-options.ts'
import type { ScheduleOptions } from '../durable/schedule.ts'
import { SCHEDULE_TIME_CHECKS } from '../durable/schedule-rule.ts'
import { OptionError } from '../errors.ts'
import type { SubmitOptions } from '../task-options.ts'
import { INSTANT_IN_WORDS, toInstantValue } from './http-query.ts'
import { checkPathId } from './path-id.ts'

type Body = Readonly<Record<string, unknown>>

/** What a body may say of a task: its name, its input, and options. */
const CALL: Checks = { task: check.text, input: check.anything }

/** The furthest that a Date goes from 1970. */
const MOST_MS = 8.64e15

/** Milliseconds since 1970, as {@link toInstantValue} leaves them. */
const instant: Check = (where, value) => {
  if (typeof value === 'number' && Math.abs(value) <= MOST_MS) return
  refuse(where, INSTANT_IN_WORDS, value)
}

const limits = {
  priority: check.oneOf(...PRIORITIES),
  queueTimeoutMs: check.duration,
  runTimeoutMs: check.duration,
  deadlineMs: check.duration,
} as const satisfies Checks

const facts = { description: check.text, metadata: checkPlainObject } as const satisfies Checks

/** Where and with which context a task runs is its definition's business, not that of whoever asks for it. */
const runOptions = {
  ...limits,
  runAt: instant,
  delayMs: check.number(0, MOST_MS / 2),
  expiresAt: instant,
  runId: checkPathId,
} as const satisfies Partial<Record<keyof EnqueueOptions & keyof SubmitOptions, Check>>

/** Of a stored task, there is more to say. */
const enqueueOptions = {
  ...runOptions,
  ...facts,
  key: check.wellFormed,
  onConflict: check.oneOf('keep', 'reject', 'replace'),
} as const satisfies Partial<Record<keyof EnqueueOptions, Check>>

const scheduleOptions = {
  ...SCHEDULE_TIME_CHECKS,
  startAt: instant,
  endAt: instant,
  ...limits,
  ...facts,
} satisfies Partial<Record<keyof ScheduleOptions, Check>>

/** Of a run of a supervisor. */
export const RUN_BODY: Checks = { ...CALL, ...runOptions }
/** Of a task of a queue. */
export const ENQUEUE_BODY: Checks = { ...CALL, ...enqueueOptions }
export const SCHEDULE_BODY: Checks = { ...CALL, ...scheduleOptions }
/** Of a task that is there. */
export const MOVE_BODY: Checks = { runAt: instant }

const INSTANTS: readonly string[] = ['runAt', 'expiresAt', 'startAt', 'endAt']

export interface Submission<Options> {
  readonly definition: AnyDefinition
  readonly input: unknown
  readonly options: Options
}

/**
 * The members of a body, with instants as numbers.
 *
 * @throws OptionError for members that do not exist, or are wrong
 */
export function checkedBody(body: Body, checks: Checks): Body {
  const said = Object.entries(body).map(([member, value]) => [
    member,
    INSTANTS.includes(member) ? toInstantValue(value) : value,
  ])
  const members = Object.fromEntries(said) as Body
  checkOptions('body', members, checks)
  return members
}

/**
 * Nothing has happened when it throws, and what it returns is taken by every source alike.
 *
 * @throws OptionError for a name that is not registered, and for members that do not exist, or are wrong
 */
export function submissionOf<Options>(
  body: Body,
  definitions: ReadonlyMap<string, AnyDefinition>,
  checks: Checks,
): Submission<Options> {
  const { task, input, ...options } = checkedBody(body, checks)
  check.text('body.task', task)
  if (options.runAt !== undefined && options.delayMs !== undefined)
    refuse('the body', 'given delayMs or runAt, not both', options)
  return { definition: definitionNamed(task as string, definitions), input, options: options as Options }
}

/** @throws OptionError (`ERR_TASK_EXPORT_MISSING`) */
function definitionNamed(name: string, definitions: ReadonlyMap<string, AnyDefinition>): AnyDefinition {
  const found = definitions.get(name)
  if (found !== undefined) return found
  throw new OptionError(
    `No task called ${JSON.stringify(name)} can be submitted here. ${didYouMean(name, [...definitions.keys()])}`.trim(),
    { code: 'ERR_TASK_EXPORT_MISSING', taskName: name },
  )
}
