/** What is wrong with a store as a whole. The runtime makes an error of the package of it. */

export type StoreErrorCode =
  /** Its folder, or its database, is not there. */
  | 'ERR_STORE_FOLDER_MISSING'
  | 'ERR_STORE_NOT_WRITABLE'
  /** It is not there, and was not to be made; or its file was removed or replaced while it was open. */
  | 'ERR_STORE_MISSING'
  /** Not a database, or a damaged one. */
  | 'ERR_STORE_CORRUPT'
  /** The file is on a file system that is shared over a network. */
  | 'ERR_STORE_NETWORK_FILE_SYSTEM'
  | 'ERR_STORE_SCHEMA_NEWER'
  | 'ERR_STORE_SCHEMA_OLDER'
  /** The package for this kind of database is not there. */
  | 'ERR_STORE_ENGINE_MISSING'
  /** The server cannot be reached, or its connection was lost before anything was stored. */
  | 'ERR_STORE_UNREACHABLE'
  /** The server refuses the user or the password. */
  | 'ERR_STORE_REFUSED'
  /** Others wrote for too long. */
  | 'ERR_STORE_BUSY'
  | 'ERR_STORE_FULL'
  | 'ERR_STORE_CLOSED'
  /** The given transaction is not one on this store. */
  | 'ERR_STORE_TRANSACTION_FOREIGN'
  /** Whatever else the engine said; it is the `cause`. */
  | 'ERR_STORE_FAILED'

/** Of a database that holds no queue, for who does not want to make one. @param why - what is not there */
export function noQueueThere(place: string, why: string): StoreError {
  return new StoreError(
    'ERR_STORE_MISSING',
    `There is no queue in ${place}: ${why}. The first enqueue, migrate or daemon start makes it.`,
  )
}

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  /** @param message a sentence: what is wrong with which file, and what to do */
  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
