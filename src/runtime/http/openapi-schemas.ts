/** What the API takes and answers, as JSON schemas (2020-12). Members that are not there are left out. */

import { LOG_ACTS } from '../../actors/store/records.ts'
import { MISSED } from '../../machines/missed.ts'
import { PRIORITIES, TASK_STATES } from '../../machines/model.ts'
import { SCHEDULE_ORIGINS, SCHEDULE_OVERLAPS } from '../../machines/schedule-policy.ts'
import { ISO_INSTANT } from '../iso-instant.ts'
import { PATH_ID } from './path-id.ts'
import { ref, type Schema } from './route.ts'

export const STATES: readonly string[] = TASK_STATES.filter((state) => state !== 'created')

const text: Schema = { type: 'string' }
const name: Schema = { type: 'string', minLength: 1 }
const flag: Schema = { type: 'boolean' }
const whole: Schema = { type: 'integer', minimum: 0 }
const durationMs: Schema = { type: 'number', minimum: 0, description: 'Milliseconds' }
const instant: Schema = { type: 'integer', description: 'Milliseconds since 1970' }
/** What may be given for an instant. */
export const moment: Schema = {
  description: 'Milliseconds since 1970, or ISO 8601 with its zone',
  anyOf: [
    { type: 'number', minimum: -8.64e15, maximum: 8.64e15 },
    { type: 'string', pattern: ISO_INSTANT.source, examples: ['2027-01-31T08:00:00Z'] },
  ],
}
const anything: Schema = {}
const oneOf = (values: readonly string[]): Schema => ({ type: 'string', enum: [...values] })
const listOf = (items: Schema): Schema => ({ type: 'array', items })
const metadata: Schema = { type: 'object', description: 'Plain data to find it by' }

function object(
  members: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    type: 'object',
    required: Object.keys(members),
    properties: { ...members, ...optional },
    additionalProperties: false,
  }
}

const error = object(
  { name: text, message: text, properties: { type: 'object' } },
  { code: anything, cause: ref('TaskError'), stack: text },
)

const task = object(
  {
    id: name,
    name,
    description: text,
    metadata: { type: 'object' },
    state: oneOf(STATES),
    priority: oneOf(PRIORITIES),
    version: whole,
    attempt: whole,
    step: whole,
    createdBy: text,
    createdAt: instant,
    runAt: instant,
  },
  {
    input: { description: 'Only when asked for. A call of a task in it is `{ task, input }`' },
    key: text,
    schedule: text,
    parent: text,
    progress: object({}, { percent: { type: 'number', minimum: 0, maximum: 100 }, note: text }),
    estimatedEndAt: instant,
    result: anything,
    error: ref('TaskError'),
    reason: text,
    startedAt: instant,
    endedAt: instant,
    holder: text,
    endRequest: object({ at: instant, by: text, replaced: flag }, { reason: text }),
  },
)

const runOptions = {
  priority: oneOf(PRIORITIES),
  description: name,
  metadata,
  queueTimeoutMs: durationMs,
  runTimeoutMs: durationMs,
  deadlineMs: durationMs,
}

const submitted = { task: { ...name, description: 'Name of a task that is registered' } }

const submissionOptions: Readonly<Record<string, Schema>> = {
  runAt: moment,
  delayMs: { ...durationMs, maximum: 4.32e15 },
  expiresAt: moment,
  key: name,
  onConflict: oneOf(['keep', 'reject', 'replace']),
  runId: PATH_ID,
  ...runOptions,
}

const times = {
  cron: text,
  rrule: text,
  everyMs: { type: 'integer', minimum: 1 },
  timezone: text,
  missed: oneOf(MISSED),
  missedAfterMs: durationMs,
  overlap: oneOf(SCHEDULE_OVERLAPS),
  from: oneOf(SCHEDULE_ORIGINS),
  enabled: flag,
}

const schedule = object(
  {
    name,
    task: text,
    priority: oneOf(PRIORITIES),
    description: text,
    state: oneOf(['waiting', 'running', 'disabled', 'ended']),
    createdAt: instant,
    createdBy: text,
  },
  {
    input: { description: 'Only when asked for' },
    times: object({}, { ...times, startAt: instant, endAt: instant }),
    nextAt: instant,
    runId: text,
    lastEndedAt: instant,
  },
)

const said = (what: string, schema: Schema): Schema => ({ ...schema, description: what })

const logEntry = object(
  { at: instant, by: said('Who: a daemon, a program', text), act: said('What was done', oneOf(LOG_ACTS)) },
  {
    error: said('`failed`, `attemptFailed`, `terminated`: what was thrown', ref('TaskError')),
    reason: said('In words, or as one word: of an end, or of the wish for it', text),
    runAt: said('`moved`, `snoozed`: when it may run', instant),
    holder: said('`leaseLost`: who had it', text),
    task: said('`stepped`: name of what it goes on with', text),
    children: said('`forked`: how many tasks it waits for', whole),
    replacedBy: said('`replaced`: id of the newer one', text),
  },
)

const daemonStatus = object(
  {
    id: text,
    name: text,
    host: text,
    pid: whole,
    state: text,
    startedAt: instant,
    beatAt: said('Its last sign of life', instant),
    beatAgeMs: durationMs,
    isAlive: flag,
  },
  { counts: said('What it counts about itself', anything) },
)

const open: Schema = { type: 'object' }

const pool: Schema = { type: 'object', required: ['size', 'active', 'waiting'] }

/** What `supervisor.info()` says; more may come. */
const supervisorStatus: Schema = {
  type: 'object',
  required: [
    'id',
    'state',
    'pool',
    'processes',
    'threads',
    'children',
    'loops',
    'runs',
    'abandoned',
    'workers',
  ],
  properties: {
    id: text,
    state: text,
    pool,
    processes: pool,
    threads: open,
    children: open,
    loops: listOf(open),
    runs: said('Runs in each state', open),
    abandoned: whole,
    workers: listOf(open),
    schedulers: open,
  },
}

const problem = object({
  type: { const: 'about:blank' },
  title: text,
  status: { type: 'integer', minimum: 400, maximum: 599 },
  detail: { ...text, description: 'A sentence for people' },
  code: { ...text, pattern: '^ERR_[A-Z_]+$', description: 'What went wrong, for programs' },
})

const SCHEMAS: Readonly<Record<string, Schema>> = {
  Task: task,
  TaskError: error,
  TaskPage: object(
    { tasks: listOf(ref('Task')) },
    { next: { ...text, description: '`after` of the next page' } },
  ),
  QueuedTask: object(
    { id: name, existing: { ...flag, description: 'A live task with the key was there, and is this one' } },
    { replaced: { ...text, description: 'Id of the task that it replaced' } },
  ),
  CancelRequest: object({}, { reason: name }),
  Cancelled: object({ result: oneOf(['cancelled', 'asked']) }),
  RetryRequest: object({}, { runAt: moment }),
  MoveRequest: object({ runAt: moment }),
  TaskLog: object({
    entries: listOf(logEntry),
  }),
  Schedule: schedule,
  ScheduleList: object({ schedules: listOf(ref('Schedule')) }),
  ScheduleRequest: object(
    { task: name },
    { input: anything, ...times, startAt: moment, endAt: moment, ...runOptions },
  ),
  Counts: object(Object.fromEntries(STATES.map((state) => [state, whole]))),
  QueueStatus: object({
    engine: text,
    waiting: whole,
    running: whole,
    counts: ref('Counts'),
    daemons: listOf(daemonStatus),
  }),
  SupervisorStatus: supervisorStatus,
  DefinitionList: object({
    tasks: listOf(object({ name, version: whole }, { priority: oneOf(PRIORITIES) })),
  }),
  Health: object({ status: { const: 'ok' } }),
  Readiness: object({ status: { const: 'ready' } }),
  Problem: problem,
}

/** @param options - what can be said of a task when it is submitted */
export function schemasFor(options: readonly string[]): Readonly<Record<string, Schema>> {
  const known = Object.entries(submissionOptions).filter(([option]) => options.includes(option))
  const input = { description: 'What its handler gets: JSON' }
  return { ...SCHEMAS, Submission: object(submitted, { input, ...Object.fromEntries(known) }) }
}
