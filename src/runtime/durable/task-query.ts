/** Which stored tasks are meant, and which page of them. */
import type { PageRequest, TaskFilter } from '../../actors/store/records.ts'
import { TASK_STATES } from '../../machines/model.ts'
import { type Check, type Checks, check, checkOptions, refuse } from '../check.ts'
import { checkStoredInstant, toInstant } from './enqueue-options.ts'
import type { StoredTaskState } from './stored-task.ts'

/** All that is given must hold. */
export interface StoredTaskFilter {
  readonly state?: StoredTaskState | readonly StoredTaskState[]
  /** Names of definitions. */
  readonly name?: string | readonly string[]
  readonly key?: string
  /** Name of the schedule that they are occurrences of. */
  readonly schedule?: string
  /** Id of the task whose children they are: the calls of an `all`. */
  readonly parent?: string
  /** Top-level members of the metadata that must be equal. */
  readonly metadata?: Readonly<Record<string, string | number | boolean | null>>
  readonly createdFrom?: number | Date
  readonly createdBefore?: number | Date
  readonly endedFrom?: number | Date
  readonly endedBefore?: number | Date
}

/** A filter, and which page of what it finds. */
export interface StoredTaskQuery extends StoredTaskFilter {
  /** 1 to 1,000. @defaultValue 100 */
  readonly limit?: number
  /** By the order of storing. @defaultValue 'newest' */
  readonly order?: 'newest' | 'oldest'
  /** `next` of the page before. */
  readonly after?: string
}

const STATES = TASK_STATES.filter((state) => state !== 'created')
const oneOrMany =
  (one: Check): Check =>
  (where, value) => {
    if (!Array.isArray(value)) return one(where, value)
    for (const [index, item] of value.entries()) one(`${where}[${index}]`, item)
  }

const filterChecks: Checks = {
  state: oneOrMany(check.oneOf(...STATES)),
  name: oneOrMany(check.wellFormed),
  key: check.wellFormed,
  schedule: check.wellFormed,
  parent: check.wellFormed,
  metadata: checkMetadata,
  createdFrom: checkStoredInstant,
  createdBefore: checkStoredInstant,
  endedFrom: checkStoredInstant,
  endedBefore: checkStoredInstant,
}

const queryChecks: Checks = {
  ...filterChecks,
  limit: check.count(1),
  order: check.oneOf('newest', 'oldest'),
  after: (where, value) => {
    if (typeof value !== 'string' || !/^\d{1,15}$/.test(value))
      refuse(where, '`next` of the page before', value)
  },
}

/** Which states these are is no choice. */
const { state: _, ...deadLetterChecks } = queryChecks

/** In which nobody tries a task again but a person. */
export const DEAD_STATES: readonly StoredTaskState[] = ['failed', 'terminated']

/** Of one page. */
export const MOST_TASKS = 1_000

/**
 * For an act on all that it finds: what is no filter at all must never be taken for one that everything passes.
 *
 * @param states - meant when it names none
 * @throws OptionError
 */
export function toBulkFilter(filter: StoredTaskFilter, states: readonly StoredTaskState[]): TaskFilter {
  checkOptions('filter', filter, filterChecks)
  refuseUndefined('filter', filter)
  return filterOf({ ...filter, state: filter.state ?? states })
}

/** @throws OptionError */
export function toDeadLetterQuery(query: Omit<StoredTaskQuery, 'state'>): StoredTaskQuery {
  checkOptions('query', query, deadLetterChecks)
  refuseUndefined('query', query)
  return { ...query, state: DEAD_STATES }
}

/** @throws OptionError */
export function toTaskQuery(query: StoredTaskQuery): {
  readonly filter: TaskFilter
  readonly page: PageRequest
} {
  checkOptions('query', query, queryChecks)
  refuseUndefined('query', query)
  const { limit = 100, order = 'newest', after, ...filter } = query
  if (limit > MOST_TASKS)
    refuse('query.limit', `at most ${MOST_TASKS}`, limit, 'Take the next page with `after`.')
  return { filter: filterOf(filter), page: { limit, order, ...(after === undefined ? {} : { after }) } }
}

/** Somebody's name that was not found must not find everybody's tasks. What only says which page may be `undefined`. */
function refuseUndefined(where: string, filter: StoredTaskFilter): void {
  for (const [member, value] of Object.entries(filter)) {
    if (value === undefined && Object.hasOwn(filterChecks, member))
      refuse(`${where}.${member}`, 'left out, or to have a value', value)
  }
}

function filterOf(filter: StoredTaskFilter): TaskFilter {
  const { state, name, key, schedule, parent, metadata, createdFrom, createdBefore, endedFrom, endedBefore } =
    filter
  const found = {
    states: many(state),
    names: many(name),
    key,
    schedule,
    parent,
    metadata,
    createdFrom: instant(createdFrom),
    createdBefore: instant(createdBefore),
    endedFrom: instant(endedFrom),
    endedBefore: instant(endedBefore),
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

function many<Item extends string>(given: Item | readonly Item[] | undefined): readonly Item[] | undefined {
  return typeof given === 'string' ? [given] : given
}

function instant(given: number | Date | undefined): number | undefined {
  return given === undefined ? undefined : toInstant(given)
}

function checkMetadata(where: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(where, 'an object', value)
  for (const [key, member] of Object.entries(value)) {
    const isPlain =
      member === null || ['string', 'boolean'].includes(typeof member) || Number.isFinite(member)
    if (!isPlain) refuse(`${where}.${key}`, 'a text, a number, true, false or null', member)
    for (const text of [key, member])
      if (text !== '' && typeof text === 'string') check.wellFormed(where, text)
  }
}
