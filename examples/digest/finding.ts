/** What is worth knowing about a file or directory and is no failure of the job. */
import type { BytePath } from './byte-path.ts'

export type FindingKind =
  /** It may not be read, or reading it failed. */
  | 'unreadable'
  /** It was listed and is gone. */
  | 'vanished'
  /** It is not what it was when it was listed; it has no digest. */
  | 'changed'
  /** A package.json that npm would refuse. */
  | 'package'

export interface Finding {
  readonly path: BytePath
  readonly finding: FindingKind
  readonly detail: string
}

export function isFinding(value: object): value is Finding {
  return 'finding' in value
}

export function changed(path: BytePath): Finding {
  return { path, finding: 'changed', detail: 'It changed while the job ran' }
}

/** @throws the error itself when it is none of the file system's */
export function findingOf(path: BytePath, error: unknown): Finding {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (typeof code !== 'string' || typeof syscall !== 'string') throw error
  if (code === 'ENOENT' || code === 'ENOTDIR') return { path, finding: 'vanished', detail: code }
  // A link or something else has taken its place.
  if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') return changed(path)
  return { path, finding: 'unreadable', detail: code }
}
