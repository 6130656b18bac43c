/** Ids of tasks and names of schedules that come from outside: what a path, a header and a database can say. */
import { check, refuse } from '../check.ts'
import type { Schema } from './route.ts'

/** Characters. Longer ones would not fit into the headers that say where a task is. */
const MOST = 512

/** @throws OptionError for what no path can name: browsers and servers take `/tasks/..` for `/` */
export function checkLocatable(where: string, value: unknown): void {
  check.wellFormed(where, value)
  if (value === '.' || value === '..') refuse(where, 'a text that a path can say, no "." and no ".."', value)
}

/** @throws OptionError for that, and for more than 512 characters */
export function checkPathId(where: string, value: unknown): void {
  checkLocatable(where, value)
  const { length } = value as string
  if (length > MOST) refuse(where, `a text of at most ${MOST} characters`, value, `It has ${length}.`)
}

export const PATH_ID: Schema = { type: 'string', minLength: 1, maxLength: MOST, not: { enum: ['.', '..'] } }
