/** What a body says of a task that is to be stored, or of a schedule. */
import type { AnyDefinition } from '../../actors/definition.ts'
import { type Checks, check, checkOptions, didYouMean } from '../check.ts'
import type { EnqueueOptions } from '../durable/enqueue-options.ts'
import type { ScheduleOptions } from '../durable/schedule.ts'
import { OptionError } from '../errors.ts'
import type { SubmitOptions } from '../task-options.ts'
import { toInstantValue } from './http-query.ts'

type Body = Readonly<Record<string, unknown>>

/** Where and with which context a task runs is its definition's business, not that of whoever asks for it. */
export const RUN_OPTIONS = [
  'priority',
  'runAt',
  'delayMs',
  'expiresAt',
  'runId',
  'queueTimeoutMs',
  'runTimeoutMs',
  'deadlineMs',
] as const satisfies readonly (keyof EnqueueOptions & keyof SubmitOptions)[]

/** Of a stored task, there is more to say. */
export const ENQUEUE_OPTIONS = [
  ...RUN_OPTIONS,
  'key',
  'onConflict',
  'description',
  'metadata',
] as const satisfies readonly (keyof EnqueueOptions)[]

export const SCHEDULE_OPTIONS = [
  'cron',
  'rrule',
  'everyMs',
  'timezone',
  'startAt',
  'endAt',
  'missed',
  'missedAfterMs',
  'overlap',
  'from',
  'enabled',
  'priority',
  'description',
  'metadata',
  'queueTimeoutMs',
  'runTimeoutMs',
  'deadlineMs',
] as const satisfies readonly (keyof ScheduleOptions)[]

const INSTANTS = ['runAt', 'expiresAt', 'startAt', 'endAt']

export interface Submission<Options> {
  readonly definition: AnyDefinition
  readonly input: unknown
  readonly options: Options
}

/** @throws OptionError for a name that is not registered, and for members that do not exist */
export function submissionOf<Options>(
  body: Body,
  definitions: ReadonlyMap<string, AnyDefinition>,
  options: readonly string[],
): Submission<Options> {
  checkOptions('The body', body, checksOf(options))
  check.text('task', body.task)
  const { task, input, ...rest } = body
  const given = Object.entries(rest).map(([option, value]) => [
    option,
    INSTANTS.includes(option) ? toInstantValue(value) : value,
  ])
  return {
    definition: definitionNamed(task as string, definitions),
    input,
    options: Object.fromEntries(given) as Options,
  }
}

/** Made once for each list: there are few, and many requests. */
const known = new WeakMap<readonly string[], Checks>()

function checksOf(options: readonly string[]): Checks {
  const found = known.get(options)
  if (found !== undefined) return found
  const members = ['task', 'input', ...options]
  const checks: Checks = Object.fromEntries(members.map((member) => [member, check.anything]))
  known.set(options, checks)
  return checks
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
