/** Holds every answer against the OpenAPI document of whoever gave it. */
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

interface Media {
  readonly schema: object
}

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, Media>>; readonly headers?: object }>
  >
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** What was asked, and what came. */
export interface Exchange {
  readonly method: string
  /** Within the API. */
  readonly path: string
  readonly status: number
  readonly type: string
  /** Names of headers, lower case. */
  readonly headers: readonly string[]
  readonly body: unknown
}

export class Contract {
  readonly document: Document
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })
  readonly #compiled = new Map<string, ValidateFunction>()

  constructor(document: object) {
    this.document = document as Document
    this.#ajv.addSchema({ $id: 'api', ...document })
  }

  /** What is wrong with the document itself. */
  async faults(): Promise<unknown> {
    const { valid, errors } = await new Validator().validate(structuredClone(this.document) as never)
    return valid ? undefined : errors
  }

  /** @throws when an answer is none that the document knows */
  check({ method, path, status, type, headers, body }: Exchange): void {
    const what = `${method} ${path} → ${status} ${type}`
    const problem = '/components/schemas/Problem'
    if (status >= 400) {
      if (type !== 'application/problem+json') throw new Error(`${what}: no problem`)
      this.#hold(what, problem, body)
    }
    const template = this.#templateOf(path)
    const operation =
      template === undefined ? undefined : this.document.paths[template]?.[method.toLowerCase()]
    // Nobody is there to promise anything.
    if (template === undefined || operation === undefined) return
    const response = operation.responses[status]
    if (response === undefined) throw new Error(`${what}: a status that is not in the document`)
    for (const name of Object.keys(response.headers ?? {}))
      if (!headers.includes(name.toLowerCase())) throw new Error(`${what}: without the header ${name}`)
    if (response.content === undefined) {
      if (body !== undefined) throw new Error(`${what}: a body that is not in the document`)
      return
    }
    if (response.content[type] === undefined) throw new Error(`${what}: a type that is not in the document`)
    if (type === 'text/event-stream') return
    const at = [template, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema']
    this.#hold(what, `/paths/${at.map(toPointer).join('/')}`, body)
  }

  /** Whether a body is one that the document lets in. */
  takes(schema: string, body: unknown): boolean {
    return this.#validator(`/components/schemas/${schema}`)(body) as boolean
  }

  /** @throws when `body` is not as the schema of that name */
  hold(schema: string, body: unknown): void {
    this.#hold(schema, `/components/schemas/${schema}`, body)
  }

  #hold(what: string, pointer: string, body: unknown): void {
    const validate = this.#validator(pointer)
    if (validate(body)) return
    throw new Error(`${what}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`)
  }

  #validator(pointer: string): ValidateFunction {
    const known = this.#compiled.get(pointer)
    if (known !== undefined) return known
    const made = this.#ajv.compile({ $ref: `api#${pointer}` })
    this.#compiled.set(pointer, made)
    return made
  }

  #templateOf(path: string): string | undefined {
    // As it is asked for: no request has dot segments, and a backslash is a slash.
    const { pathname: plain } = new URL(`http://localhost${path}`)
    const templates = Object.keys(this.document.paths)
    return (
      templates.find((template) => template === plain) ??
      templates.find((template) =>
        new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(plain),
      )
    )
  }
}

function toPointer(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
}
