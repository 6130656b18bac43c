/** What can be said when a task is enqueued, and the row that is made of it. */
import { isDefinition, type TaskCall } from '../../actors/definition.ts'
import type { KeyConflict, NewTask } from '../../actors/store/task-record.ts'
import { PRIORITIES, type Priority } from '../../machines/model.ts'
import { type Checks, check, checkOptions, refuse } from '../check.ts'
import type { TaskDefinition } from '../define-task.ts'
import type { QueueStore } from './queue-store.ts'
import { toStoredCall } from './stored-call.ts'
import { toMetadataJson } from './stored-json.ts'
import { NO_CHAIN, type StoredChain, type StoredRunOptions, storedRunOptionChecks } from './stored-options.ts'
import { checkDescription, checkName } from './stored-text.ts'

/** Options of a stored task that are no run options. */
interface OwnOptions {
  /** May run from this instant on. Excludes `delayMs`. @defaultValue at once */
  readonly runAt?: number | Date
  /** May run so long after now. Excludes `runAt`. @defaultValue 0 */
  readonly delayMs?: number
  /** Band that it waits in. @defaultValue the definition's, else 'normal' */
  readonly priority?: Priority
  /** Unique among the live tasks of the queue: at most one that waits or runs has it. @defaultValue none */
  readonly key?: string
  /**
   * When a live task has the `key`: `keep` it and store nothing, `reject` the new one, or `replace` it: it ends, at
   * once if it waits. @defaultValue 'keep'
   */
  readonly onConflict?: KeyConflict
  /** Unique among all tasks of the queue. @defaultValue the definition's, else a UUIDv7 */
  readonly runId?: string
  /** What it does, for people. @defaultValue the definition's, else its name */
  readonly description?: string
  /** Plain data to find it by. @defaultValue the definition's */
  readonly metadata?: Readonly<Record<string, unknown>>
  /**
   * An open transaction on the database of the queue: the task is stored by it, so that it comes to be when that is
   * committed, and never if it is rolled back. For SQLite a `DatabaseSync` after its `BEGIN`.
   */
  readonly tx?: unknown
}

/** Options of `queue.enqueue`: those of the stored task, and run options that are data. */
export interface EnqueueOptions extends OwnOptions, StoredRunOptions {}

/** A call with options of its own, for `enqueueMany`. */
export interface EnqueueItem extends Omit<EnqueueOptions, 'tx'> {
  readonly call: TaskCall
}

export const checkPlainObject = (where: string, value: unknown): void => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(where, 'an object', value)
}

/** Stores keep whole milliseconds, and a `Date` cannot be later. */
const LAST_INSTANT = 8.64e15

/** Epoch ms or a Date, which can be written down as a whole number. */
export const checkStoredInstant = (where: string, value: unknown): void => {
  check.instant(where, value)
  if (Math.abs(Number(value)) > LAST_INSTANT) refuse(where, 'an instant before the year 275760', value)
}

export function toInstant(value: number | Date): number {
  return Math.floor(Number(value))
}

const ownChecks: Checks = {
  runAt: checkStoredInstant,
  delayMs: check.number(0, LAST_INSTANT / 2),
  priority: check.oneOf(...PRIORITIES),
  key: checkName,
  onConflict: check.oneOf('keep', 'reject', 'replace'),
  runId: checkName,
  description: checkDescription,
  metadata: checkPlainObject,
}

const CALL_CHECKS: Checks = { ...ownChecks, ...storedRunOptionChecks }
const CHECKS: Checks = {
  ...CALL_CHECKS,
  tx: (where, value) => {
    if (typeof value !== 'object' || value === null) refuse(where, 'an open transaction', value)
  },
}

/** What {@link toNewTask} makes a row of, besides the call. */
export type NewTaskPorts = Pick<QueueStore, 'now' | 'newId' | 'maxBytes'>

/** @throws OptionError for options that do not exist, or are wrong */
export function checkEnqueueOptions(options: EnqueueOptions): void {
  checkOptions('options', options, CHECKS)
  exclude('options', options)
}

/**
 * @param options - checked ones; they override those of the call
 * @throws OptionError for a call, its options or its input that will not do; throws what `runId` of the definition throws
 */
export function toNewTask(
  { definition, input, options: called = {} }: TaskCall,
  options: EnqueueOptions,
  ports: NewTaskPorts,
): NewTask {
  if (!isDefinition(definition))
    refuse('the task', 'a definition made by defineTask(), or a call of one', definition)
  checkOptions(`options of the call of "${definition.name}"`, called, CALL_CHECKS)
  exclude(`options of the call of "${definition.name}"`, called)
  const { runAt, delayMs, priority, key, onConflict, runId, description, metadata, ...run } = merged(
    called,
    options,
  )
  if (onConflict !== undefined && key === undefined)
    refuse('options.onConflict', 'given with a key, whose conflict it is about', onConflict)
  const { options: own } = definition as TaskDefinition
  const now = ports.now()
  const metadataText =
    metadata === undefined ? undefined : toMetadataJson(definition.name, metadata, ports.maxBytes)
  const band = priority ?? own.priority ?? 'normal'
  const stored = toStoredCall(
    { definition, input, options: Object.keys(run).length === 0 ? undefined : run },
    ports.maxBytes,
    { ...wholeChain(description, metadataText), priority: band },
  )
  const id = runId ?? own.runId?.(definition as TaskDefinition, input)
  if (id !== undefined) checkName(`runId of task "${definition.name}"`, id)
  return {
    ...stored,
    description: description ?? stored.description,
    metadata: metadataText ?? stored.metadata,
    id: id ?? ports.newId(),
    priority: stored.priority ?? band,
    runAt: runAt === undefined ? Math.floor(now + (delayMs ?? 0)) : toInstant(runAt),
    key: key ?? null,
    onConflict: onConflict ?? 'keep',
    schedule: null,
  }
}

/** What is said of a task is said of all of its steps. */
function wholeChain(description: string | undefined, metadata: string | null | undefined): StoredChain {
  return {
    ...NO_CHAIN,
    ...(description === undefined ? {} : { description }),
    ...(metadata === undefined ? {} : { metadata }),
  }
}

/** Options without `tx`; what is `undefined` counts as not given. */
function merged(called: EnqueueOptions, { tx: _, ...options }: EnqueueOptions): Omit<EnqueueOptions, 'tx'> {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const { runAt, delayMs, ...rest } = called
  const when = 'runAt' in given || 'delayMs' in given ? {} : { runAt, delayMs }
  const all = { ...when, ...rest, ...given }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

function exclude(where: string, { runAt, delayMs }: EnqueueOptions): void {
  if (runAt !== undefined && delayMs !== undefined)
    refuse(where, 'given delayMs or runAt, not both', { runAt, delayMs })
}
