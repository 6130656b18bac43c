/** What must be true of the file of a store before it is opened. Nothing is changed by looking. */
import { constants } from 'node:fs'
import { access, open, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { StoreError } from './store-error.ts'

/** `f_type` of file systems on which locks or shared memory cannot be trusted (Linux). */
const NETWORK_FILE_SYSTEMS: Readonly<Record<number, string>> = {
  26985: 'nfs',
  4283649346: 'cifs',
  4266872130: 'smb2',
  20859: 'smb',
  1702057286: 'fuse',
  16914839: '9p',
  1397113167: 'afs',
  12805120: 'ceph',
  198183888: 'lustre',
}

const MAGIC = 'SQLite format 3\0'
const HEADER_BYTES = 100
/** A file looks cut for a moment while what is beside it is brought into it. */
const LOOKS = 4
const LOOK_MS = 50

/** What a folder lies on. */
export interface FileSystem {
  /** Its `f_type`. */
  readonly type: number
  /** What is left for whoever is not root. */
  readonly freeBytes: number
}

export type LookAtFileSystem = (folder: string) => Promise<FileSystem>

export const lookAtFileSystem: LookAtFileSystem = async (folder) => {
  const { type, bavail, bsize } = await statfs(folder)
  return { type, freeBytes: bavail * bsize }
}

export interface FileChecks {
  /** Let a file on a network file system pass. */
  readonly allowNetworkFileSystem?: boolean | undefined
  /** Asked instead of the operating system; for tests. */
  readonly fileSystem?: LookAtFileSystem | undefined
}

/** @returns whether it is there. @throws StoreError */
export async function checkFile(file: string, checks: FileChecks): Promise<boolean> {
  const folder = dirname(file)
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isFolder) {
    throw new StoreError('ERR_STORE_FOLDER_MISSING', `The folder ${folder} does not exist. Make it first.`)
  }
  const exists = await checkKind(file)
  await checkAccess(folder, 'the folder')
  if (exists) await checkAccess(file, 'the file')
  if (checks.allowNetworkFileSystem !== true) await checkFileSystem(folder, checks)
  return exists
}

/** @returns whether it is there */
async function checkKind(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) return false
  if (!found.isFile()) {
    throw new StoreError(
      'ERR_STORE_NOT_WRITABLE',
      `Expected ${file} to be a file, it is a folder or a device.`,
    )
  }
  if (found.size === 0) return true
  const handle = await open(file).catch((error: unknown) => {
    throw new StoreError('ERR_STORE_NOT_WRITABLE', `The file ${file} cannot be read.`, error)
  })
  try {
    const { buffer } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0)
    if (buffer.toString('latin1') !== MAGIC) {
      throw new StoreError(
        'ERR_STORE_CORRUPT',
        `Expected ${file} to be a SQLite database, its first bytes are something else. It was not touched.`,
      )
    }
  } finally {
    await handle.close()
  }
  await checkWhole(file)
  return true
}

/** SQLite reads what is left of a file that was cut, and reports nothing until it comes to the end of it. */
async function checkWhole(file: string): Promise<void> {
  for (let look = 1; await isCut(file); look += 1) {
    if (look === LOOKS) {
      throw new StoreError(
        'ERR_STORE_CORRUPT',
        `Expected ${file} to be a whole SQLite database, its end is missing. It was not touched. Restore it from a backup.`,
      )
    }
    await setTimeout(LOOK_MS)
  }
}

/** Shorter than its header says. Not to be told while changes are beside it: the header is then of before or after them. */
async function isCut(file: string): Promise<boolean> {
  for (const beside of [`${file}-wal`, `${file}-journal`]) {
    const found = await stat(beside).catch(() => undefined)
    if (found !== undefined && found.size > 0) return false
  }
  const handle = await open(file)
  try {
    const { buffer: header } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)
    const pageBytes = header.readUInt16BE(16)
    const pages = header.readUInt32BE(28)
    // 1 stands for 65536. The count of pages is valid for one state of the file only.
    const isKnown = header.readUInt32BE(24) === header.readUInt32BE(92)
    const { size } = await handle.stat()
    return isKnown && size < pages * (pageBytes === 1 ? 65_536 : pageBytes)
  } finally {
    await handle.close()
  }
}

async function checkAccess(path: string, what: string): Promise<void> {
  const refused: unknown = await access(path, constants.R_OK | constants.W_OK).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (refused === undefined) return
  throw new StoreError(
    'ERR_STORE_NOT_WRITABLE',
    `Expected ${what} ${path} to be writable, it is not.`,
    refused,
  )
}

async function checkFileSystem(folder: string, checks: FileChecks): Promise<void> {
  const { type } = await (checks.fileSystem ?? lookAtFileSystem)(folder)
  const name = NETWORK_FILE_SYSTEMS[type >>> 0]
  if (name === undefined) return
  throw new StoreError(
    'ERR_STORE_NETWORK_FILE_SYSTEM',
    `The folder ${folder} is on a network file system (${name}), where SQLite loses data. Use a local disk, or PostgreSQL for several machines.`,
  )
}
