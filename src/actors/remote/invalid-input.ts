/** A schema refused an input. */
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** An issue as data: path segments reduced to their keys. */
export interface InputIssue {
  readonly message: string
  readonly path: ReadonlyArray<string | number>
}

export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError'
  readonly code = 'ERR_TASK_INPUT_INVALID'
  readonly task: string
  readonly issues: readonly InputIssue[]

  constructor(task: string, issues: readonly StandardSchemaV1.Issue[]) {
    const found = issues.map(toInputIssue)
    const list = found.map((it) =>
      it.path.length === 0 ? it.message : `${it.path.join('.')}: ${it.message}`,
    )
    super(`The input of task "${task}" does not match its schema: ${list.join('; ')}`)
    this.task = task
    this.issues = found
  }
}

function toInputIssue(issue: StandardSchemaV1.Issue): InputIssue {
  const path = (issue.path ?? []).map((segment) => {
    const key = typeof segment === 'object' ? segment.key : segment
    return typeof key === 'symbol' ? String(key) : key
  })
  return { message: issue.message, path }
}
