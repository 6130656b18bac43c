/** What the tables of a store consist of, as its migrations say: for whoever checks that all of it is there. */

export interface SchemaPart {
  readonly kind: 'table' | 'index' | 'trigger' | 'function'
  readonly name: string
}

const CREATION = /\bCREATE (?:UNIQUE )?(TABLE|INDEX|TRIGGER|FUNCTION) ([\w.]+)/g

export function partsOf(migrations: readonly string[]): SchemaPart[] {
  return migrations.flatMap((text) =>
    Array.from(text.matchAll(CREATION), ([, kind = '', name = '']) => ({
      kind: kind.toLowerCase() as SchemaPart['kind'],
      name,
    })),
  )
}

export const partIsMissing = (part: string): string =>
  `The ${part} is missing. Restore the database from a backup; a ${part.split(' ')[0]} is not made anew by itself.`
