/**
 * Paths as bytes. A POSIX file name is any bytes but `/` and NUL, and need not be UTF-8; a string that went
 * through a decoder could no longer open such a file. A `BytePath` holds one byte per character: it opens
 * every file, is cheap to send to a thread or process, and sorts as `LC_ALL=C sort` does.
 */
import { isUtf8 } from 'node:buffer'

export type BytePath = string & { readonly bytePath: true }

/** A path that came from the user, or a name as the file system gave it. */
export function toBytePath(path: string | Buffer): BytePath {
  return Buffer.from(path as string).toString('latin1') as BytePath
}

export function join(directory: BytePath, name: BytePath): BytePath {
  return (directory.endsWith('/') ? directory + name : `${directory}/${name}`) as BytePath
}

/** The path from `root`, which is a directory above it or the path itself. */
export function relative(root: BytePath, path: BytePath): BytePath {
  if (path === root) return '.' as BytePath
  return path.slice(root.endsWith('/') ? root.length : root.length + 1) as BytePath
}

/** What `node:fs` opens. */
export function toBytes(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1')
}

/**
 * The path as text. A byte 0xNN that is no UTF-8 becomes the lone surrogate U+DCNN, which JSON writes as
 * `\udcNN`: nothing is lost, and Python's `os.fsencode` gives the very bytes back.
 */
export function toText(path: BytePath): string {
  const bytes = toBytes(path)
  if (isUtf8(bytes)) return bytes.toString('utf8')
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at)
    text += length === 0 ? lone(bytes[at] as number) : bytes.toString('utf8', at, at + length)
    at += Math.max(1, length)
  }
  return text
}

/** The path for a line on a terminal: whatever could move the cursor is escaped. */
export function toLine(path: BytePath): string {
  return toText(path).replaceAll(
    /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** How many bytes the UTF-8 character at `at` has; 0 when there is none. */
function characterLength(bytes: Buffer, at: number): number {
  for (const length of [1, 2, 3, 4]) {
    if (at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length))) return length
  }
  return 0
}

function lone(byte: number): string {
  return String.fromCharCode(0xdc00 + byte)
}
