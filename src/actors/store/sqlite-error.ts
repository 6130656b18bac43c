/** What SQLite says when something fails, and what that is for whoever uses a store. */
import { accessSync, constants } from 'node:fs'
import { StoreError } from './store-error.ts'

const CODES = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
}

/** Primary result code of an error of SQLite's; `undefined` for all others. */
function codeOf(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** `SQLITE_BUSY_SNAPSHOT`: what it has read is no longer the newest, so it can write no more. */
const STALE = 517

/** Why a transaction of the caller's cannot write now; `undefined` when that is not what is wrong. */
export function lockOf(error: unknown): 'stale' | 'held' | undefined {
  if (!isBusy(error)) return undefined
  return (error as { errcode: number }).errcode === STALE ? 'stale' : 'held'
}

/** Another connection has the lock. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error)
  return code === CODES.busy || code === CODES.locked
}

/** Concerns the file, so that other operations would fail as well. */
export function isFatal(error: unknown): boolean {
  const { readOnly, ioError, corrupt, full, cannotOpen, notADatabase } = CODES
  const code = codeOf(error)
  return isBusy(error) || [readOnly, ioError, corrupt, full, cannotOpen, notADatabase].includes(code ?? -1)
}

/** Its disk has failed it. */
function isOfDisk(error: unknown): boolean {
  return [CODES.readOnly, CODES.ioError, CODES.cannotOpen].includes(codeOf(error) ?? -1)
}

/** SQLite does not say why it could not write. */
function whyNotWritable(file: string): string | undefined {
  try {
    accessSync(file, constants.W_OK)
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EROFS' ? 'its file system is read-only' : `it is not (${code})`
  }
}

/** What SQLite said, as an error of the store. */
export function toStoreError(error: unknown, file: string): StoreError {
  if (error instanceof StoreError) return error
  const said = error instanceof Error ? error.message : String(error)
  const why = isOfDisk(error) ? whyNotWritable(file) : undefined
  if (why !== undefined)
    return new StoreError(
      'ERR_STORE_NOT_WRITABLE',
      `Expected ${file} to be writable, ${why}; nothing was stored.`,
      error,
    )
  switch (codeOf(error)) {
    case CODES.readOnly:
    case CODES.cannotOpen:
      return new StoreError(
        'ERR_STORE_NOT_WRITABLE',
        `Expected ${file} to be writable, SQLite says: ${said}.`,
        error,
      )
    case CODES.corrupt:
    case CODES.notADatabase:
      return new StoreError(
        'ERR_STORE_CORRUPT',
        `Expected ${file} to be a sound SQLite database, SQLite says: ${said}. Restore it from a backup.`,
        error,
      )
    case CODES.full:
      return new StoreError('ERR_STORE_FULL', `The disk of ${file} is full; nothing was stored.`, error)
    case CODES.busy:
    case CODES.locked:
      return new StoreError(
        'ERR_STORE_BUSY',
        `Another process, or a transaction of this program's own, has kept ${file} locked for too long. ` +
          'What belongs to an open transaction of yours is given it as `tx`.',
        error,
      )
    default:
      return new StoreError('ERR_STORE_FAILED', `SQLite failed on ${file}: ${said}.`, error)
  }
}
