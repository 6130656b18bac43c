/** Checks an input against a Standard Schema (https://standardschema.dev). */
import type { StandardSchemaV1 } from '@standard-schema/spec'

export type CheckedInput =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly StandardSchemaV1.Issue[] }

/** A promise only when the schema checks asynchronously. Throws or rejects what the schema throws. */
export function checkInput(schema: StandardSchemaV1, input: unknown): CheckedInput | Promise<CheckedInput> {
  const result = schema['~standard'].validate(input)
  return result instanceof Promise ? result.then(toChecked) : toChecked(result)
}

/** The issues of a failed check as one sentence: `width: Invalid type; file: too short`. */
export function issuesToText(issues: readonly StandardSchemaV1.Issue[]): string {
  return issues
    .map((issue) => {
      const path = (issue.path ?? [])
        .map((part) => String(typeof part === 'object' ? part.key : part))
        .join('.')
      return path === '' ? issue.message : `${path}: ${issue.message}`
    })
    .join('; ')
}

function toChecked(result: StandardSchemaV1.Result<unknown>): CheckedInput {
  return result.issues === undefined
    ? { ok: true, value: result.value }
    : { ok: false, issues: result.issues }
}
