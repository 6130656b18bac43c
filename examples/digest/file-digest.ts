/**
 * SHA-256 and Brotli size of one file, in a worker thread.
 *
 * A small file is read at once and done without leaving the thread; a large one goes through in chunks, so
 * that memory stays bounded whatever its size. A file that is not the listed one any more has no digest.
 */
import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import {
  type BrotliOptions,
  brotliCompressSync,
  createBrotliCompress,
  constants as zlibConstants,
} from 'node:zlib'
import { type BytePath, toBytes } from './byte-path.ts'
import type { ListedFile } from './directory.ts'
import { changed, type Finding, findingOf } from './finding.ts'

export interface FileDigest {
  readonly path: BytePath
  readonly bytes: number
  /** In hexadecimal. */
  readonly sha256: string
  /** Its size after Brotli at quality 4. */
  readonly brotliBytes: number
}

/** Files beyond this many bytes are large: of band `low`, and streamed. */
export const LARGE_BYTES = 256 * 1024
const CHUNK_BYTES = 1024 * 1024

// A fifo that has taken the file's place must not block the thread, and a link must not lead elsewhere.
// Windows has neither flag.
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** One byte more than a small file can have, so that growth shows. */
let buffer: Buffer | undefined

export function digestSmall(file: ListedFile): FileDigest | Finding {
  const { path } = file
  try {
    const fd = openSync(toBytes(path), FLAGS)
    try {
      if (!isSame(file, fstatSync(fd))) return changed(path)
      buffer ??= Buffer.allocUnsafeSlow(LARGE_BYTES + 1)
      const bytes = fill(buffer, fd)
      if (bytes !== file.bytes || !isSame(file, fstatSync(fd))) return changed(path)
      const content = buffer.subarray(0, bytes)
      const sha256 = createHash('sha256').update(content).digest('hex')
      return { path, bytes, sha256, brotliBytes: brotliCompressSync(content, brotli(bytes)).length }
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    return findingOf(path, error)
  }
}

/** @param onBytes - told how many bytes have been read so far */
export async function digestLarge(
  file: ListedFile,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<FileDigest | Finding> {
  const { path } = file
  let handle: FileHandle | undefined
  try {
    handle = await open(toBytes(path), FLAGS)
    if (!isSame(file, await handle.stat())) return changed(path)
    const digest = await digestOpen(handle, file, signal, onBytes)
    return digest.bytes === file.bytes && isSame(file, await handle.stat()) ? digest : changed(path)
  } catch (error) {
    return findingOf(path, error)
  } finally {
    await handle?.close()
  }
}

/** Chunk by chunk through one buffer, which Brotli gives back before the next is read. */
async function digestOpen(
  handle: FileHandle,
  { path, bytes: expected }: ListedFile,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<FileDigest> {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  const hash = createHash('sha256')
  const compress = createBrotliCompress({ ...brotli(expected), chunkSize: CHUNK_BYTES / 4 })
  let bytes = 0
  let brotliBytes = 0
  compress.on('data', (part: Buffer) => {
    brotliBytes += part.length
  })
  try {
    // A file that grows as fast as it is read still ends here.
    while (bytes < expected) {
      signal.throwIfAborted()
      const { bytesRead } = await handle.read(chunk, 0, Math.min(chunk.length, expected - bytes), bytes)
      if (bytesRead === 0) break
      const part = chunk.subarray(0, bytesRead)
      hash.update(part)
      await new Promise<void>((resolve, reject) => {
        compress.write(part, (error) => (error == null ? resolve() : reject(error)))
      })
      bytes += bytesRead
      onBytes(bytes)
    }
    compress.end()
    await finished(compress)
    return { path, bytes, sha256: hash.digest('hex'), brotliBytes }
  } finally {
    compress.destroy()
  }
}

/** Reads until the end of the file or of `target`. */
function fill(target: Buffer, fd: number): number {
  let filled = 0
  while (filled < target.length) {
    const read = readSync(fd, target, filled, target.length - filled, null)
    if (read === 0) break
    filled += read
  }
  return filled
}

function isSame(listed: ListedFile, now: Stats): boolean {
  return (
    now.isFile() && now.size === listed.bytes && now.mtimeMs === listed.mtimeMs && now.ino === listed.inode
  )
}

function brotli(bytes: number): BrotliOptions {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlibConstants
  return { params: { [BROTLI_PARAM_QUALITY]: 4, [BROTLI_PARAM_SIZE_HINT]: Math.min(bytes, 2 ** 31 - 1) } }
}
